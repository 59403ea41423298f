"""One fold of one entry: trained, judged on what was held out, and written."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinexplain.evaluate.predictions import (
    Origin,
    read_predictions,
    settings_hash,
    write_predictions,
)
from spinexplain.experiment.entries import Entry
from spinexplain.experiment.prediction import predicted
from spinexplain.experiment.prototype_figures import prototype_story
from spinexplain.experiment.shared_phase import classifier_key, keep, lend
from spinexplain.io.files import atomic_file, sha256_file
from spinexplain.models.checkpoint import save_bundle
from spinexplain.models.grader import Scope
from spinexplain.models.prototype import PrototypeNet
from spinexplain.train.dataset import TrainingSet
from spinexplain.train.package import Statement, bundle_of
from spinexplain.train.recipes import train_model
from spinexplain.train.run import Trained

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class FoldedData:
    """A labelled set with the fold of every row.

    Parameters
    ----------
    data : TrainingSet
    fold : ndarray of int, shape (n,)
    sha256 : str
        Hash of the cohort's index.
    """

    data: TrainingSet
    fold: np.ndarray
    sha256: str


def fold_folder(out: Path, entry: Entry, fold: int) -> Path:
    """Return where one fold of one entry lies."""
    return out / "runs" / entry.name / f"fold-{fold}"


def is_done(folder: Path) -> bool:
    """Return whether a fold was finished; its record is written last."""
    return (folder / "fold.json").is_file()


def run_fold(
    entry: Entry, folded: FoldedData, fold: int, out: Path, progress: Progress | None = None
) -> Path:
    """Train an entry without a fold, judge it on the fold, write everything; return the folder.

    Nothing is done where the fold was finished before.
    """
    folder = fold_folder(out, entry, fold)
    if is_done(folder):
        return folder
    training = folded.data.take(folded.fold != fold)
    held_out = folded.data.take(folded.fold == fold)
    store, key = out / "shared", classifier_key(entry.config, f"{folded.sha256} fold {fold}")
    shared = lend(store, key, folder)
    trained = train_model(entry.config, training, folder, resume=True, progress=progress)
    keep(store, key, folder)
    statement = Statement(
        name=f"{entry.name}-fold-{fold}",
        version="1",
        trained_on=f"{len(trained.data)} vertebrae, all folds of an experiment but {fold}",
        scope=Scope(),
    )
    save_bundle(bundle_of(trained, statement), folder / "bundle", force=True)
    bundle_sha256 = sha256_file(folder / "bundle" / "manifest.json")
    origin = Origin(entry.name, bundle_sha256, folded.sha256, entry.sha256)
    config = entry.config
    table = predicted(trained.model, held_out, config.input, config.task, origin, fold)
    write_predictions(table, folder / "predictions.parquet")
    _write(folder / "prototypes.json", _story(trained, held_out, folder))
    record = {
        "entry": entry.name,
        "fold": fold,
        "config_sha256": entry.sha256,
        "data_sha256": folded.sha256,
        "bundle_sha256": bundle_sha256,
        "classifier_key": key,
        "classifier_shared": shared,
        "trained_on": len(trained.data),
        "held_out": len(held_out),
        "steps": entry.steps,
        "validation": trained.figures,
    }
    _write(folder / "fold.json", record)
    return folder


def _story(trained: Trained, held_out: TrainingSet, folder: Path) -> dict[str, Any]:
    if not isinstance(trained.model, PrototypeNet):
        return {}
    history = json.loads((folder / "validation.json").read_text("utf-8"))
    best = next(
        entry["after"]
        for entry in history
        if entry["f1"] == trained.figures["f1"] and entry["after"].startswith("round-")
    )
    # The state before projection: after the joint phase, or the warm one where that is empty.
    kept = (folder / f"{name}.ckpt" for name in (best.replace("round", "joint"), "warm"))
    return prototype_story(trained, held_out, next((p for p in kept if p.is_file()), None))


def _write(path: Path, content: Any) -> None:
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def pooled_predictions(out: Path, entry: Entry, folds: int) -> pd.DataFrame:
    """Put the held-out predictions of all folds under one another."""
    import pandas as pd

    parts = [
        read_predictions(fold_folder(out, entry, fold) / "predictions.parquet")
        for fold in range(folds)
    ]
    return pd.concat(parts, ignore_index=True)


def plan_hash(entries: list[Entry], folded: FoldedData, folds: int, seed: int) -> str:
    """Hash what an experiment consists of."""
    return settings_hash([[e.name, e.sha256] for e in entries] + [folded.sha256, folds, seed])
