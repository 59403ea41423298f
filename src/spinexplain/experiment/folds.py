"""One fold of one entry: trained, judged on what was held out, and written."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinexplain.config.entries import Entry
from spinexplain.config.settings_hash import settings_hash
from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.evaluate.predictions import (
    Origin,
    read_predictions,
    write_predictions,
)
from spinexplain.experiment.prediction import predicted
from spinexplain.experiment.prototype_figures import prototype_story
from spinexplain.experiment.shared_phase import classifier_key, keep, take
from spinexplain.io.files import sha256_file
from spinexplain.io.json_file import write_json
from spinexplain.models.bundle.store import save_bundle
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.models.trunks.backbones import bypassing
from spinexplain.progress import SILENT, Progress
from spinexplain.train.grading.package import Statement, bundle_of, scope_of
from spinexplain.train.grading.recipes import train_model
from spinexplain.train.grading.run import Trained

if TYPE_CHECKING:
    import pandas as pd


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
    entry: Entry,
    folded: FoldedData,
    fold: int,
    out: Path,
    progress: Progress = SILENT,
    device: str = "cpu",
) -> Path:
    """Train an entry without a fold, judge it on the fold, write everything; return the folder.

    Nothing is done where the fold was finished before.
    """
    folder = fold_folder(out, entry, fold)
    if is_done(folder):
        return folder
    training = folded.data.take(folded.fold != fold)
    held_out = folded.data.take(folded.fold == fold)
    data_key = f"{folded.sha256} fold {fold}"
    chosen = best_candidate(entry, training, out / "shared", data_key, folder, progress, device)
    trained, config = chosen.trained, chosen.trained.config
    statement = Statement(
        name=f"{entry.name}-fold-{fold}",
        version="1",
        trained_on=f"{len(trained.data)} vertebrae, all folds of an experiment but {fold}",
        scope=scope_of(trained),
    )
    save_bundle(bundle_of(trained, statement), folder / "bundle", force=True)
    bundle_sha256 = sha256_file(folder / "bundle" / "manifest.json")
    origin = Origin(entry.name, bundle_sha256, folded.sha256, entry.sha256)
    with _on_features(trained, held_out):
        table = predicted(trained.model, held_out, config.input, config.task, origin, fold)
        story = _story(trained, held_out, chosen.folder)
    write_predictions(table, folder / "predictions.parquet")
    _write(folder / "prototypes.json", story)
    record = {
        "entry": entry.name,
        "fold": fold,
        "config_sha256": entry.sha256,
        "data_sha256": folded.sha256,
        "bundle_sha256": bundle_sha256,
        "classifier_key": chosen.classifier_key,
        "classifier_shared": chosen.classifier_shared,
        "candidates": list(chosen.validation_f1),
        "chosen": chosen.number,
        "trained_on": len(trained.data),
        "held_out": len(held_out),
        "steps": entry.steps,
        "validation": trained.figures,
    }
    _write(folder / "fold.json", record)
    return folder


@dataclass(frozen=True, eq=False)
class Chosen:
    """The candidate of an entry that was best on a fold's validation subjects.

    Parameters
    ----------
    trained : Trained
    folder : Path
        Its run.
    number : int
        Its place among the candidates.
    validation_f1 : tuple of float
        Class-average F1 of every candidate on validation.
    classifier_key : str
    classifier_shared : bool
        Whether its classifier phase had been trained for another run.
    """

    trained: Trained
    folder: Path
    number: int
    validation_f1: tuple[float, ...]
    classifier_key: str
    classifier_shared: bool


def best_candidate(
    entry: Entry,
    training: TrainingSet,
    store: Path,
    data_key: str,
    folder: Path,
    progress: Progress = SILENT,
    device: str = "cpu",
) -> Chosen:
    """Train every candidate and return the best by class-average F1 on validation.

    The first of equally good ones. What is held out is not looked at. A single candidate's
    run is ``folder`` itself, those of several are ``folder/candidate-<k>``.
    """
    best: Chosen | None = None
    scores: list[float] = []
    for number, config in enumerate(entry.candidates):
        run = folder / f"candidate-{number}" if entry.others else folder
        key = classifier_key(config, data_key)
        shared = take(store, key, run)
        trained = train_model(config, training, run, resume=True, progress=progress, device=device)
        keep(store, key, run)
        scores.append(trained.figures["f1"])
        if best is None or scores[-1] > scores[best.number]:
            best = Chosen(trained, run, number, (), key, shared)
    assert best is not None
    return replace(best, validation_f1=tuple(scores))


def _on_features(trained: Trained, held_out: TrainingSet) -> AbstractContextManager[None]:
    """Let the model run on held features, where the data have them."""
    if held_out.features is None or not isinstance(trained.model, PrototypeNet):
        return nullcontext()
    return bypassing(trained.model.trunk)


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
    write_json(path, content)


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
