"""The list of scans to grade: one CSV file, checked before anything starts."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.io.files import unreadable

COLUMNS = ("name", "ct", "labels", "centroids", "label_scheme", "series", "age", "sex")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SEXES = ("", "F", "M", "O")


@dataclass(frozen=True)
class ArchiveScan:
    """One scan of an archive.

    Parameters
    ----------
    name : str
        Of its folder; letters, digits, dots, dashes and underscores.
    ct : Path
    labels, centroids : Path or None
        At least one of them.
    label_scheme, series : str or None
        As for ``grade``.
    age : int or None
        Years.
    sex : str
        ``"F"``, ``"M"``, ``"O"`` or empty.
    """

    name: str
    ct: Path
    labels: Path | None = None
    centroids: Path | None = None
    label_scheme: str | None = None
    series: str | None = None
    age: int | None = None
    sex: str = ""


def read_manifest(path: Path) -> list[ArchiveScan]:
    """Read a manifest.

    Parameters
    ----------
    path : Path
        CSV with a header line; columns are those of ``COLUMNS``, of which ``ct`` must be
        there. Without ``labels`` and ``centroids`` the vertebrae are found by the package's
        own localizer. Relative paths start at its folder.

    Raises
    ------
    FileFormatError
        If the file cannot be read.
    ConfigError
        If a column is unknown or missing, a row lacks its CT, an age or sex is none, or two
        scans have one name; the message names the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            columns = reader.fieldnames or []
            _check_columns(path, columns)
            scans = [_scan(path, number, row) for number, row in enumerate(reader, start=2)]
    except OSError as error:
        raise unreadable(path, error) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileFormatError(f"{path}: is no CSV in UTF-8 ({error}). Save it as one.") from None
    _check_names(path, scans)
    return scans


def _check_columns(path: Path, columns: object) -> None:
    found = list(columns) if isinstance(columns, list | tuple) else []
    if strangers := [name for name in found if name not in COLUMNS]:
        raise ConfigError(
            f"{path}: has a column {strangers[0]!r}; expected some of {', '.join(COLUMNS)}. "
            "Rename or remove it."
        )
    if "ct" not in found:
        raise ConfigError(
            f"{path}: has the columns {', '.join(found) or 'none'}; expected ct. Add it."
        )


def _scan(path: Path, number: int, row: dict[str, str | None]) -> ArchiveScan:
    def text(column: str) -> str:
        return (row.get(column) or "").strip()

    def file(column: str) -> Path | None:
        return path.parent / text(column) if text(column) else None

    where = f"{path}, line {number}"
    ct = file("ct")
    if ct is None:
        raise ConfigError(f"{where}: names no CT; expected its path. Complete it.")
    name = text("name") or _named_after(ct)
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{where}: the name {name!r} cannot be a folder; expected letters, digits, dots, "
            "dashes and underscores. Give another in the column name."
        )
    if text("sex").upper() not in _SEXES:
        raise ConfigError(f"{where}: sex is {text('sex')!r}; expected F, M, O or nothing.")
    return ArchiveScan(
        name=name,
        ct=ct,
        labels=file("labels"),
        centroids=file("centroids"),
        label_scheme=text("label_scheme") or None,
        series=text("series") or None,
        age=_age(where, text("age")),
        sex=text("sex").upper(),
    )


def _named_after(ct: Path) -> str:
    return re.sub(r"\.nii(\.gz)?$|\.zip$", "", ct.name)


def _age(where: str, text: str) -> int | None:
    if not text:
        return None
    if not text.isdigit() or int(text) > 130:
        raise ConfigError(f"{where}: age is {text!r}; expected whole years, or nothing.")
    return int(text)


def _check_names(path: Path, scans: list[ArchiveScan]) -> None:
    if not scans:
        raise ConfigError(f"{path}: lists no scan; expected one a line below the header.")
    name, count = Counter(scan.name.lower() for scan in scans).most_common(1)[0]
    if count > 1:
        raise ConfigError(
            f"{path}: {count} scans are named {name!r}; expected a name of its own for each. "
            "Fill the column name."
        )
