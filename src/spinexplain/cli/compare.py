"""``spinexplain compare``: prototypes beside class activation maps, as a figure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import (
    BodyPath,
    CentroidsPath,
    CtPath,
    Force,
    LabelScheme,
    LabelsPath,
    Series,
)
from spinexplain.cli.progress import shown_stages
from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.jobs.compare import CompareRequest, compare_to_figure
from spinexplain.jobs.grade import GradeRequest
from spinexplain.texts.printable import printable


def command(
    ct: CtPath,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FIGURE", help="A .png, .pdf or .svg file.")
    ],
    level: Annotated[
        list[str], typer.Option("--level", help="Vertebra to show, such as L2; repeat for more.")
    ],
    labels: LabelsPath = None,
    centroids: CentroidsPath = None,
    model: Annotated[
        str, typer.Option("--model", help="A prototype model: bundle folder or shipped model.")
    ] = DEFAULT_MODEL,
    beside: Annotated[
        str | None,
        typer.Option(
            "--beside", help="The model whose CAMs are shown, such as a baseline; else the same."
        ),
    ] = None,
    body: BodyPath = None,
    series: Series = None,
    label_scheme: LabelScheme = None,
    theme: Annotated[str, typer.Option("--theme", help="light or dark.")] = "light",
    force: Force = False,
) -> None:
    """Draw the evidence of chosen vertebrae: this looks like that, beside GradCAM and its kin.

    Example: spinexplain compare ct.nii.gz --labels m.nii.gz --level L2 --level T9 -o figure.png
    """
    scan = GradeRequest(
        ct=ct,
        out=out,
        labels=labels,
        centroids=centroids,
        body=body,
        series=series,
        label_scheme=label_scheme,
        force=force,
    )
    request = CompareRequest(scan, tuple(level), model, beside, theme)
    with shown_stages(ct.name, 4) as progress:
        made = compare_to_figure(request, progress)
    typer.echo(", ".join(f"{level.value} {found.grading.grade}" for level, found in made))
    typer.echo(f"figure: {printable(str(out))}")
