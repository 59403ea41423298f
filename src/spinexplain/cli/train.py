"""``spinexplain train``: a cohort in, a model bundle out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import CohortPath, Device
from spinexplain.cli.progress import shown_steps
from spinexplain.jobs.train import TrainRequest, train_to_bundle


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
    device: Device = "cpu",
    processes: Annotated[
        int, typer.Option("--processes", min=1, help="Processes (GPUs) that share each batch.")
    ] = 1,
    data_licence: Annotated[
        str, typer.Option("--data-licence", metavar="TEXT", help="Stated in the model card.")
    ] = "",
    redact_prototypes: Annotated[
        bool,
        typer.Option("--redact-prototypes", help="Keep the prototypes' pixels out of the bundle."),
    ] = False,
    add: Annotated[
        list[str] | None,
        typer.Option(
            "--add",
            metavar="CORRECTIONS",
            help="VerSe files that the reader exported, to learn from as well; repeat for "
            "several, PATH=SUBJECT to say whose scan it is.",
        ),
    ] = None,
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
        add=tuple(add or ()),
    )
    with shown_steps() as progress:
        figures = train_to_bundle(request, progress)
    if figures is None:
        return
    shown = ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
    typer.echo(f"validation: {shown}")
    typer.echo(f"model: {out / 'bundle'}")
    if add:
        typer.echo(f"what changed for whom: {out / 'corrections.csv'}")
