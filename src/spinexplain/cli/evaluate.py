"""``spinexplain evaluate``: how good a model's grades are on a cohort."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import CohortPath, Force, Seed


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
    figures = evaluate_to_folder(model, cohort, out, split=split, seed=seed, force=force)
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


def evaluate_to_folder(
    model: str, cohort: Path, out: Path, *, split: str, seed: int, force: bool
) -> dict[str, dict[str, dict[str, float]]]:
    """Evaluate and write everything, complete or not at all; return the figures.

    Raises
    ------
    SpinexplainError
        If model, cohort, split or output folder are wrong.
    """
    from spinexplain.cli.progress import shown_stages
    from spinexplain.data.cohort import Cohort
    from spinexplain.evaluate.predictions import write_predictions
    from spinexplain.experiment.evaluation import evaluate_model
    from spinexplain.io.files import output_folder
    from spinexplain.report.evaluation_page import write_evaluation_page
    from spinexplain.ui.plots import confusion_png, reliability_png

    opened = Cohort.open(cohort)
    with output_folder(out, force=force) as folder, shown_stages(cohort.name, total=2) as stage:
        with stage("grade"):
            found = evaluate_model(model, opened, split, seed)
        with stage("write"):
            write_predictions(found.table, folder / "predictions.parquet")
            text = json.dumps(found.figures, indent=1, allow_nan=False)
            (folder / "figures.json").write_text(text + "\n", "utf-8")
            confusion_png(found.figures, folder / "confusion.png")
            reliability_png(found.figures, folder / "reliability.png")
            write_evaluation_page(found.figures, found.table, found.crops_hu, folder)
    return found.figures
