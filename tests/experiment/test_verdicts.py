"""The verdict on a set of stored sheets is that of the scan they were cut from."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.tasks import TASKS, derived_task
from spinexplain.experiment.verdicts import (
    Judged,
    Loss,
    _judged,
    cohort_figures,
    cohort_losses,
    judged_table,
    posed_crops,
)
from spinexplain.findings.grade_set import GradeSet
from spinexplain.findings.verdict import Term, Verdict
from spinexplain.findings.weighing import VerdictCalibration, Weighing, stored_calibration
from spinexplain.spine.poses import POSES, posed_patches
from spinexplain.spine.reformat import reformat
from spinexplain.types import Vertebra, Volume


def test_sheets_cut_from_a_stored_one_are_those_sampled_from_the_scan():
    _, y, z = np.mgrid[:70, :70, :90].astype(float) * 2.0
    hu = 200 * np.sin(y / 9) * np.cos(z / 11) + 0.5 * y
    volume = Volume(hu.astype(np.float32), np.diag([2.0, 2.0, 2.0, 1.0]))
    spine = [
        Vertebra(VertebraLevel(name), (70.0, 70.0, 120.0 - 32 * n))
        for n, name in enumerate(("L1", "L2", "L3"))
    ]
    patch = reformat(volume, spine, shape=(100, 100))[1]
    for pose, sampled in zip(POSES, posed_patches(volume, patch), strict=True):
        cut = posed_crops(np.rint(patch.array)[None], pose)[0]
        inner = (slice(20, -20), slice(20, -20))
        np.testing.assert_allclose(cut[inner], sampled.array[inner], atol=4)
        assert (cut != np.rint(patch.array)).any() == (pose != POSES[0])


def verdict(state, log_odds):
    return Verdict(state, terms=(Term("prototypes", log_odds, log_odds, 0.0),), calibrated=True)


def test_figures_by_hand():
    wide = GradeSet(("G2", "G3"), 0.9)
    judged = [
        Judged(verdict("no suspicion", -50.0), GradeSet(("G0",), 0.9)),
        Judged(verdict("fracture suspected", 50.0), wide),  # a false alarm, scan a
        Judged(verdict("fracture suspected", 50.0), wide),
        Judged(verdict("borderline", 0.0), wide),
        Judged(None, None),
    ]
    grades = ["G0", "G0", "G2", "G1", "G3"]
    found = cohort_figures(judged, grades, ["a", "a", "b", "b", "c"])
    assert found["states"]["G0"] == {"no suspicion": 1, "fracture suspected": 1}
    assert found["false_alarm_scans"] == [1, 1]
    assert found["sets"]["held"] == {"G0": [1, 2], "G1": [0, 1], "G2": [1, 1], "G3": [0, 0]}
    assert found["sets"]["mean_size"] == pytest.approx(7 / 4)
    assert found["calibration"]["brier"] == pytest.approx(2 / 3)
    assert found["calibrated"]


def test_nothing_judged_says_nothing():
    found = cohort_figures([Judged(None, None)], ["G0"], ["a"])
    assert (found["states"], found["calibration"], found["sets"]) == ({}, None, None)
    assert not found["calibrated"]


def test_a_set_that_is_refused_altogether_is_not_judged():
    table = pd.DataFrame({"reason": ["cut", "metal"]})
    same, figures = judged_table(SimpleNamespace(), None, table, None)
    assert same is table
    assert figures is None


def test_a_network_on_boxes_is_asked_once_and_speaks_as_the_detector(monkeypatch):
    asked = []

    def scores(model, data, spec, device):
        asked.append(len(data))
        return np.array([[0.9, 0.1], [0.2, 0.8]])

    monkeypatch.setattr("spinexplain.experiment.verdicts.class_scores", scores)
    calibration = VerdictCalibration(
        {"detector": "d"}, {"detector": Weighing(0.5, {"detector": 2.0}, 1.0, -1.0, True)}
    )
    detector = SimpleNamespace(
        spec=SimpleNamespace(axes=3),
        model=None,
        device="cpu",
        task=derived_task(("no fracture", "fracture")),
        info=SimpleNamespace(weights_sha256="d"),
    )
    data = SimpleNamespace(take=lambda rows: np.zeros(len(rows)))
    table = pd.DataFrame(
        {"reason": ["", "metal", ""], "grade": ["G0", "G0", "G3"], "subject": "a", "series": "1"}
    )
    judged, figures = judged_table(detector, data, table, calibration)
    assert asked == [2]
    assert judged["verdict"].tolist() == ["no suspicion", "", "fracture suspected"]
    assert judged["log_odds"].iloc[0] == pytest.approx(0.5 - 2 * np.log(9))
    assert figures["calibrated"]
    assert figures["sets"] is None


def test_measured_losses_speak_where_they_are_known():
    index = pd.DataFrame(
        {
            "measured_loss": [0.5, 0.3, None],
            "measured_loss_sd": [0.05, 0.05, None],
            "measured_broad_loss": [None, 0.1, None],
        },
        dtype=float,
    )
    assert cohort_losses(index) == [Loss(0.5, 0.05), Loss(0.3, 0.05, 0.1), None]
    task = TASKS["g0-g2-g3"]
    grader = SimpleNamespace(
        task=task, info=SimpleNamespace(weights_sha256="abc"), spec=SimpleNamespace(axes=2)
    )
    even = np.full(len(task.classes), 1 / len(task.classes))
    alone, crushed = (
        _judged(grader, [even] * len(POSES), stored_calibration(), loss).verdict
        for loss in (None, Loss(0.5, 0.05))
    )
    assert [term.witness for term in alone.terms] == ["prototypes"]
    assert [term.witness for term in crushed.terms] == ["prototypes", "heights"]
    assert (crushed.state, crushed.severity) == ("fracture suspected", "severe")
    pitted = _judged(grader, [even] * len(POSES), stored_calibration(), Loss(0.5, 0.05, 0.1))
    assert pitted.verdict.log_odds < crushed.log_odds
