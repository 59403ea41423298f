"""``spinexplain crossval``: several trainings compared on the same folds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import Device, Folds, Jobs, ResumableFolder, Seed, SoFar
from spinexplain.cli.progress import shown_stages
from spinexplain.jobs.crossval import CrossvalRequest, crossval_to_folder, in_words


def command(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="PRESET... COHORT",
            help="Presets or .toml files, each with overrides if you like "
            "(protoverse:loss.lambda_div=0,as=no-diversity), then what `prepare` wrote.",
        ),
    ],
    out: ResumableFolder,
    folds: Folds = 5,
    seed: Seed = 0,
    jobs: Jobs = 1,
    so_far: SoFar = False,
    device: Device = "cpu",
) -> None:
    """Compare trainings by cross-validation on the training split, by subject.

    Every preset is trained on every fold with its own settings and judged on what was held
    out; then intervals and tests on the differences. May be stopped at any time; the same
    command goes on where it stopped. Presets that begin with the same classifier share it.

    Example: spinexplain crossval baseline protoverse cohort --folds 5 -o comparison
    """
    *presets, cohort = arguments
    request = CrossvalRequest(tuple(presets), Path(cohort), out, folds, seed, jobs, so_far, device)
    with shown_stages("trainings", len(presets) * folds) as progress:
        results = crossval_to_folder(request, progress)
    typer.echo(in_words(results))
    typer.echo(f"results: {out / 'results.json'}")
