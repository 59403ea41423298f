from types import SimpleNamespace

import numpy as np
import pytest

from spinexplain.models.localizing import LEVEL_CLASSES, LEVELS
from spinexplain.reproduce import levels_learned
from spinexplain.reproduce.levels_learned import LevelAnswer, answered, figures, measure
from spinexplain.reproduce.localizer import EARLIER
from spinexplain.reproduce.setting import Setting
from spinexplain.train.localizer.level_batches import LevelBatches


def always(level, version="3", logit=3.0):
    """Networks that call every position one level."""

    def answer(densities):
        out = np.zeros((1, LEVELS.stop, densities.shape[2]), np.float32)
        out[:, LEVELS.start + LEVEL_CLASSES.index(level)] = logit
        return out

    return SimpleNamespace(levels=answer, info=SimpleNamespace(version=version))


def test_cross_entropy_and_share_right_by_hand():
    answers = [
        LevelAnswer("T4", "T4", 0.5),
        LevelAnswer("T4", "T5", 0.25),
        LevelAnswer("S", "S", 0.5),
    ]
    found = figures(answers)
    assert found["cross_entropy"] == pytest.approx(np.log(16) / 3, abs=1e-4)
    assert found["right"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["levels"] == {"T4": 0.5}
    assert found["constant"]["right"] == pytest.approx(2 / 3, abs=1e-4)
    entropy = -(2 * np.log(2 / 3) + np.log(1 / 3)) / 3
    assert found["constant"]["cross_entropy"] == pytest.approx(entropy, abs=1e-4)


def test_only_bodies_in_view_are_asked_for(drawn_body):
    batch = LevelBatches([drawn_body], {}, 1, 0).load(0, (0, 1), levels_learned._CPU)
    answers = answered(always("T7"), batch)
    assert len(answers) <= int(batch.taught.sum())
    assert {one.said for one in answers} == {"T7"}
    assert all(one.odds > 0.4 for one in answers if one.level == "T7")
    assert all(one.odds < 0.1 for one in answers if one.level != "T7")


def test_two_versions_read_the_same_sections(drawn_body, tmp_path, monkeypatch):
    setting = Setting(tmp_path, tmp_path / "work", tmp_path / "results", tmp_path)
    (setting.work / EARLIER).mkdir(parents=True)
    monkeypatch.setattr(levels_learned, "drawn", lambda *_: [drawn_body])
    monkeypatch.setattr(levels_learned, "shipped_networks", lambda: always("T7"))
    monkeypatch.setattr(levels_learned, "load_networks", lambda _: always("T8", "2.1"))
    measure(setting, persons=1)
    content = setting.stored(levels_learned.RESULTS)
    assert len(content["rows"]) == 2 * len(levels_learned.COHORTS)
    assert {row["version"] for row in content["rows"]} == {"3", "2.1"}
    assert len({row["positions"] for row in content["rows"]}) == 1
