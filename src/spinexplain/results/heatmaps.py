"""Heat maps on the CT's own lattice, for any viewer of NIfTI files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import ConfigError, OutputError
from spinexplain.findings.rules import suspicion
from spinexplain.findings.scan import ScanFindings, VertebraFindings
from spinexplain.io.nifti import write_nifti
from spinexplain.spine.paint import on_full_grid, painter
from spinexplain.types import Evidence, Explanation

# Level, position of the model in the scan's models, position of the piece of evidence.
HeatmapKey = tuple[VertebraLevel, int, int]

FOLDER = "heatmaps"
CHOICES = ("suspicious", "all", "none")


def write_heatmaps(
    findings: ScanFindings, out: Path, which: str = "suspicious", full_grid: bool = False
) -> dict[HeatmapKey, str]:
    """Paint evidence back on the CT and write one NIfTI file for each piece.

    Parameters
    ----------
    findings : ScanFindings
    out : Path
        An existing folder; the files go into ``heatmaps/`` in it.
    which : str
        ``"suspicious"`` vertebrae, ``"all"`` or ``"none"``.
    full_grid : bool
        Write every map on the whole grid of the CT, instead of on the sub-box that holds
        it (same axes and spacing, shifted origin).

    Returns
    -------
    dict
        Path relative to ``out``, with forward slashes, by level, position of the model
        and position of the evidence in its explanation.

    Raises
    ------
    ConfigError
        If ``which`` is none of the three.
    OutputError
        If a file cannot be written.
    """
    if which not in CHOICES:
        raise ConfigError(
            f"which heat maps to write is {which!r}; expected one of {', '.join(CHOICES)}."
        )
    paths: dict[HeatmapKey, str] = {}
    patch = None
    for key, name, explanation, evidence in _pieces(findings, which):
        _folder(out)
        if explanation.patch is not patch:  # the pieces of one explanation share it
            patch = explanation.patch
            paint = painter(patch.frame, findings.volume)
        painted = paint(evidence.heatmap)
        paths[key] = _unused(f"{FOLDER}/{name}", set(paths.values()))
        if full_grid:
            painted = on_full_grid(painted, findings.volume)
        write_nifti(Path(out) / paths[key], painted.array, painted.affine)
    return paths


def file_name(*parts: str) -> str:
    """Join parts into a file name of plain letters, digits, dots and dashes.

    Examples
    --------
    >>> file_name("L1", "G2 prototype 1")
    'L1_G2-prototype-1'
    >>> file_name("L1", "../../etc")
    'L1_etc'
    """
    return "_".join(re.sub(r"[^A-Za-z0-9.]+", "-", part).strip("-.") or "unnamed" for part in parts)


def _pieces(
    findings: ScanFindings, which: str
) -> Iterator[tuple[HeatmapKey, str, Explanation, Evidence]]:
    for item in findings.vertebrae:
        if not _wanted(item, which):
            continue
        level = item.vertebra.level
        for position, assessment in enumerate(item.assessments):
            explanation = assessment.explanation
            model = () if position == 0 else (findings.models[position].name,)
            for rank, evidence in enumerate(explanation.evidence if explanation else ()):
                name = file_name(level.value, *model, evidence.name)
                assert explanation is not None
                yield (level, position, rank), name, explanation, evidence


def _wanted(item: VertebraFindings, which: str) -> bool:
    if which == "none":
        return False
    return which == "all" or bool(suspicion(item))


def _folder(out: Path) -> None:
    try:
        (Path(out) / FOLDER).mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{Path(out) / FOLDER}: cannot be made ({error.strerror}). "
            "Check that the output folder exists and its permissions."
        ) from error


def _unused(stem: str, taken: set[str]) -> str:
    """Number a stem that is taken: two pieces of evidence may share a name."""
    path, number = f"{stem}.nii.gz", 2
    while path in taken:
        path, number = f"{stem}-{number}.nii.gz", number + 1
    return path
