"""Names as they may be shown: file names and DICOM tags without control characters."""

from __future__ import annotations


def printable(name: str) -> str:
    r"""Replace what a file name may hold but no text should: controls and broken bytes.

    Examples
    --------
    >>> printable("ct\n1\udcff.nii")
    'ct?1?.nii'
    """
    return "".join(char if char.isprintable() else "?" for char in name)
