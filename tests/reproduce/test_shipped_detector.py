import json
from pathlib import Path

import numpy as np

from spinexplain.config.training import read_config
from spinexplain.reproduce import shipped_detector
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.shipped_detector import (
    STAGES,
    TESTS,
    TRAINING,
    cell,
    interval,
    read,
    settings,
    stage,
    table,
)

BUNDLE = Path(shipped_detector.__file__).parents[1] / "models/shipped/detector-phantom/bundle.json"


def test_the_shipped_bundle_was_trained_by_these_counts():
    told = json.loads(BUNDLE.read_text())["training"]
    assert told["scans"] == TRAINING
    assert told["test_scans"] == TESTS
    assert told["stages"] == settings()["stages"]
    assert told["command"] == settings()["command"]


def test_nobody_is_in_training_and_test():
    assert not set(TRAINING) & set(TESTS)


def test_a_stage_is_the_preset_on_boxes_of_another_size():
    (small, epochs), *_ = STAGES.items()
    config, preset = stage(small, epochs, "none"), read_config("detector")
    assert (config.input.size, config.input.extent_mm) == (small, small)
    assert config.detector.epochs == epochs
    assert config.grades == preset.grades


def test_a_cohort_is_drawn_once(tmp_path, monkeypatch, lumbar_scan):
    from spinexplain.data.phantom import cohorts

    asked = []
    monkeypatch.setattr(cohorts, "make_subject", lambda *what: asked.append(what) or lumbar_scan)
    monkeypatch.setitem(TESTS, f"demo-{lumbar_scan.seed}", 1)
    setting = Setting(tmp_path, tmp_path, tmp_path, tmp_path)
    for _ in range(2):
        data = read(setting, f"demo-{lumbar_scan.seed}")
    assert len(asked) == 1
    assert data.target is None
    assert data.patches_hu.shape[1:] == (112, 112, 112)


def test_intervals_are_over_patients(monkeypatch):
    few = list(shipped_detector.subject_draws(np.arange(80) % 20, seed=0, draws=60))
    monkeypatch.setattr(shipped_detector, "subject_draws", lambda subjects, seed: few)
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 40)
    scores = np.clip(0.4 * labels + rng.uniform(0, 0.6, 80), 0, 1)
    found = interval(labels, scores, np.arange(80) % 20)
    assert 0.5 < found["auc_low"] < found["auc_high"] <= 1


def test_figures_stand_in_their_row():
    figures = {name: 0.5 for name in shipped_detector.FIGURES}
    own = figures | {"auc_low": 0.4, "auc_high": 0.6}
    row = {"size": {"vertebrae": 3, "fractured": 1}, "detector": own}
    lines = table({"hard-1": row | {"height loss alone": figures}}).splitlines()
    assert lines[2].startswith("| hard-1 | 3 (1) | detector |")
    assert "0.500 (0.400–0.600)" in lines[2]
    assert cell({"f1": 0.25}, "f1") == "0.250"
