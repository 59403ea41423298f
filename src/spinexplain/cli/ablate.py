"""``spinexplain ablate``: what a setting is worth."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import Jobs, Seed


class Grid(StrEnum):
    """How several factors are combined."""

    one = "one"
    full = "full"


def command(
    cohort: Annotated[Path, typer.Argument(metavar="COHORT", help="What `prepare` wrote.")],
    over: Annotated[
        list[str],
        typer.Option(
            "--over",
            metavar="KEY=V1,V2",
            help="prototypes, lambda_div, weighting, backbone, input, init, loss, or any dotted "
            "setting; may be given several times.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="DIR", help="Folder to write, or to go on with.")
    ],
    preset: Annotated[
        str, typer.Option("--preset", help="What is varied; a preset or .toml, with overrides.")
    ] = "protoverse",
    grid: Annotated[
        Grid, typer.Option("--grid", help="one: each key alone; full: all combinations.")
    ] = Grid.one,
    frozen_trunk: Annotated[
        bool,
        typer.Option("--frozen-trunk", help="Compare heads on the features of one classifier."),
    ] = False,
    folds: Annotated[int, typer.Option("--folds", min=2, help="How many, by subject.")] = 5,
    seed: Seed = 0,
    jobs: Jobs = 1,
    so_far: Annotated[
        bool, typer.Option("--so-far", help="Train nothing; judge the folds that are finished.")
    ] = False,
) -> None:
    """Vary settings of a preset and compare by cross-validation.

    May be stopped at any time; the same command goes on where it stopped.

    Example: spinexplain ablate cohort --over prototypes=2,3,4,5 --over lambda_div=0,0.3 -o ablation
    """
    from spinexplain.cli.crossval import shown_trainings
    from spinexplain.data.cohort import Cohort
    from spinexplain.experiment.ablation import (
        ablate,
        ablation_results,
        design,
        parse_factor,
        with_frozen_trunk,
    )
    from spinexplain.experiment.crossval_results import results_markdown
    from spinexplain.experiment.entries import parse_config_text
    from spinexplain.io.files import atomic_file

    factors = [parse_factor(text) for text in over]
    base = parse_config_text(preset)
    if frozen_trunk:
        base = with_frozen_trunk(base)
    made = design(base, factors, grid is Grid.full, preset)
    if so_far:
        results = ablation_results(made, out, seed, so_far=True)
    else:
        opened = Cohort.open(cohort)
        with shown_trainings(len(made.entries) * folds) as progress:
            results = ablate(opened, made, out, folds, seed, jobs, progress)
    text = f"{results['factors']['how']}\n\n{results_markdown(results)}"
    with atomic_file(out / "summary.md") as temporary:
        temporary.write_text(text, "utf-8")
    typer.echo(text)
    typer.echo(f"results: {out / 'results.json'}")
