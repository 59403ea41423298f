"""``spinexplain ablate``: what a setting is worth."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spinexplain.cli.options import CohortPath, Folds, Jobs, ResumableFolder, Seed, SoFar

if TYPE_CHECKING:
    from spinexplain.experiment.ablation import Design


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
    ] = "protoverse",
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
    so_far: SoFar = False,
) -> None:
    """Vary settings of a preset and compare by cross-validation.

    May be stopped at any time; the same command goes on where it stopped.

    Example: spinexplain ablate cohort --over prototypes=2,3,4,5 --over lambda_div=0,0.3 -o ablation
    """
    from spinexplain.experiment.ablation import ablation_results
    from spinexplain.experiment.crossval_results import results_markdown
    from spinexplain.io.files import atomic_file

    made = designed(preset, over, grid, frozen_trunk)
    if so_far:
        results = ablation_results(made, out, seed, so_far=True)
    else:
        results = ablate_to_folder(made, cohort, out, folds=folds, seed=seed, jobs=jobs)
    text = f"{results['factors']['how']}\n\n{results_markdown(results)}"
    with atomic_file(out / "summary.md") as temporary:
        temporary.write_text(text, "utf-8")
    typer.echo(text)
    typer.echo(f"results: {out / 'results.json'}")


def designed(preset: str, over: Sequence[str], grid: Grid, frozen_trunk: bool) -> Design:
    """Return the entries to compare: a preset with each factor alone, or all of them crossed.

    Raises
    ------
    ConfigError
        If preset or factors are wrong.
    """
    from spinexplain.config.entries import parse_config_text
    from spinexplain.experiment.ablation import design, parse_factor, with_frozen_trunk

    factors = [parse_factor(text) for text in over]
    base = parse_config_text(preset)
    if frozen_trunk:
        base = with_frozen_trunk(base)
    return design(base, factors, grid is Grid.full, preset)


def ablate_to_folder(
    made: Design, cohort: Path, out: Path, *, folds: int, seed: int, jobs: int
) -> dict[str, Any]:
    """Train and judge every entry by cross-validation, as far as the folder has not got yet.

    Raises
    ------
    SpinexplainError
        If cohort or folder are wrong.
    """
    from spinexplain.cli.crossval import shown_trainings
    from spinexplain.data.cohort import Cohort
    from spinexplain.experiment.ablation import ablate

    opened = Cohort.open(cohort)
    with shown_trainings(len(made.entries) * folds) as progress:
        return ablate(opened, made, out, folds, seed, jobs, progress)
