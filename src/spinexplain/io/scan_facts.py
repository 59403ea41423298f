"""What a scan's files say about the study, for the head of a report: nothing that names anyone.

Names, identifiers, birth dates and addresses are never asked for, so that they cannot come out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import nibabel as nib

from spinexplain.io.dicom import read_facts_header
from spinexplain.io.read import is_dicom

PHANTOM_MARK = "spinexplain phantom: synthetic, no patient"
"""Stands in the NIfTI header (``descrip``) of every phantom CT this package writes."""

_AGE = re.compile(r"(\d{3})([DWMY])")
_AGE_WORDS = {"D": "days", "W": "weeks", "M": "months", "Y": "years"}
_SEXES = ("F", "M", "O")
_LONGEST = 64
_NO_AGENT = ("none", "without", "no ", "non", "ohne", "nativ", "sans", "unenhanced")
_SIDECAR_BYTES = 1 << 20


@dataclass(frozen=True)
class ScanFacts:
    """The study behind a scan, as far as its files say; empty where they do not.

    Parameters
    ----------
    study_date : str
        ISO 8601.
    series : str
        Number and description.
    kernel : str
        Convolution kernel of the reconstruction.
    thickness_mm : float or None
        Slice thickness as declared; the distance of slices may be another.
    age : str
        With its unit, e.g. ``"67 years"``.
    sex : str
        ``"F"``, ``"M"`` or ``"O"``.
    phantom : bool
        Whether the scan was drawn by a program.
    kv : float or None
        Tube voltage.
    contrast : bool
        Whether a contrast agent is named; where none is, nothing is known.
    """

    study_date: str = ""
    series: str = ""
    kernel: str = ""
    thickness_mm: float | None = None
    age: str = ""
    sex: str = ""
    phantom: bool = False
    kv: float | None = None
    contrast: bool = False


def read_facts(path: Path | str, series: str | None = None) -> ScanFacts:
    """Read what a scan's own files say about the study.

    Parameters
    ----------
    path : path
        Of a NIfTI file (its header, and a BIDS sidecar ``ct.json`` beside ``ct.nii.gz``), or of
        DICOM in any form.
    series : str, optional
        Which DICOM series; see :func:`spinexplain.io.dicom.read_dicom`.

    Returns
    -------
    ScanFacts
        What cannot be read, or is not as the standard has it, is left empty.

    Raises
    ------
    FileFormatError
        As :func:`spinexplain.io.dicom.read_dicom`, for DICOM.
    """
    path = Path(path)
    if is_dicom(path):
        return facts_of(read_facts_header(path, series))
    said = facts_of(_sidecar(path))
    return said if said.phantom else _marked(said, path)


def facts_of(said: Mapping[str, Any]) -> ScanFacts:
    """Turn values under DICOM's keywords into facts.

    Parameters
    ----------
    said : mapping of str to Any
        From a DICOM header or a BIDS sidecar.

    Examples
    --------
    >>> facts = facts_of({"StudyDate": "20240131", "PatientAge": "067Y", "PatientSex": "F"})
    >>> facts.study_date, facts.age, facts.sex
    ('2024-01-31', '67 years', 'F')
    >>> facts_of({"StudyDate": "31.1.24", "PatientAge": "67", "SeriesNumber": 3}).series
    '3'
    """
    named = [_line(said.get(key)) for key in ("SeriesNumber", "SeriesDescription")]
    age = _AGE.fullmatch(_line(said.get("PatientAge")))
    sex = _line(said.get("PatientSex"))
    return ScanFacts(
        study_date=_iso_date(_line(said.get("StudyDate"))),
        series=" ".join(filter(None, named)),
        kernel=_line(said.get("ConvolutionKernel")),
        thickness_mm=_positive(said.get("SliceThickness")),
        age=f"{int(age[1])} {_AGE_WORDS[age[2]]}" if age else "",
        sex=sex if sex in _SEXES else "",
        phantom=said.get("synthetic") is True,
        kv=_positive(said.get("KVP")),
        contrast=_names_agent(_line(said.get("ContrastBolusAgent"))),
    )


def _names_agent(text: str) -> bool:
    """Whether a contrast agent is named; free text such as ``NONE`` or ``without`` names none.

    Examples
    --------
    >>> [_names_agent(text) for text in ("Ultravist 370", "NONE", "", "IV", "ohne KM")]
    [True, False, False, True, False]
    """
    words = text.lower()
    return bool(words) and not any(no in words for no in _NO_AGENT)


def _marked(said: ScanFacts, path: Path) -> ScanFacts:
    try:
        mark = bytes(nib.load(path).header["descrip"])  # type: ignore[index]
    except Exception:  # what is wrong with the file is said by those who read its voxels
        return said
    is_phantom = mark.rstrip(b"\0") == PHANTOM_MARK.encode("ascii")
    return ScanFacts(**{**vars(said), "phantom": is_phantom})


def _sidecar(path: Path) -> dict[str, Any]:
    stem = path.name.removesuffix(".gz").removesuffix(".nii")
    place = path.with_name(f"{stem}.json")
    try:
        if place.stat().st_size > _SIDECAR_BYTES:
            return {}
        found = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _line(value: object) -> str:
    """Return a value as one printable line; several values are joined."""
    if isinstance(value, list | tuple):
        value = " ".join(map(str, value))
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return ""
    text = " ".join(str(value).split())
    return "".join(char for char in text if char.isprintable())[:_LONGEST]


def _iso_date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _positive(value: object) -> float | None:
    try:
        found = float(str(value))
    except ValueError:
        return None
    return found if 0 < found < 1000 else None
