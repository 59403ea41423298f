"""``spinexplain train``: a cohort in, a model bundle out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    preset: Annotated[str, typer.Argument(metavar="PRESET", help="Preset's name or a .toml file.")],
    cohort: Annotated[Path, typer.Argument(metavar="COHORT", help="What `prepare` wrote.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="RUN", help="Folder of the run.")],
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an interrupted run stopped.")
    ] = False,
    split: Annotated[
        str, typer.Option("--split", help="Which split of the cohort to learn from.")
    ] = "training",
    seed: Annotated[
        int | None, typer.Option("--seed", help="Replaces the preset's seed. Same seed, same bits.")
    ] = None,
) -> None:
    """Train a model on a cohort: baseline, protopnet or protoverse.

    Writes RUN/config.json, RUN/log.csv, checkpoints and RUN/bundle, which
    `grade --model RUN/bundle` takes. A tenth of the subjects is set aside for validation.

    Example: spinexplain train protoverse cohort -o run
    """
    from spinexplain.cli.training import train_to_bundle

    figures = train_to_bundle(preset, cohort, out, resume=resume, split=split, seed=seed)
    shown = ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
    typer.echo(f"validation: {shown}")
    typer.echo(f"model: {out / 'bundle'}")
