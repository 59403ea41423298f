"""``spinexplain measure``: heights only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import CtPath, Force, LabelScheme, Series


def command(
    ct: CtPath,
    labels: Annotated[Path, typer.Option("--labels", metavar="MASK", help="Vertebra mask.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="CSV", help="Table to write.")],
    series: Series = None,
    label_scheme: LabelScheme = None,
    force: Force = False,
) -> None:
    """Measure the vertebral bodies of a mask: heights, height loss with its interval, shape.

    Writes one row a vertebra. The bands are height-loss classes, not Genant grades, which
    are a reader's judgement.

    Example: spinexplain measure ct.nii.gz --labels vertebrae.nii.gz -o heights.csv
    """
    from spinexplain.cli.measuring import measure_to_csv
    from spinexplain.cli.progress import shown_stages

    with shown_stages(ct.name, total=3) as stage:
        measured, left_out = measure_to_csv(ct, labels, out, series, label_scheme, force, stage)
    typer.echo(f"measured {measured} vertebrae: {out}")
    if left_out:
        typer.echo(f"not measured: {', '.join(left_out)}")
