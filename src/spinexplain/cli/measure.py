"""``spinexplain measure``: heights only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import (
    BodyPath,
    CtPath,
    FirstLevel,
    Force,
    LabelScheme,
    LabelsPath,
    Series,
)
from spinexplain.cli.progress import shown_stages
from spinexplain.jobs.measure import MeasureRequest, measure_to_csv
from spinexplain.texts.printable import printable


def command(
    ct: CtPath,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="CSV", help="Table to write.")],
    labels: LabelsPath = None,
    body: BodyPath = None,
    first_level: FirstLevel = None,
    series: Series = None,
    label_scheme: LabelScheme = None,
    force: Force = False,
) -> None:
    """Measure the vertebral bodies of a CT: heights, height loss with its interval, shape.

    Without a mask the localizer paints the bodies. Writes one row a vertebra. The bands are
    height-loss classes, not Genant grades, which are a reader's judgement.

    Example: spinexplain measure ct.nii.gz --labels vertebrae.nii.gz -o heights.csv
    """
    request = MeasureRequest(
        ct, labels, out, body, series, label_scheme, force, first_level=first_level
    )
    with shown_stages(ct.name, total=3) as progress:
        measured, left_out = measure_to_csv(request, progress)
    typer.echo(f"measured {measured} vertebrae: {printable(str(out))}")
    if left_out:
        typer.echo(f"not measured: {', '.join(left_out)}")
