"""The verdict on a labelled set, by the way that grading a CT takes: seven sheets, or one box.

A cohort keeps one crop of every vertebra, and the height loss where it was made from a mask.
The six sheets that are moved by 3 mm or tilted by 5 degrees are cut from the one, where grading
a CT samples the scan; a network on boxes is asked once. Which deformity heights look like is not
kept, so that none is asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import map_coordinates

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.tasks import GENANT_GRADES
from spinexplain.evaluate.calibration import calibration_of
from spinexplain.experiment.prediction import class_scores
from spinexplain.findings.grade_set import GradeSet, grade_set
from spinexplain.findings.verdict import SUSPECTED, Verdict, judge
from spinexplain.findings.weighing import VerdictCalibration
from spinexplain.findings.witness import DETECTOR, PROTOTYPES, loss_witness, network_witness
from spinexplain.spine.poses import POSES, Pose
from spinexplain.types import Grading, Vertebra

if TYPE_CHECKING:
    import pandas as pd

    from spinexplain.data.crops.dataset import TrainingSet
    from spinexplain.models.grader import Grader


@dataclass(frozen=True)
class Loss:
    """A measured height loss, its standard deviation, and what most of the body shows, if known."""

    loss: float
    sd: float
    broad_loss: float | None = None


def cohort_losses(index: pd.DataFrame) -> list[Loss | None]:
    """Return the measured height losses of rows of a cohort's index; None where unknown."""
    columns = ["measured_loss", "measured_loss_sd", "measured_broad_loss"]
    return [
        Loss(loss, sd, broad if np.isfinite(broad) else None)
        if np.isfinite((loss, sd)).all()
        else None
        for loss, sd, broad in index[columns].to_numpy(float).tolist()
    ]


@dataclass(frozen=True)
class Judged:
    """The verdict on one vertebra of a set, and the grades it may have; None where refused."""

    verdict: Verdict | None
    grades: GradeSet | None


def posed_crops(crops: np.ndarray, pose: Pose) -> np.ndarray:
    """Cut a moved or tilted sheet out of every stored one.

    Parameters
    ----------
    crops : ndarray of int16, shape (n, R, C)
        Sheets of 1 mm, rows cranial to caudal, columns anterior to posterior.
    pose : Pose

    Returns
    -------
    ndarray of int16, shape (n, R, C)
        The outermost samples repeated where the pose reaches beyond.
    """
    if pose == Pose():
        return np.asarray(crops)
    shape = crops.shape[1:]
    middle = (np.array(shape) - 1) / 2
    index = np.moveaxis(np.indices(shape), 0, -1) - middle
    cos, sin = np.cos(np.radians(pose.tilt_deg)), np.sin(np.radians(pose.tilt_deg))
    at = index @ np.array([[cos, sin], [-sin, cos]]) + middle + (pose.caudal_mm, pose.posterior_mm)
    where = np.moveaxis(at, -1, 0)
    moved = [map_coordinates(crop, where, float, order=1, mode="nearest") for crop in crops]
    return np.rint(moved).astype(np.int16)


def verdicts(
    grader: Grader,
    data: TrainingSet,
    reasons: Sequence[str],
    calibration: VerdictCalibration,
    losses: Sequence[Loss | None],
) -> list[Judged]:
    """Give the verdict on every vertebra of a set that may be graded.

    Parameters
    ----------
    grader : Grader
    data : TrainingSet
        Its sheets or boxes, 1 mm.
    reasons : sequence of str, length n
        Why a vertebra may not be graded; empty where it may.
    calibration : VerdictCalibration
    losses : sequence of Loss or None, length n
        Measured height losses; None where there is none.
    """
    rows = np.flatnonzero([not reason for reason in reasons])
    chosen = data.take(rows)
    scores = [
        class_scores(grader.model, posed, grader.spec, grader.device)
        for posed in _posed_sets(chosen, grader.spec.axes)
    ]
    found = [Judged(None, None)] * len(reasons)
    for place, row in enumerate(rows.tolist()):
        found[row] = _judged(grader, [one[place] for one in scores], calibration, losses[row])
    return found


def _posed_sets(data: TrainingSet, axes: int) -> list[TrainingSet]:
    """Return the set at every pose that a network is asked at; boxes are asked once."""
    if axes != 2:
        return [data]
    crops = np.asarray(data.patches_hu)
    return [replace(data, patches_hu=posed_crops(crops, pose)) for pose in POSES]


def _judged(
    grader: Grader,
    scores: Sequence[np.ndarray],
    calibration: VerdictCalibration,
    loss: Loss | None,
) -> Judged:
    anybody = Vertebra(VertebraLevel.L1, (0.0, 0.0, 0.0))
    gradings = [Grading(anybody, grader.task, tuple(row.tolist())) for row in scores]
    name = PROTOTYPES if grader.spec.axes == 2 else DETECTOR
    spoken = network_witness(name, gradings, grader.info.weights_sha256)
    assert spoken is not None
    witnesses = [spoken]
    if loss is not None:
        witnesses.append(loss_witness(loss.loss, loss.sd, loss.broad_loss))
    names = [one.name for one in witnesses]
    scale = calibration.scale(names, {name: spoken.weights_sha256})
    grades = None if scale is None else grade_set(witnesses, scale, calibration.coverage)
    return Judged(judge(witnesses, calibration, None if loss is None else loss.loss), grades)


def judged_table(
    grader: Grader,
    data: TrainingSet,
    table: pd.DataFrame,
    calibration: VerdictCalibration,
    losses: Sequence[Loss | None] | None = None,
) -> tuple[pd.DataFrame, dict[str, Any] | None]:
    """Add the verdict to a table of predictions, and its figures.

    Parameters
    ----------
    grader : Grader
    data : TrainingSet
        Row by row as the table.
    table : DataFrame
        Predictions.
    calibration : VerdictCalibration
    losses : sequence of Loss or None, optional
        Measured height losses, row by row; without them the network speaks alone.

    Returns
    -------
    DataFrame
        With ``verdict`` (a state; empty where refused) and ``log_odds``.
    dict or None
        See :func:`cohort_figures`, and ``with_heights`` (``[vertebrae whose heights speak, of]``).
        The table comes back as it was, and None, where every vertebra is refused.
    """
    reasons = table["reason"].tolist()
    if all(reasons):
        return table, None
    losses = [None] * len(reasons) if losses is None else losses
    found = verdicts(grader, data, reasons, calibration, losses)
    said = [one.verdict for one in found]
    table = table.assign(
        verdict=["" if one is None else one.state for one in said],
        log_odds=[np.nan if one is None else one.log_odds for one in said],
    )
    scans = (table["subject"] + "\x1f" + table["series"]).tolist()
    figures = cohort_figures(found, table["grade"].tolist(), scans)
    heard = [loss is not None for loss, why in zip(losses, reasons, strict=True) if not why]
    return table, figures | {"with_heights": [sum(heard), len(heard)]}


def cohort_figures(
    judged: Sequence[Judged], grades: Sequence[str], scans: Sequence[str]
) -> dict[str, Any]:
    """Count what the verdict says, and compare its probability with what is true.

    Parameters
    ----------
    judged : sequence of Judged, length n
    grades : sequence of str, length n
        True Genant grades.
    scans : sequence of str, length n

    Returns
    -------
    dict
        ``states`` (true grade -> state -> count), ``false_alarm_scans`` (scans without any
        fracture where one is suspected: ``[count, of]``), ``calibration`` (of the probability
        of a moderate or severe fracture against none, mild ones left out), ``sets`` (grade ->
        ``[held, of]``, where sets are calibrated to this model) and ``calibrated``.
    """
    rows = [
        (one.verdict, one.grades, grade, scan)
        for one, grade, scan in zip(judged, grades, scans, strict=True)
        if one.verdict is not None
    ]
    states: dict[str, dict[str, int]] = {}
    for verdict, _, grade, _ in rows:
        counts = states.setdefault(grade, {})
        counts[verdict.state] = counts.get(verdict.state, 0) + 1
    return {
        "calibrated": bool(rows) and all(verdict.calibrated for verdict, *_ in rows),
        "states": dict(sorted(states.items())),
        "false_alarm_scans": _false_alarms(rows),
        "calibration": _calibration(rows),
        "sets": _held(rows),
    }


_Row = tuple[Verdict, GradeSet | None, str, str]


def _false_alarms(rows: Sequence[_Row]) -> list[int]:
    broken = {scan for *_, grade, scan in rows if grade != GENANT_GRADES[0]}
    sound = {scan for *_, scan in rows} - broken
    alarmed = {scan for verdict, _, _, scan in rows if verdict.state == SUSPECTED}
    return [len(sound & alarmed), len(sound)]


def _calibration(rows: Sequence[_Row]) -> dict[str, Any] | None:
    clear = [(verdict.log_odds, grade) for verdict, _, grade, _ in rows if grade != "G1"]
    if not clear:
        return None
    odds = np.array([one for one, _ in clear])
    labels = np.array([grade != GENANT_GRADES[0] for _, grade in clear]).astype(int)
    chance = 1 / (1 + np.exp(-odds))
    return asdict(
        calibration_of(labels, np.column_stack([1 - chance, chance]), ["none", "fracture"])
    )


def _held(rows: Sequence[_Row]) -> dict[str, Any] | None:
    known = [(found, grade) for _, found, grade, _ in rows if found is not None]
    if not known:
        return None
    held = {
        name: [
            sum(name in found.grades for found, grade in known if grade == name),
            sum(grade == name for _, grade in known),
        ]
        for name in GENANT_GRADES
    }
    sizes = [len(found.grades) for found, _ in known]
    return {
        "coverage": known[0][0].coverage,
        "held": held,
        "mean_size": float(np.mean(sizes)),
    }
