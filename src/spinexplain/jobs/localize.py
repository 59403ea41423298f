"""Vertebrae of a bare CT as files: centers, or masks of the bodies."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spinexplain.errors import OutputError
from spinexplain.progress import SILENT, Progress
from spinexplain.texts.printable import printable

if TYPE_CHECKING:
    from spinexplain.localizer.own import Found
    from spinexplain.types import Volume


@dataclass(frozen=True)
class LocalizeRequest:
    """What ``localize`` and ``segment`` are asked for; paths as the user gave them.

    Parameters
    ----------
    ct : Path
        NIfTI file, DICOM folder or zip of a DICOM series.
    out : Path
        File to write: JSON or NIfTI.
    first_level : str, optional
        What the uppermost vertebra is.
    series : str, optional
    force : bool
    """

    ct: Path
    out: Path
    first_level: str | None = None
    series: str | None = None
    force: bool = False


def localize_to_json(request: LocalizeRequest, progress: Progress = SILENT) -> list[str]:
    """Find the vertebrae of a CT and write their centers as ``--centroids`` takes them.

    Returns
    -------
    list of str
        What was found, and what is not sure, as sentences.

    Raises
    ------
    SpinexplainError
        If the CT cannot be read or shows no thoracic or lumbar spine, or ``out`` exists.
    """
    from spinexplain.io.centroids import write_centroids

    found, volume = _find(request, progress, bodies=False)
    with progress.stage("write"):
        write_centroids(request.out, found.vertebrae, volume)
    return _words(found, request, "localize")


def segment_to_nifti(request: LocalizeRequest, progress: Progress = SILENT) -> list[str]:
    """Find the vertebrae of a CT and write their bodies as a mask on its grid.

    The mask holds VerSe labels, bodies only.

    Returns
    -------
    list of str
        What was found, which masks are not good enough to measure on, and what is not sure.

    Raises
    ------
    SpinexplainError
        If the CT cannot be read or shows no thoracic or lumbar spine, or ``out`` exists or is
        no name of a NIfTI file.
    """
    from spinexplain.io.nifti import write_nifti
    from spinexplain.spine.grids import match_grid
    from spinexplain.texts.catalogue import load_catalogue

    if not request.out.name.lower().endswith((".nii", ".nii.gz")):
        raise OutputError(f"{request.out}: a mask is a NIfTI file. Name it *.nii.gz or *.nii.")
    found, volume = _find(request, progress, bodies=True)
    assert found.bodies is not None
    with progress.stage("write"):
        mask = match_grid(found.bodies.labels, volume)
        write_nifti(request.out, mask.array, mask.affine)
    say = load_catalogue()
    doubts = [
        say("localize.doubt", level=level.value, reason=say.flag(flag))
        for level, flag in found.bodies.doubts.items()
    ]
    return [*_words(found, request, "segment"), *doubts]


def _find(request: LocalizeRequest, progress: Progress, bodies: bool) -> tuple[Found, Volume]:
    from spinexplain.io.files import check_new_file
    from spinexplain.io.read import read_scan
    from spinexplain.localizer.own import find_vertebrae

    check_new_file(request.out, request.force)
    with progress.stage("read"):
        volume = read_scan(request.ct, series=request.series)
    with progress.stage("localize"):
        found = find_vertebrae(volume, request.first_level, bodies=bodies)
    return found, volume


def _words(found: Found, request: LocalizeRequest, job: str) -> list[str]:
    from spinexplain.findings.naming import found_words
    from spinexplain.texts.catalogue import load_catalogue

    level = found.next_level
    command = "" if level is None else command_line(request, job, level.value)
    return found_words(found, load_catalogue(), command)


def command_line(request: LocalizeRequest, job: str, first_level: str) -> str:
    """Return the command that does the same under another first level, with file names only.

    Examples
    --------
    >>> command_line(LocalizeRequest(Path("in/ct.nii.gz"), Path("ctd.json")), "localize", "L1")
    'spinexplain localize ct.nii.gz --first-level L1 -o ctd.json'
    """
    name = request.ct.name if request.ct.name.endswith((".nii", ".nii.gz")) else "CT"
    words = ["spinexplain", job, name, "--first-level", first_level]
    words += ["--series", request.series] if request.series else []
    return printable(shlex.join([*words, "-o", request.out.name]))
