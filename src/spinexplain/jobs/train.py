"""A cohort in, a model bundle out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spinexplain.errors import SpinexplainError
from spinexplain.progress import SILENT, Progress

if TYPE_CHECKING:
    from spinexplain.config.training import TrainConfig
    from spinexplain.data.cohort import Cohort
    from spinexplain.data.crops.dataset import TrainingSet
    from spinexplain.jobs.corrections import Corrections
    from spinexplain.train.grading.package import Statement
    from spinexplain.train.grading.run import Trained

_NO_BFLOAT16 = (
    'The settings ask for precision = "bf16", for which this processor is not made: training runs '
    "in float32."
)


@dataclass(frozen=True)
class TrainRequest:
    """What ``train`` is asked for.

    Parameters
    ----------
    preset : str
        A preset's name or a TOML file, with overrides.
    cohort, out : Path
    resume : bool
        Whether an interrupted run goes on.
    split : str
        Which split to learn from, or ``all``.
    seed : int, optional
        Replaces the preset's.
    device : {"cpu", "cuda"}
    processes : int
        How many share each batch.
    data_licence : str
        What the model card says of the cohort's licence.
    redact_prototypes : bool
        Whether the prototypes' pixels stay out of the bundle.
    add : tuple of str
        Corrections of readers to learn from as well; see
        :func:`spinexplain.jobs.corrections.read_corrections`.
    """

    preset: str
    cohort: Path
    out: Path
    resume: bool = False
    split: str = "training"
    seed: int | None = None
    device: str = "cpu"
    processes: int = 1
    data_licence: str = ""
    redact_prototypes: bool = False
    add: tuple[str, ...] = ()


def train_to_bundle(request: TrainRequest, progress: Progress = SILENT) -> dict[str, float] | None:
    """Train by a preset and save the bundle beside the run's log.

    Parameters
    ----------
    request : TrainRequest
    progress : Progress
        Hears the phases step by step, from the first process only.

    Returns
    -------
    dict of str to float or None
        Validation figures of the chosen round; None in a process that only helps.

    Raises
    ------
    SpinexplainError
        If preset, cohort or output folder are wrong.
    """
    from spinexplain.config.entries import parse_config_text
    from spinexplain.config.heads import head_of
    from spinexplain.data.cohort import Cohort
    from spinexplain.data.crops.fingerprint import fingerprint
    from spinexplain.data.crops.source import set_from_cohort
    from spinexplain.models.bundle.store import save_bundle
    from spinexplain.train.engine.precision import falls_back
    from spinexplain.train.engine.processes import is_first_process
    from spinexplain.train.grading.package import bundle_of
    from spinexplain.train.grading.recipes import train_model

    config, out = parse_config_text(request.preset), request.out
    if request.seed is not None:
        config = config.model_copy(update={"seed": request.seed})
    cohort = Cohort.open(request.cohort)
    data = set_from_cohort(
        cohort,
        axes=config.input.axes,
        split=_split_of(request),
        masks=head_of(config.head.kind).uses_masks,
        body_height_mm=config.input.body_height_mm,
    )
    known = fingerprint(data)
    if falls_back(config, request.device):
        progress.note(_NO_BFLOAT16)
    corrections, more = _corrected(request, config, cohort, progress)
    trained = train_model(
        config,
        data,
        out,
        resume=request.resume,
        progress=progress,
        device=request.device,
        processes=request.processes,
        more=more,
    )
    if not is_first_process():
        return None
    _remember_cohort(out, request.cohort, _split_of(request), known)
    if corrections is not None:
        _write_changes(request, trained, corrections)
    statement = _statement(request, trained, known)
    save_bundle(bundle_of(trained, statement), out / "bundle", force=True)
    return trained.figures


def _corrected(
    request: TrainRequest, config: TrainConfig, cohort: Cohort, progress: Progress
) -> tuple[Corrections | None, Callable[[TrainingSet, TrainingSet], TrainingSet] | None]:
    """Prepare the corrections, and return how they come among the training crops."""
    from spinexplain.jobs.corrections import read_corrections
    from spinexplain.train.curation.corrections import with_corrections
    from spinexplain.train.grading.run import CORRECTIONS, check_folder

    if not request.add:
        return None, None
    check_folder(request.out, config, request.resume)
    try:
        found = read_corrections(
            request.add,
            request.out / CORRECTIONS,
            config,
            cohort,
            _split_of(request),
            progress,
        )
    except SpinexplainError:
        _drop_corrections(request.out)
        raise

    def more(training: TrainingSet, validation: TrainingSet) -> TrainingSet:
        try:
            return with_corrections(training, validation, found.data, config)
        except SpinexplainError:
            _drop_corrections(request.out)
            raise

    return found, more


def _drop_corrections(out: Path) -> None:
    """Leave nothing of a run that was refused before it began."""
    import shutil

    from spinexplain.train.grading.run import CORRECTIONS

    if out.is_dir() and {path.name for path in out.iterdir()} <= {CORRECTIONS}:
        shutil.rmtree(out)


def _write_changes(request: TrainRequest, trained: Trained, found: Corrections) -> None:
    """Write what the model called each corrected vertebra, the reader, and the model now."""
    from spinexplain.jobs.corrections import write_changes
    from spinexplain.train.curation.corrections import changes
    from spinexplain.train.grading.validate import predict

    config, data = trained.config, found.data
    graded = predict(trained.model, data, config).argmax(axis=1)
    rows = changes(
        data.levels.tolist(),
        data.subjects.tolist(),
        [config.task.class_of(grade) for grade in found.before],
        [config.task.class_of(f"G{grade}") for grade in data.grades],
        [config.classes[index] for index in graded],
    )
    write_changes(request.out, rows)


def _split_of(request: TrainRequest) -> str | None:
    return None if request.split == "all" else request.split


def _statement(request: TrainRequest, trained: Trained, known: str) -> Statement:
    """Say what the model is, what it was trained on and whose data that is."""
    from spinexplain.train.grading.package import PHANTOM_LICENCE, Statement, scope_of

    cohort, split, synthetic = request.cohort.name, request.split, trained.data.synthetic
    kind = "synthetic spines only" if synthetic else "patients' CTs"
    return Statement(
        name=f"{trained.config.name}-{request.out.name}",
        version="1",
        trained_on=f"{len(trained.data)} vertebrae of {kind} (cohort {cohort}, {split}"
        f"{_of_corrections(trained)})",
        scope=scope_of(trained),
        training={"cohort": {"name": cohort, "split": _split_of(request), "fingerprint": known}},
        withhold_pixels=request.redact_prototypes,
        data_licence=request.data_licence or (PHANTOM_LICENCE if synthetic else ""),
    )


def _of_corrections(trained: Trained) -> str:
    added = trained.data.added
    return "" if added is None else f"; {int(added.sum())} of them corrected by readers"


def _remember_cohort(run: Path, cohort: Path, split: str | None, fingerprint: str) -> None:
    """Note where the run found its cohort, so that `prototypes` finds it too."""
    from spinexplain.io.json_file import write_json
    from spinexplain.train.grading.run_folder import COHORT_FILE

    known = {"path": str(cohort.resolve()), "split": split, "fingerprint": fingerprint}
    write_json(run / COHORT_FILE, known)
