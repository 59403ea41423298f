"""Whole trainings of a tiny detector."""

import json

import numpy as np
import pytest
import torch

from spinexplain.config.training import parse_config, read_config
from spinexplain.data.crops.dataset import class_labels
from spinexplain.errors import ConfigError
from spinexplain.models.bundle.store import load_grader, save_bundle
from spinexplain.models.grader import Scope
from spinexplain.models.heads.detector import DetectorNet
from spinexplain.progress import Steps
from spinexplain.train.grading.batches import Batch
from spinexplain.train.grading.detector import DetectorRun, check_precision, detection_objective
from spinexplain.train.grading.package import Statement, bundle_of
from spinexplain.train.grading.recipes import train_model
from spinexplain.train.grading.validate import predict


class Killed(Exception):
    pass


def killed_after(step):
    def progress(name, done, steps):
        if done == step:
            raise Killed

    return Steps(progress)


def equal_bits(one, two):
    states = one.state_dict(), two.state_dict()
    return all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_it_learns_keeps_the_best_epoch_and_is_packed_like_any_model(
    boxes, detector_config, tmp_path
):
    schedule = {"epochs": 16, "patience": 16, "lr": 5e-3}
    config = detector_config(detector=schedule, head={"dropout": 0.0})
    trained = train_model(config, boxes(n=48), tmp_path / "run")
    assert isinstance(trained.model, DetectorNet)
    assert set(trained.data.grades) == {0, 2, 3}
    history = json.loads((tmp_path / "run" / "validation.json").read_text())
    best = max(history, key=lambda entry: (entry["f1"], -entry["cross_entropy"]))
    assert trained.figures.items() <= best.items()
    assert trained.figures["f1"] > 0.8
    bundle = bundle_of(trained, Statement("toy", "1", "cubes", Scope()))
    assert "16 mm box" in bundle.card
    assert bundle.training["config"]["grades"]["fracture"] == ["G2", "G3"]
    grader = load_grader(save_bundle(bundle, tmp_path / "toy"))
    assert (grader.classes, grader.explainer) == (("no fracture", "fracture"), "gradcam")
    data = boxes()
    np.testing.assert_allclose(
        predict(grader.model, data, config), predict(trained.model, data, config), atol=1e-6
    )


@pytest.mark.parametrize("step", [3, 4, 5, 9, 11])
def test_resuming_after_a_kill_gives_the_same_bits(
    boxes, detector_config, tmp_path, step, monkeypatch
):
    """In the middle of an epoch, at its end, and before and after checkpoints; with dropout."""
    monkeypatch.setattr("spinexplain.train.engine.loop.SAVE_EVERY_STEPS", 2)
    config, data = detector_config(), boxes()
    whole = train_model(config, data, tmp_path / "whole")
    with pytest.raises(Killed):
        train_model(config, data, tmp_path / "cut", progress=killed_after(step))
    torch.manual_seed(step)
    resumed = train_model(config, data, tmp_path / "cut", resume=True)
    assert equal_bits(whole.model, resumed.model)
    assert whole.figures == resumed.figures
    stories = [(tmp_path / run / "validation.json").read_text() for run in ("whole", "cut")]
    assert stories[0] == stories[1]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_while_an_epoch_is_noted_loses_nothing(
    boxes, detector_config, tmp_path, monkeypatch, moment
):
    monkeypatch.setattr("spinexplain.train.engine.loop.SAVE_EVERY_STEPS", 1)
    config, data = detector_config(), boxes()
    whole = train_model(config, data, tmp_path / "whole")
    noted = DetectorRun._note

    def killed(self, entry):
        if moment == "after":
            noted(self, entry)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(DetectorRun, "_note", killed)
        with pytest.raises(Killed):
            train_model(config, data, tmp_path / "cut")
    resumed = train_model(config, data, tmp_path / "cut", resume=True)
    assert equal_bits(whole.model, resumed.model)


def test_a_finished_run_is_taken_up_as_it_is(boxes, detector_config, tmp_path):
    config, data = detector_config(), boxes()
    whole = train_model(config, data, tmp_path / "run")
    assert equal_bits(whole.model, train_model(config, data, tmp_path / "run", resume=True).model)


def test_training_ends_when_patience_is_over(boxes, detector_config, tmp_path, monkeypatch):
    scores = iter([0.5, 0.7, 0.7, 0.6, 0.9, 0.9])

    def planted(logits, labels, classes):
        return {"f1": next(scores), "accuracy": 0.0}

    monkeypatch.setattr("spinexplain.train.grading.detector.figures_of", planted)
    config = detector_config(detector={"epochs": 50, "patience": 2})
    trained = train_model(config, boxes(), tmp_path / "run")
    history = json.loads((tmp_path / "run" / "validation.json").read_text())
    assert [entry["f1"] for entry in history] == [0.5, 0.7, 0.7, 0.6]
    assert trained.figures["f1"] == 0.7


def test_of_equal_scores_the_smaller_cross_entropy_is_kept(boxes, detector_config, tmp_path):
    config = detector_config(detector={"epochs": 6, "patience": 6})
    trained = train_model(config, boxes(n=48), tmp_path / "run")
    history = json.loads((tmp_path / "run" / "validation.json").read_text())
    top = max(entry["f1"] for entry in history)
    entropies = [entry["cross_entropy"] for entry in history if entry["f1"] == top]
    assert trained.figures["cross_entropy"] == min(entropies)


def test_mild_fractures_are_in_where_the_setting_says(boxes, detector_config, tmp_path):
    wider = {"no fracture": ["G0", "G1"], "fracture": ["G2", "G3"]}
    config = detector_config(grades=wider, detector={"epochs": 1})
    trained = train_model(config, boxes(), tmp_path / "run")
    assert set(trained.data.grades) == {0, 1, 2, 3}
    labels = class_labels(trained.data, config.task)
    assert set(trained.data.grades[labels == 0]) == {0, 1}


def outputs(odds, heights):
    """Return a network that gives planted log odds and height losses in tenths."""

    class Planted(torch.nn.Module):
        def forward(self, x):
            return torch.stack([-odds / 2, odds / 2], dim=1), heights

    return Planted()


ODDS, TENTHS = torch.tensor([1.5, -0.5, 0.2]), torch.tensor([3.0, 0.0, 9.0])
LABELS = torch.tensor([1, 0, 0])


def test_objective_is_the_binary_cross_entropy_of_the_log_odds():
    batch = Batch(torch.zeros(3), LABELS, None)
    got = detection_objective(outputs(ODDS, TENTHS), 1.0, "fp32")(batch)
    want = torch.nn.functional.binary_cross_entropy_with_logits(ODDS, LABELS.float())
    torch.testing.assert_close(got["total"], want)
    assert set(got) == {"cross_entropy", "total"}


def test_known_height_losses_are_regressed_in_tenths():
    """Off by half a tenth and by two tenths, the third not known: (0.125 + 1.5) / 2."""
    batch = Batch(torch.zeros(3), LABELS, None, torch.tensor([0.25, 0.2, torch.nan]))
    got = detection_objective(outputs(ODDS, TENTHS), 2.0, "fp32")(batch)
    assert float(got["height"]) == pytest.approx((0.125 + 1.5) / 2)
    assert float(got["total"]) == pytest.approx(float(got["cross_entropy"]) + 2 * 0.8125)
    plain = detection_objective(outputs(ODDS, TENTHS), 0.0, "fp32")(batch)
    assert "height" not in plain


def test_parts_of_a_step_count_by_their_boxes():
    """Three boxes in two processes, two and one: the mean of the parts is the step's mean."""
    whole = Batch(torch.zeros(3), LABELS, None, torch.tensor([0.25, 0.2, 0.1]))
    want = detection_objective(outputs(ODDS, TENTHS), 2.0, "fp32")(whole)
    parts = []
    for rows in ([0, 2], [1]):
        batch = Batch(torch.zeros(3), LABELS[rows], None, whole.height_loss[rows], LABELS, 2)
        parts.append(detection_objective(outputs(ODDS[rows], TENTHS[rows]), 2.0, "fp32")(batch))
    for name, value in want.items():
        torch.testing.assert_close((parts[0][name] + parts[1][name]) / 2, value)


def test_a_cohort_without_fractures_is_refused(boxes, detector_config, tmp_path):
    data = boxes()
    data.grades[:] = 0
    with pytest.raises(ConfigError, match="class fracture has 0 training crops"):
        train_model(detector_config(), data, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_bfloat16_is_refused_on_grids_whose_gradients_torch_leaves_undefined():
    settings = read_config("detector").model_dump()
    small = {**settings, "input": {**settings["input"], "size": 16, "extent_mm": 16}}
    with pytest.raises(ConfigError, match=r"2 cells.*fp32"):
        check_precision(parse_config(small, "small"), stride=8)
    small["detector"] = {**settings["detector"], "precision": "fp32"}
    check_precision(parse_config(small, "small"), stride=8)
