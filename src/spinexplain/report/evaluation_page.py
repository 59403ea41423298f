"""The page of an evaluation: how good the grades are, how sure, and what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinexplain.evaluate.metrics import METRICS
from spinexplain.evaluate.predictions import SCORE, class_names
from spinexplain.findings.verdict import STATES
from spinexplain.types import says_synthetic_only
from spinexplain.ui.pages import render_page, software_version, write_page
from spinexplain.ui.pictures import Album, Picture
from spinexplain.ui.tokens import GradeStyle, grade_style

if TYPE_CHECKING:
    import pandas as pd

    from spinexplain.data.crops.on_disk import Patches

GALLERY = 24


@dataclass(frozen=True)
class Mistake:
    """One wrongly graded vertebra of the gallery."""

    picture: Picture
    level: str
    subject: str
    truth: GradeStyle
    called: GradeStyle
    scores: tuple[tuple[GradeStyle, float], ...]


def write_evaluation_page(
    figures: dict[str, Any], table: pd.DataFrame, crops_hu: Patches, out: Path
) -> Path:
    """Write ``evaluation.html``: one file, no network, for screen and print.

    Parameters
    ----------
    figures : dict
        What ``figures.json`` holds.
    table : DataFrame
        The predictions, row by row as ``crops_hu``.
    crops_hu : ndarray, shape (n, *S)
    out : Path
        An existing folder.
    """
    album = Album()
    content = {
        "figures": {"unknown_grades": {}, "verdict": None, **figures},
        "synthetic_training": says_synthetic_only(str(figures.get("trained_on", ""))),
        "headline": {
            name: metric.title for name, metric in METRICS.items() if name in figures["vertebra"]
        },
        "mistakes": gallery(table, crops_hu, album),
        "wrong": int(_wrong(table).sum()),
        "bins": _bins(figures["calibration"]),
        "class_bins": _class_bins(figures),
        "verdict_states": STATES,
        "software": software_version(),
    }
    filters: dict[str, Callable[..., Any]] = {"score": score, "style": grade_style}
    page = render_page("evaluation", content, script=False, filters=filters)
    return write_page(Path(out) / "evaluation.html", page)


def score(value: float | None, digits: int = 3) -> str:
    """Write a figure, or a dash where there is none.

    Examples
    --------
    >>> score(0.5), score(None), score(-0.25)
    ('0.500', '–', '−0.250')
    """
    if value is None:
        return "\N{EN DASH}"
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _wrong(table: pd.DataFrame) -> np.ndarray:
    scores = table[[SCORE + name for name in class_names(table)]].to_numpy(float)
    judged = table["assessable"].to_numpy(bool) & (table["label"].to_numpy(int) >= 0)
    called = np.where(np.isfinite(scores), scores, -1).argmax(axis=1)
    return judged & (called != table["label"].to_numpy(int))


def gallery(table: pd.DataFrame, crops_hu: Patches, album: Album) -> list[Mistake]:
    """Return the surest mistakes, at most :data:`GALLERY`, as pictures with their scores."""
    names = class_names(table)
    scores = table[[SCORE + name for name in names]].to_numpy(float)
    wrong = np.flatnonzero(_wrong(table))
    surest = wrong[np.argsort(-scores[wrong].max(axis=1), kind="stable")][:GALLERY]
    return [
        Mistake(
            picture=album.add_ct(_sagittal(crops_hu[row]), detail=1),
            level=str(table["level"].iloc[row]),
            subject=str(table["subject"].iloc[row]),
            truth=grade_style(names[int(table["label"].iloc[row])]),
            called=grade_style(names[int(scores[row].argmax())]),
            scores=tuple(
                (grade_style(name), float(value))
                for name, value in zip(names, scores[row], strict=True)
            ),
        )
        for row in surest
    ]


def _sagittal(crop: np.ndarray) -> np.ndarray:
    """Return a 2-D patch as it is, of a 3-D one the middle sagittal slice."""
    return crop if crop.ndim == 2 else crop[..., crop.shape[-1] // 2]


def _class_bins(figures: dict[str, Any]) -> list[dict[str, Any]]:
    """Return each class's calibration with the filled bins of its plot."""
    stored = figures.get("class_calibration", {"classes": ()})
    return [{**one, "bins": _bins(one["reliability"])} for one in stored["classes"]]


def _bins(calibration: dict[str, Any]) -> list[dict[str, float]]:
    """Return the filled bins of the reliability plot, with what the picture needs."""
    columns: Sequence[Any] = [calibration[k] for k in ("counts", "confidence", "accuracy")]
    most = max(calibration["counts"])
    return [
        {"low": low, "count": count, "share": count / most, "confidence": sure, "accuracy": right}
        for low, count, sure, right in zip(calibration["edges"], *columns, strict=False)
        if count
    ]
