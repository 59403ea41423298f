"""``spinexplain train``: a cohort in, a model bundle out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spinexplain.cli.options import CohortPath
from spinexplain.cli.progress import shown_phases

if TYPE_CHECKING:
    from spinexplain.train.grading.package import Statement
    from spinexplain.train.grading.run import Trained


def command(
    preset: Annotated[
        str,
        typer.Argument(
            metavar="PRESET",
            help="Preset's name or a .toml file, with settings if you like "
            "(protoverse:task=fracture).",
        ),
    ],
    cohort: CohortPath,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="RUN", help="Folder of the run.")],
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an interrupted run stopped.")
    ] = False,
    split: Annotated[
        str, typer.Option("--split", help="Which split of the cohort to learn from, or all.")
    ] = "training",
    seed: Annotated[
        int | None, typer.Option("--seed", help="Replaces the preset's seed. Same seed, same bits.")
    ] = None,
    device: Annotated[
        str, typer.Option("--device", help="cpu or cuda, for the phases of gradient descent.")
    ] = "cpu",
    processes: Annotated[
        int, typer.Option("--processes", min=1, help="Processes (GPUs) that share each batch.")
    ] = 1,
    data_licence: Annotated[
        str, typer.Option("--data-licence", metavar="TEXT", help="Told in the model card.")
    ] = "",
    redact_prototypes: Annotated[
        bool,
        typer.Option("--redact-prototypes", help="Keep the prototypes' pixels out of the bundle."),
    ] = False,
) -> None:
    """Train a model on a cohort: baseline, protopnet, protoverse or detector.

    Writes RUN/config.json, RUN/log.csv, checkpoints and RUN/bundle, which
    `grade --model RUN/bundle` takes. A tenth of the subjects is set aside for validation.

    Example: spinexplain train protoverse cohort -o run
    """
    request = TrainRequest(
        preset=preset,
        cohort=cohort,
        out=out,
        resume=resume,
        split=split,
        seed=seed,
        device=device,
        processes=processes,
        data_licence=data_licence,
        redact_prototypes=redact_prototypes,
    )
    figures = train_to_bundle(request)
    if figures is None:
        return
    shown = ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
    typer.echo(f"validation: {shown}")
    typer.echo(f"model: {out / 'bundle'}")


_NO_BFLOAT16 = (
    'The settings ask for precision = "bf16", for which this processor is not made: training runs '
    "in float32."
)


@dataclass(frozen=True)
class TrainRequest:
    """What ``train`` was asked for."""

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


def train_to_bundle(request: TrainRequest) -> dict[str, float] | None:
    """Train by a preset and save the bundle beside the run's log.

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
        masks=config.head.kind != "detector",
        body_height_mm=config.input.body_height_mm,
    )
    known = fingerprint(data)
    if falls_back(config, request.device):
        typer.echo(_NO_BFLOAT16, err=True)
    with shown_phases() as advance:
        trained = train_model(
            config,
            data,
            out,
            resume=request.resume,
            # Processes that help would draw the same bars again.
            progress=lambda *at: advance(*at) if is_first_process() else None,
            device=request.device,
            processes=request.processes,
        )
    if not is_first_process():
        return None
    _remember_cohort(out, request.cohort, _split_of(request), known)
    statement = _statement(request, trained, known)
    save_bundle(bundle_of(trained, statement), out / "bundle", force=True)
    return trained.figures


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
        trained_on=f"{len(trained.data)} vertebrae of {kind} (cohort {cohort}, {split})",
        scope=scope_of(trained),
        training={"cohort": {"name": cohort, "split": _split_of(request), "fingerprint": known}},
        withhold_pixels=request.redact_prototypes,
        data_licence=request.data_licence or (PHANTOM_LICENCE if synthetic else ""),
    )


def _remember_cohort(run: Path, cohort: Path, split: str | None, fingerprint: str) -> None:
    """Note where the run found its cohort, so that `prototypes` finds it too."""
    from spinexplain.io.files import atomic_file
    from spinexplain.train.grading.run_folder import COHORT_FILE

    told = {"path": str(cohort.resolve()), "split": split, "fingerprint": fingerprint}
    with atomic_file(run / COHORT_FILE) as temporary:
        temporary.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
