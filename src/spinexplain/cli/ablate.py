"""``spinexplain ablate``: what a setting is worth."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from spinexplain.cli.options import CohortPath, Device, Folds, Jobs, ResumableFolder, Seed, SoFar
from spinexplain.cli.progress import shown_stages
from spinexplain.jobs.ablate import AblateRequest, ablate_to_folder, designed


class Grid(StrEnum):
    """How several factors are combined."""

    one = "one"
    full = "full"


def command(
    cohort: CohortPath,
    over: Annotated[
        list[str],
        typer.Option(
            "--over",
            metavar="KEY=V1,V2",
            help="prototypes, lambda_div, weighting, backbone, input, init, loss, or any dotted "
            "setting; may be given several times.",
        ),
    ],
    out: ResumableFolder,
    preset: Annotated[
        str, typer.Option("--preset", help="What is varied; a preset or .toml, with overrides.")
    ] = "protoverse-unaddressed",
    grid: Annotated[
        Grid, typer.Option("--grid", help="one: each key alone; full: all combinations.")
    ] = Grid.one,
    frozen_trunk: Annotated[
        bool,
        typer.Option("--frozen-trunk", help="Compare heads on the features of one classifier."),
    ] = False,
    folds: Folds = 5,
    seed: Seed = 0,
    jobs: Jobs = 1,
    seeds: Annotated[
        int,
        typer.Option(
            "--seeds",
            min=1,
            help="Train the preset this often with other seeds; what that changes is noise.",
        ),
    ] = 3,
    so_far: SoFar = False,
    device: Device = "cpu",
) -> None:
    """Vary settings of a preset and compare by cross-validation.

    May be stopped at any time; the same command goes on where it stopped.

    Example: spinexplain ablate cohort --over prototypes=2,3,4,5 --over lambda_div=0,0.3 -o ablation
    """
    request = AblateRequest(
        cohort=cohort,
        over=tuple(over),
        out=out,
        preset=preset,
        full_grid=grid is Grid.full,
        frozen_trunk=frozen_trunk,
        folds=folds,
        seed=seed,
        jobs=jobs,
        seeds=seeds,
        so_far=so_far,
        device=device,
    )
    made = designed(request)
    with shown_stages("trainings", len(made.trained) * folds) as progress:
        text = ablate_to_folder(request, made, progress)
    typer.echo(text)
    typer.echo(f"results: {out / 'results.json'}")
