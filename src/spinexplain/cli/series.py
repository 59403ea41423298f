"""``spinexplain series``: what DICOM series a folder or zip holds."""

from __future__ import annotations

import typer

from spinexplain.cli.options import CtPath
from spinexplain.jobs.series import series_of
from spinexplain.texts.printable import printable


def command(ct: CtPath) -> None:
    """List the DICOM series of a folder or zip; the number in front is what --series takes.

    Reads no pixels. Series that cannot be read as a CT volume are listed with the reason.

    Example: spinexplain series export/
    """
    for info in series_of(ct):
        typer.echo(printable(str(info)))
