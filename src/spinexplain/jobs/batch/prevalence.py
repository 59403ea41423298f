"""What an archive holds: prevalence, refusals, and drift against an earlier run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import ks_2samp

from spinexplain.anatomy import VertebraLevel
from spinexplain.jobs.batch.drift import TrainingValues, drift_from_training

if TYPE_CHECKING:
    import pandas as pd

_AGES = {
    "under 50": (0, 49),
    "50 to 59": (50, 59),
    "60 to 69": (60, 69),
    "70 to 79": (70, 79),
    "80 and over": (80, 130),
}
_DRIFT = ("body_hu", "score", "loss", "spacing_x_mm", "spacing_z_mm")
_ALARM = 0.2  # largest gap of two distributions that is still called the same


def summarize(
    scans: pd.DataFrame,
    vertebrae: pd.DataFrame,
    reference: tuple[pd.DataFrame, pd.DataFrame] | None = None,
    training: TrainingValues | None = None,
) -> dict[str, Any]:
    """Count what an archive holds.

    Parameters
    ----------
    scans, vertebrae : DataFrame
        As :func:`spinexplain.jobs.batch.index.read_index` returns them.
    reference : tuple of two DataFrame, optional
        The same of an earlier run, to see drift.
    training : TrainingValues, optional
        What the model learned from, to see drift against it.

    Returns
    -------
    dict
        ``scans``: by state; ``refusals``: by reason; ``levels``, ``ages``, ``sexes``: graded and
        fractured by a model or by heights; ``drift``: medians, and the Kolmogorov-Smirnov gap;
        ``training``: what :func:`~spinexplain.jobs.batch.drift.drift_from_training` finds, with
        what it is compared with.
    """
    graded = vertebrae[vertebrae["grade"].notna()].copy()
    graded["fractured"] = graded["fractured"].fillna(False).astype(bool)
    graded["lost"] = (graded["height_loss_class"] >= 2).fillna(False).astype(bool)
    refused = scans[scans["state"] != "graded"]
    return {
        "scans": {str(k): int(v) for k, v in scans["state"].value_counts().items()},
        "refusals": {str(k): int(v) for k, v in refused["reason"].value_counts().items()},
        "vertebrae": len(vertebrae),
        "not_assessable": int(vertebrae["grade"].isna().sum()),
        "with_fracture": int(graded[graded["fractured"]]["name"].nunique()),
        "levels": _levels(graded),
        "ages": _ages(graded),
        "sexes": _groups(graded[graded["sex"] != ""], "sex"),
        "drift": None if reference is None else _drift((scans, vertebrae), reference),
        "training": None if training is None else _from_training(scans, vertebrae, training),
    }


def _from_training(
    scans: pd.DataFrame, vertebrae: pd.DataFrame, training: TrainingValues
) -> dict[str, Any]:
    return {
        "model": training.model,
        "source": training.source,
        "vertebrae": training.vertebrae,
        "rows": drift_from_training(scans, vertebrae, training),
    }


def _levels(graded: pd.DataFrame) -> list[dict[str, Any]]:
    rows = {row["group"]: row for row in _groups(graded, "level")}
    return [rows[level.value] for level in VertebraLevel if level.value in rows]


def _ages(graded: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for name, (low, high) in _AGES.items():
        inside = graded[graded["age"].between(low, high).fillna(False).astype(bool)]
        if len(inside):
            rows.append(_row(name, inside))
    return rows


def _groups(graded: pd.DataFrame, column: str) -> list[dict[str, Any]]:
    return [_row(str(name), part) for name, part in graded.groupby(column, sort=True)]


def _row(name: str, part: pd.DataFrame) -> dict[str, Any]:
    return {
        "group": name,
        "graded": len(part),
        "fractured": int(part["fractured"].sum()),
        "lost": int(part["lost"].sum()),
        "share": round(float(part["fractured"].mean()), 4),
    }


def _drift(
    now: tuple[pd.DataFrame, pd.DataFrame], before: tuple[pd.DataFrame, pd.DataFrame]
) -> list[dict[str, Any]]:
    """Compare distributions: 0 for the same, 1 where they do not touch."""
    rows = []
    for name in _DRIFT:
        table = 0 if name.startswith("spacing") else 1
        new, old = (tables[table][name].dropna().to_numpy(float) for tables in (now, before))
        if len(new) and len(old):
            gap = float(ks_2samp(new, old).statistic)
            rows.append(
                {
                    "what": name,
                    "median": round(float(np.median(new)), 3),
                    "median_before": round(float(np.median(old)), 3),
                    "gap": round(gap, 3),
                    "drifted": gap > _ALARM,
                }
            )
    return rows
