"""``spinexplain evaluate``: how good a model's grades are on a cohort."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import CohortPath, Force, Seed
from spinexplain.cli.progress import shown_stages
from spinexplain.jobs.evaluate import EvaluateRequest, evaluate_to_folder


def command(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A shipped model's name, a bundle, or a RUN.")
    ],
    cohort: CohortPath,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder to write.")],
    split: Annotated[
        str, typer.Option("--split", help="training, validation, test, or all.")
    ] = "test",
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Grade a cohort with a model and judge the grades, with intervals.

    Writes predictions.parquet, figures.json, evaluation.html and PNG plots.

    Example: spinexplain evaluate protoverse-phantom cohort --split all -o evaluation
    """
    request = EvaluateRequest(model, cohort, out, split, seed, force)
    with shown_stages(cohort.name, total=3) as progress:
        figures = evaluate_to_folder(request, progress)
    vertebra = figures["vertebra"]
    for name in ("class_average_accuracy", "class_average_f1", "sample_accuracy"):
        found = vertebra[name]
        bounds = (
            f"{found['low']:.3f} to {found['high']:.3f}"
            if found["low"] is not None
            else found["note"]
        )
        typer.echo(f"{name.replace('_', ' ')}: {found['value']:.3f} ({bounds})")
    typer.echo(f"page: {out / 'evaluation.html'}")
