"""``spinexplain localize``: centers of the vertebrae in a bare CT."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import CtPath, FirstLevel, Force, Series
from spinexplain.cli.progress import shown_stages
from spinexplain.jobs.localize import LocalizeRequest, localize_to_json
from spinexplain.texts.printable import printable

STAGES = 3


def command(
    ct: CtPath,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="JSON", help="File to write.")],
    first_level: FirstLevel = None,
    series: Series = None,
    force: Force = False,
) -> None:
    """Find the vertebrae of CT and write their body centers, as --centroids takes them.

    Names are counted from sacrum or first rib; where neither is in view, or the names are not
    sure, it says so and how to correct them.

    Example: spinexplain localize ct.nii.gz -o ctd.json
    """
    request = LocalizeRequest(ct, out, first_level, series, force)
    with shown_stages(ct.name, STAGES) as progress:
        words = localize_to_json(request, progress)
    for sentence in words:
        typer.echo(sentence)
    typer.echo(f"written: {printable(str(out))}")
