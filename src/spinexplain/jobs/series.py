"""Which DICOM series a folder or zip holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from spinexplain.errors import FileFormatError

if TYPE_CHECKING:
    from spinexplain.io.dicom import SeriesInfo


def series_of(ct: Path) -> list[SeriesInfo]:
    """List the DICOM series of a folder or zip; no pixels are read.

    Raises
    ------
    FileFormatError
        If it cannot be read, or holds no DICOM files.
    """
    from spinexplain.io.dicom import list_series
    from spinexplain.io.files import unreadable

    try:
        found = list_series(ct)
    except OSError as error:
        raise unreadable(ct, error) from None
    if not found:
        raise FileFormatError(f"{ct}: holds no DICOM files. Check the path.")
    return found
