"""Several trainings of one preset on every training set, tested on every test set."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinexplain.config.training import TrainConfig
from spinexplain.errors import ConfigError, OutputError
from spinexplain.experiment.trials_result import TrialsResult, collect, write_result
from spinexplain.experiment.trials_scores import (
    GradedBoxes,
    class_sizes,
    height_losses,
    scores_of,
    store_scores,
)
from spinexplain.experiment.trials_sources import Source, check_apart, read_source
from spinexplain.io.files import atomic_file
from spinexplain.progress import SILENT, Progress

if TYPE_CHECKING:
    from spinexplain.train.grading.run import Trained


@dataclass(frozen=True)
class Trials:
    """What is trained and tested.

    Parameters
    ----------
    config : TrainConfig
        With two classes; its seed is the first run's.
    train, test : sequence of Source
    seeds : int
        Runs on each training set.
    out : Path
        ``runs/`` (each with its ``bundle/``), ``predictions/``, ``result.json``, ``table.md``.
    progress : Progress
    device : str
        ``"cpu"`` or ``"cuda"``, for gradient descent.
    """

    config: TrainConfig
    train: Sequence[Source]
    test: Sequence[Source]
    seeds: int
    out: Path
    progress: Progress = field(default=SILENT, compare=False)
    device: str = "cpu"


def run_trials(trials: Trials) -> TrialsResult:
    """Train what is not trained yet, test what is not tested yet, and write the table.

    A stopped experiment goes on where it stopped: every run resumes from its checkpoint,
    and one whose predictions are there is not touched.

    Parameters
    ----------
    trials : Trials

    Returns
    -------
    TrialsResult

    Raises
    ------
    ConfigError
        If the task has not two classes, names occur twice, or a scan is on both sides.
    OutputError
        If ``out`` holds an experiment with other settings.

    Notes
    -----
    Table 1 of Interpretable Vertebral Fracture Diagnosis: mean and standard deviation over
    separate trainings, which differ in their seed alone.
    """
    _check(trials)
    boxes = GradedBoxes(trials.config)
    _read_all(trials, boxes)
    _take_up(trials)
    for test in trials.test:
        path = _path(trials, "heights", test.name)
        if not path.is_file():
            known = {part: height_losses(boxes.of(part)) for part in test.parts}
            store_scores(path, boxes, test, known)
    for seed in _seeds(trials):  # stopped early, all training sets have as many runs
        for source in trials.train:
            _one_run(trials, boxes, source, seed)
    names = [[source.name for source in side] for side in (trials.train, trials.test)]
    sizes = {source.name: class_sizes(source, trials.config) for source in trials.train}
    result = replace(collect(trials.out / "predictions", trials.config, *names), training=sizes)
    write_result(result, trials.out)
    return result


def _seeds(trials: Trials) -> range:
    return range(trials.config.seed, trials.config.seed + trials.seeds)


def _one_run(trials: Trials, boxes: GradedBoxes, source: Source, seed: int) -> None:
    key = f"{source.name}--seed{seed}"
    missing = [test for test in trials.test if not _path(trials, key, test.name).is_file()]
    if not missing:
        return
    from spinexplain.train.grading.recipes import train_model

    config = trials.config.model_copy(update={"seed": seed})
    run = trials.out / "runs" / key
    data = read_source(source, config.input.axes, config.input.body_height_mm)
    trained = train_model(
        config, data, run, resume=True, progress=trials.progress, device=trials.device
    )
    _save(trained, source, run)
    scores = scores_of(trained, boxes, missing)
    for test in missing:
        store_scores(_path(trials, key, test.name), boxes, test, scores)


def _save(trained: Trained, source: Source, run: Path) -> None:
    """Save a run as a bundle, to be dissected, graded with and exported like any other."""
    from spinexplain.models.bundle.store import save_bundle
    from spinexplain.train.grading.package import PHANTOM_LICENCE, Statement, bundle_of, scope_of

    synthetic = trained.data.synthetic
    kind = "synthetic spines only" if synthetic else "patients' CTs"
    split = source.split or "all splits"
    statement = Statement(
        name=f"{trained.config.name}-{run.name}",
        version="1",
        trained_on=f"{len(trained.data)} vertebrae of {kind} (cohort {source.name}, {split})",
        scope=scope_of(trained),
        data_licence=PHANTOM_LICENCE if synthetic else "",
    )
    save_bundle(bundle_of(trained, statement), run / "bundle", force=True)


def _path(trials: Trials, key: str, test: str) -> Path:
    return trials.out / "predictions" / f"{key}--{test}.parquet"


def _check(trials: Trials) -> None:
    if len(trials.config.classes) != 2:
        raise ConfigError(
            f"{trials.config.name} has {len(trials.config.classes)} classes; trials expects "
            "two. Put several grades into one class under [grades]."
        )
    for side in (trials.train, trials.test):
        names = [source.name for source in side]
        if not names or len(set(names)) != len(names):
            raise ConfigError(
                f"the cohorts are called {', '.join(names) or 'nothing'}; expected different "
                "names. Rename a cohort's folder."
            )
    check_apart(trials.train, trials.test)


def _read_all(trials: Trials, boxes: GradedBoxes) -> None:
    """Refuse cohorts without what is needed of them before anything is written."""
    for source in dict.fromkeys(part for test in trials.test for part in test.parts):
        boxes.of(source)
    for source in trials.train:
        class_sizes(source, trials.config)


def _take_up(trials: Trials) -> None:
    settings: dict[str, Any] = {
        "config": trials.config.model_dump(mode="json"),
        "train": {source.name: source.described() for source in trials.train},
        "test": {source.name: source.described() for source in trials.test},
    }
    path = trials.out / "trials.json"
    text = json.dumps(settings, indent=1, sort_keys=True) + "\n"
    if path.is_file() and path.read_text("utf-8") != text:
        raise OutputError(
            f"{trials.out} holds trials with other settings (trials.json); expected the same "
            "preset and cohorts. Choose another folder."
        )
    trials.out.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as temporary:
        temporary.write_text(text, "utf-8")
