import numpy as np
import pytest

from spinexplain.config.training import read_config
from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.reproduce.dissection import detector_presets
from spinexplain.reproduce.dissection.detector_presets import (
    PRESETS,
    STEPS,
    design,
    measure,
    settings,
)
from spinexplain.reproduce.setting import Setting


def learned_from(fractured: int, healthy: int) -> TrainingSet:
    grades = np.repeat([2, 0], [fractured, healthy])
    names = np.array([f"p{k}" for k in range(len(grades))])
    boxes = np.zeros((len(grades), 2, 2, 2), np.int16)
    return TrainingSet(boxes, grades, names, names, names, np.zeros((len(grades), 3)))


@pytest.mark.parametrize("name", PRESETS)
def test_what_tells_the_presets_apart_stays(name):
    preset, small = read_config(name), design(name, learned_from(120, 343))
    for part in ("head", "loss", "dissection", "classes", "grades"):
        assert getattr(small, part) == getattr(preset, part)
    assert small.trunk.name == preset.trunk.name
    assert small.input.extent_mm == 0.75 * preset.input.extent_mm
    assert small.detector.epoch == preset.detector.epoch
    assert small.detector.decay == preset.detector.decay
    assert small.detector.patience >= small.detector.epochs


def test_all_have_samples_of_one_size_and_about_as_many_steps():
    learned = learned_from(120, 343)
    made = {name: design(name, learned) for name in PRESETS}
    assert {c.input.extent_mm / c.input.size for c in made.values()} == {1.5}
    per_epoch = {"mean": 58, "rarest": 30}  # 2 x 232 and 2 x 120 boxes in batches of 8
    steps = [c.detector.epochs * per_epoch[c.detector.epoch] for c in made.values()]
    assert all(abs(count - STEPS) <= 16 for count in steps)
    shown = {tuple(settings(config).items()) for config in made.values()}
    assert len(shown) == 3


def test_the_presets_learn_and_are_dissected_side_by_side(tmp_path, monkeypatch):
    few = PRESETS[1:]  # the first takes as long as these two
    monkeypatch.setattr(detector_presets, "PRESETS", few)
    # Seeds whose persons have fractured and healthy vertebrae.
    monkeypatch.setattr(detector_presets, "LEARNING", (1, 2))
    monkeypatch.setattr(detector_presets, "VALIDATION", (8, 2))
    monkeypatch.setattr(detector_presets, "UNSEEN", (7, 2))
    monkeypatch.setattr(detector_presets, "STEPS", 6)
    monkeypatch.setattr("spinexplain.reproduce.dissection.use.GROUPS", 2)
    monkeypatch.setattr(detector_presets, "PRECISION", "fp32")
    monkeypatch.setattr(detector_presets, "WIDTH", 1 / 8)
    setting = Setting(tmp_path, tmp_path / "work", tmp_path / "results", tmp_path)
    measure(setting, seeds=(0,))
    content = setting.stored(detector_presets.RESULTS)
    assert set(content["runs"]) == set(few)
    for name in few:
        assert set(content["runs"][name]) == {"0"}
        run, area = content["runs"][name]["0"], content["areas"]["means"][name]
        assert run["units"] == 64
        assert run["auc"]["mean"] == pytest.approx(area["by_training"][0], abs=0.02)
        assert "log_odds" not in run
    batches = {name: content["runs"][name]["0"]["changed_in_batches"] for name in few}
    assert batches["detector"] == 0
    assert content["areas"]["means"]["heights in the mask"]["mean"] > 0.7
    assert content["areas"]["means"]["constant"]["mean"] == 0.5
    before = (tmp_path / "results" / detector_presets.RESULTS).read_bytes()
    measure(setting, seeds=(0,))  # nothing is trained or drawn again
    assert (tmp_path / "results" / detector_presets.RESULTS).read_bytes() == before
