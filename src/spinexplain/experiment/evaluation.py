"""Evaluate a finished model on a split of a cohort."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinexplain.config.settings_hash import settings_hash
from spinexplain.data.crops.on_disk import Patches
from spinexplain.data.crops.outside import outside_shares
from spinexplain.data.crops.source import graded_rows, set_from_cohort
from spinexplain.errors import ConfigError
from spinexplain.evaluate.figures import summarize
from spinexplain.evaluate.predictions import Origin, data_hash
from spinexplain.experiment.prediction import predicted
from spinexplain.models.bundle.description import BundleDescription
from spinexplain.models.bundle.folder import locate, read_description
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.grader import Grader
from spinexplain.spine.quality import not_assessable_reason

if TYPE_CHECKING:
    import pandas as pd

    from spinexplain.data.cohort import Cohort
    from spinexplain.data.crops.dataset import TrainingSet

SCHEMA = "spinexplain/evaluation/1"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What an evaluation leaves.

    Parameters
    ----------
    table : DataFrame
        The predictions.
    figures : dict
        JSON-ready; see :func:`spinexplain.evaluate.figures.summarize`.
    crops_hu : ndarray of int16, shape (n, *S)
        Patches of the rows of ``table``, for the gallery of errors.
    grader : Grader
    data : TrainingSet
        What was graded, row by row as ``table``.
    index : DataFrame
        The cohort's index, row by row as ``table``.
    """

    table: pd.DataFrame
    figures: dict[str, Any]
    crops_hu: Patches
    grader: Grader
    data: TrainingSet
    index: pd.DataFrame


def model_source(source: str | Path) -> str | Path:
    """Return what to load: a run's bundle, or the source itself (a bundle or a shipped name)."""
    inside = Path(source) / "bundle"
    return inside if (inside / "manifest.json").is_file() else source


def evaluate_model(source: str | Path, cohort: Cohort, split: str, seed: int = 0) -> Evaluation:
    """Grade a split of a cohort with a model and judge it.

    Parameters
    ----------
    source : str or Path
        Name of a shipped model, a bundle's folder or a run's.
    cohort : Cohort
    split : str
        ``"training"``, ``"validation"``, ``"test"`` or ``"all"``.
    seed : int
        Of the subject bootstrap.

    Raises
    ------
    ModelError
        If there is no such model.
    ConfigError
        If the split is empty or none of its vertebrae can be graded.
    """
    _check_split(cohort, split)
    found = model_source(source)
    grader = load_grader(found, runtime="torch")
    described = read_description(locate(found))
    wanted = None if split == "all" else split
    rows = graded_rows(cohort, grader.spec.axes, wanted)
    data = set_from_cohort(
        cohort, grader.spec.axes, wanted, body_height_mm=grader.spec.body_height_mm
    )
    origin = Origin(
        grader.info.name,
        grader.info.sha256,
        data_hash(cohort.index.iloc[rows]),
        _config_hash(described),
    )
    shares = outside_shares(cohort, rows, grader.spec)
    reasons = [
        _refusal(grader, cohort.index.loc[row], float(share))
        for row, share in zip(rows, shares, strict=True)
    ]
    table = predicted(
        grader.model,
        data,
        grader.spec,
        grader.task,
        origin,
        reasons=reasons,
        device=grader.device,
    )
    about = {"cohort": cohort.path.name, "split": split, "synthetic": data.synthetic}
    figures = {**about, **_about(grader, described), **summarize(table, seed, task=grader.task)}
    named = {"schema": SCHEMA, **figures}
    return Evaluation(table, named, data.patches_hu, grader, data, cohort.index.iloc[rows])


def _about(grader: Grader, described: BundleDescription) -> dict[str, Any]:
    """Return what the figures say of the model."""
    return {
        "trained_on": grader.info.trained_on,
        "version": grader.info.version,
        "config": {
            "trunk": described.trunk.model_dump(mode="json"),
            "input": {"size": grader.spec.size},
        },
    }


def _check_split(cohort: Cohort, split: str) -> None:
    known = sorted({str(name) for name in cohort.index["split"].dropna()})
    if split != "all" and split not in known:
        have = ", ".join(known) or "no splits"
        raise ConfigError(
            f"{cohort.path}: has no split {split!r} (it has {have}); expected one of them, or "
            "all. Give --split all to evaluate on everything."
        )


def _refusal(grader: Grader, row: Any, share: float) -> str:
    """Say why a row may not be graded, as ``grade`` would, or return an empty string."""
    flags = tuple(row["flags"]) if row["flags"] is not None else ()
    return not_assessable_reason(flags) or grader.refusal(row["level"], share, flags) or ""


def _config_hash(described: BundleDescription) -> str:
    """Hash the settings a bundle was trained with; its description where it has none."""
    own = described.model_dump(mode="json", include={"classes", "input", "trunk", "head"})
    return settings_hash(described.training.get("config", own))
