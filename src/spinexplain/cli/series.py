"""``spinexplain series``: what DICOM series a folder or zip holds."""

from __future__ import annotations

import typer

from spinexplain.cli.options import CtPath
from spinexplain.texts.printable import printable


def command(ct: CtPath) -> None:
    """List the DICOM series of a folder or zip; the number in front is what --series takes.

    Reads no pixels. Series that can not be read as a CT volume are listed with the reason.

    Example: spinexplain series export/
    """
    from spinexplain.errors import FileFormatError
    from spinexplain.io.dicom import list_series
    from spinexplain.io.files import unreadable

    try:
        found = list_series(ct)
    except OSError as error:
        raise unreadable(ct, error) from None
    if not found:
        raise FileFormatError(f"{ct}: holds no DICOM files. Check the path.")
    for info in found:
        typer.echo(printable(str(info)))
