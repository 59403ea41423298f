"""``spinexplain segment``: bodies of the vertebrae in a bare CT."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import CtPath, FirstLevel, Force, Series
from spinexplain.cli.progress import shown_stages
from spinexplain.jobs.localize import LocalizeRequest, segment_to_nifti
from spinexplain.texts.printable import printable

STAGES = 3


def command(
    ct: CtPath,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="NIFTI", help="File to write.")],
    first_level: FirstLevel = None,
    series: Series = None,
    force: Force = False,
) -> None:
    """Find the vertebrae of CT and write their bodies as a mask, on the grid of CT.

    Labels are VerSe's. It says which masks are not good enough to measure heights on.

    Example: spinexplain segment ct.nii.gz -o mask.nii.gz
    """
    request = LocalizeRequest(ct, out, first_level, series, force)
    with shown_stages(ct.name, STAGES) as progress:
        words = segment_to_nifti(request, progress)
    for sentence in words:
        typer.echo(sentence)
    typer.echo(f"written: {printable(str(out))}")
