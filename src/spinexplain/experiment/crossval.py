"""Cross-validation by subject: every entry on every fold, resumable fold by fold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spinexplain.config.entries import Entry
from spinexplain.data.crops.dataset import TrainingSet, class_labels
from spinexplain.data.crops.source import set_from_cohort
from spinexplain.data.split import assign_folds, write_folds
from spinexplain.errors import ConfigError, OutputError
from spinexplain.evaluate.predictions import data_hash, write_predictions
from spinexplain.experiment.crossval_results import PLAN_SCHEMA
from spinexplain.experiment.folds import (
    FoldedData,
    fold_folder,
    is_done,
    pooled_predictions,
    run_fold,
)
from spinexplain.io.files import atomic_file
from spinexplain.progress import SILENT, Progress
from spinexplain.train.grading.features import keeps_trunk, starting_features
from spinexplain.workers import run_all

if TYPE_CHECKING:
    from spinexplain.data.cohort import Cohort

FROZEN = (
    "No entry changes the trunk: its features were computed once, of the unaugmented crops, and "
    "heads alone are trained and compared."
)


@dataclass(frozen=True)
class Plan:
    """What a cross-validation consists of.

    Parameters
    ----------
    entries : tuple of Entry
        All with the same classes and number of axes.
    folds : int
    seed : int
        Of the fold assignment; every training keeps its own.
    """

    entries: tuple[Entry, ...]
    folds: int = 5
    seed: int = 0


def folded_data(cohort: Cohort, plan: Plan) -> FoldedData:
    """Read the training split (everything where there is none) and spread it over folds.

    Raises
    ------
    ConfigError
        If the entries' tasks differ, or a fold would lack a class.
    """
    first = plan.entries[0].config
    _check_budget(plan.entries)
    for entry in plan.entries:
        if entry.config.input.body_height_mm != first.input.body_height_mm:
            raise ConfigError(
                f"{entry.name} scales crops to bodies of {entry.config.input.body_height_mm} mm, "
                f"{plan.entries[0].name} to {first.input.body_height_mm}; expected the same crops "
                "for all. Run them apart."
            )
        if (entry.config.task, entry.config.input.axes) != (first.task, first.input.axes):
            raise ConfigError(
                f"{entry.name} has the classes {entry.config.classes} on {entry.config.input.axes} "
                f"axes, {plan.entries[0].name} {first.classes} on {first.input.axes}; expected the "
                "same task for all. Run them apart."
            )
    split = "training" if bool((cohort.index["split"] == "training").any()) else None
    whole = set_from_cohort(
        cohort, first.input.axes, split, body_height_mm=first.input.body_height_mm
    )
    data = whole.take(class_labels(whole, first.task) >= 0)
    table = pd.DataFrame({"subject": data.subjects, "grade": data.grades.astype(str)})
    of_subject = assign_folds(table, plan.folds, plan.seed)
    fold = np.array([of_subject[subject] for subject in data.subjects])
    _check_classes(class_labels(data, first.task), fold, data.subjects, first.classes)
    return FoldedData(with_shared_features(data, plan), fold, data_hash(cohort.index))


def _check_budget(entries: Sequence[Entry]) -> None:
    """Refuse to tune one entry more than another."""
    counts = {entry.name: len(entry.candidates) for entry in entries}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise ConfigError(
            f"the entries have different numbers of candidates ({listed}); expected as many for "
            "each, because what is tuned more looks better. Give each as many values with |."
        )


def with_shared_features(data: TrainingSet, plan: Plan) -> TrainingSet:
    """Compute the trunk's features once for all folds, if no entry ever changes the trunk."""
    configs = [config for entry in plan.entries for config in entry.candidates]
    kinds = {
        json.dumps(
            [
                config.trunk.model_dump(mode="json"),
                config.input.model_dump(mode="json"),
                config.loss.inside,
                config.seed if config.trunk.weights == "none" else None,
            ]
        )
        for config in configs
    }
    if len(kinds) > 1 or not all(keeps_trunk(config) for config in configs):
        return data
    return starting_features(plan.entries[0].config, data)


def _check_classes(
    labels: np.ndarray, fold: np.ndarray, subjects: np.ndarray, classes: Sequence[str]
) -> None:
    for index, name in enumerate(classes):
        of_class = labels == index
        lacking = [int(k) for k in np.unique(fold) if not np.any(of_class & (fold == k))]
        if lacking:
            count, people = int(of_class.sum()), len(set(subjects[of_class].tolist()))
            raise ConfigError(
                f"fold {', '.join(map(str, lacking))} holds no {name}: the cohort has {count} "
                f"{name} in {people} subjects, and a subject is never split; expected every class "
                f"in every one of the {len(np.unique(fold))} folds, because class averages need "
                f"all. {_way_out(people, name)}"
            )


def _way_out(people: int, name: str) -> str:
    """Say what to do where a class does not reach every fold."""
    fewer = f"Give --folds {min(people, 3)}, another --seed, or " if people > 1 else "Take "
    return (
        f"{fewer}a cohort with more subjects that have {name}; with a task that joins {name} to "
        "another class (PRESET:task=fracture) it need not stand alone."
    )


def cross_validate(
    cohort: Cohort,
    plan: Plan,
    out: str | Path,
    jobs: int = 1,
    progress: Progress = SILENT,
    device: str = "cpu",
) -> Path:
    """Train every entry on every fold and pool the held-out predictions.

    Finished folds are kept; the same call goes on where it stopped.

    Parameters
    ----------
    cohort : Cohort
    plan : Plan
    out : str or Path
        ``crossval.json``, ``folds.csv``, ``runs/``, ``predictions/<entry>.parquet``.
    jobs : int
        Folds trained at the same time, in processes of their own.
    progress : Progress
        Hears every training as a stage, and its steps; with further processes ``folds``.
    device : str
        ``"cpu"`` or ``"cuda"``, for the phases of gradient descent.

    Raises
    ------
    ConfigError
        If the data do not fit the plan.
    OutputError
        If ``out`` holds another experiment, or a process that trains was killed twice; the
        other folds are finished then.
    """
    out = Path(out)
    folded = folded_data(cohort, plan)
    _claim(out, plan, folded, str(cohort.path.name))
    write_folds(
        out / "folds.csv",
        dict(zip(folded.data.subjects.tolist(), folded.fold.tolist(), strict=True)),
    )
    if jobs == 1:
        for fold in range(plan.folds):
            _all_entries(fold, plan, folded, out, progress, device)
    else:
        _in_processes(plan, folded, out, jobs, progress, device)
    (out / "predictions").mkdir(exist_ok=True)
    for entry in plan.entries:
        table = pooled_predictions(out, entry, plan.folds)
        write_predictions(table, out / "predictions" / f"{entry.name}.parquet")
    return out


def _all_entries(
    fold: int,
    plan: Plan,
    folded: FoldedData,
    out: Path,
    progress: Progress = SILENT,
    device: str = "cpu",
) -> None:
    """Run one fold of all entries one after another, so that they share what is equal."""
    for entry in plan.entries:
        if not is_done(fold_folder(out, entry, fold)):
            with progress.stage(f"{entry.name}, fold {fold + 1} of {plan.folds}"):
                run_fold(entry, folded, fold, out, progress, device)


def _in_processes(
    plan: Plan, folded: FoldedData, out: Path, jobs: int, progress: Progress, device: str
) -> None:
    run_all(
        partial(_all_entries, plan=plan, folded=folded, out=out, device=device),
        range(plan.folds),
        jobs,
        name=lambda fold: f"fold {fold + 1} of {plan.folds}",
        start=_one_thread,
        progress=progress,
        step="folds",
    )


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _candidates(entry: Entry) -> dict[str, Any]:
    """Return what the candidates differ in; nothing for a single one."""
    if not entry.others:
        return {}
    flat = [_flat(config.model_dump(mode="json")) for config in entry.candidates]
    differing = [key for key in flat[0] if len({json.dumps(one[key]) for one in flat}) > 1]
    return {"candidates": [{key: one[key] for key in differing} for one in flat]}


def _flat(content: dict[str, Any], above: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in content.items():
        flat |= _flat(value, f"{above}{key}.") if isinstance(value, dict) else {above + key: value}
    return flat


def _claim(out: Path, plan: Plan, folded: FoldedData, cohort_name: str) -> None:
    """Write what the folder is for, or check that it is for this."""
    described: dict[str, Any] = {
        "schema": PLAN_SCHEMA,
        "cohort": cohort_name,
        "data_sha256": folded.sha256,
        "vertebrae": len(folded.data),
        "subjects": len(set(folded.data.subjects.tolist())),
        "synthetic": folded.data.synthetic,
        "classes": list(plan.entries[0].config.classes),
        "folds": plan.folds,
        "seed": plan.seed,
        "entries": [
            {
                "name": entry.name,
                "config_sha256": entry.sha256,
                "steps": entry.steps,
                "config": entry.config.model_dump(mode="json"),
                **_candidates(entry),
            }
            for entry in plan.entries
        ],
    }
    if folded.data.features is not None:
        described["trunk"] = FROZEN
    path = out / "crossval.json"
    text = json.dumps(described, indent=1) + "\n"
    if path.exists() and path.read_text("utf-8") != text:
        raise OutputError(
            f"{out} holds another cross-validation; expected one of the same entries, folds, seed "
            "and data. Choose another folder, or give the arguments of its crossval.json."
        )
    out.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as temporary:
        temporary.write_text(text, "utf-8")
