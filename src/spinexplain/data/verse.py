"""Finds the scans of VerSe in any layout it was ever published or copied in.

The rules are read from file names alone, so that extra wrapper folders, unknown entities and
missing halves do no harm:

- subject-based (BIDS): ``sub-verse409_split-verse266_dir-iso_ct.nii.gz``
- MICCAI 2019: ``verse004.nii.gz``, ``verse004_seg.nii.gz``, ``verse004_ctd.json``
- MICCAI 2020: ``GL017_CT_ax.nii.gz``, ``GL017_CT_ax_seg.nii.gz``, ``GL124_CT_ax-iso-ctd.json``
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from spinexplain.data.table import series_name
from spinexplain.errors import FileFormatError

VERTEBRA_MASK = "vert"


@dataclass(frozen=True)
class SeriesFiles:
    """The files of one image series.

    Parameters
    ----------
    subject : str
        The patient, e.g. ``"verse409"``.
    series : str
        Name of the series, unique in its source, e.g. ``"verse266"`` or ``"gl003_dir-ax"``.
    table_id : str
        The ID under which the fracture table lists it, if it does.
    ct : Path or None
    masks : mapping of str to Path
        By the ``seg-`` entity: ``"vert"`` is the vertebra mask.
    centroids : Path or None
    truth : Path or None
        What a phantom knows about itself.
    split : str or None
        As the folder says: ``"training"``, ``"validation"`` or ``"test"``.
    entities : mapping of str to str
        Further entities of the name, e.g. ``{"dir": "iso", "ce": "pv"}``.
    """

    subject: str
    series: str
    table_id: str
    ct: Path | None
    masks: Mapping[str, Path]
    centroids: Path | None
    truth: Path | None
    split: str | None
    entities: Mapping[str, str]

    @property
    def mask(self) -> Path | None:
        """The vertebra mask."""
        return self.masks.get(VERTEBRA_MASK)

    @property
    def missing(self) -> str | None:
        """What keeps it from being prepared, in words; None if nothing does."""
        if self.ct is None:
            return "no CT"
        if self.mask is None and self.centroids is None:
            return "neither mask nor centroids"
        return None

    def is_same_scan(self, other: SeriesFiles) -> bool:
        """Whether both are one scan under the names of two releases."""
        one, two = self.entities.get("dir"), other.entities.get("dir")
        same_way = one == two or one is None or two is None
        rest = [{**files.entities, "dir": ""} for files in (self, other)]
        return self.table_id == other.table_id and same_way and rest[0] == rest[1]


@dataclass(frozen=True)
class SourceContents:
    """What a source folder holds.

    Parameters
    ----------
    series : tuple of SeriesFiles
        Sorted by subject and series; odd halves included.
    remarks : tuple of str
        What was passed over or paired in spite of different names.
    """

    series: tuple[SeriesFiles, ...]
    remarks: tuple[str, ...]


def find_series(source: str | Path) -> list[SeriesFiles]:
    """List the series below a folder, whatever its layout; see :func:`scan_source`."""
    return list(scan_source(source).series)


def scan_source(source: str | Path) -> SourceContents:
    """List the series below a folder, and what was odd about its files.

    Symbolic links are followed only to files that lie in ``source`` too; hidden files are
    passed over.

    Raises
    ------
    FileFormatError
        If the folder is missing, unreadable, or holds no series.
    """
    folder = Path(source)
    _check_folder(folder)
    remarks: list[str] = []
    files = [_parse(path, folder) for path in _files_below(folder, remarks)]
    groups = _group((file for file in files if file is not None), remarks)
    if not groups:
        raise FileFormatError(
            f"{folder}: holds no CT series; expected files like sub-verse004_ct.nii.gz or "
            "verse004.nii.gz somewhere below it. Name the unpacked folder of a release."
        )
    series = sorted(groups, key=lambda found: (found.subject, found.series))
    return SourceContents(tuple(series), tuple(remarks))


def _check_folder(folder: Path) -> None:
    if not folder.exists():
        raise FileFormatError(f"{folder}: no such folder; expected an unpacked release of VerSe.")
    if not folder.is_dir():
        hint = "Unpack it first. " if folder.suffix.lower() == ".zip" else ""
        raise FileFormatError(
            f"{folder}: is a file; expected a folder with VerSe's files. {hint}"
            "Name the folder that holds the scans."
        )


def _files_below(folder: Path, remarks: list[str]) -> Iterator[Path]:
    root = folder.resolve()

    def stop(error: OSError) -> None:
        raise FileFormatError(
            f"{error.filename}: cannot be read ({error.strerror}); expected a folder of scans. "
            "Check its permissions."
        ) from None

    for here, folders, names in os.walk(folder, onerror=stop):
        links = [name for name in folders if os.path.islink(os.path.join(here, name))]
        remarks += [f"{os.path.join(here, name)}: linked folder passed over" for name in links]
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        for name in sorted(names):
            path = Path(here, name)
            if name.startswith("."):
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                remarks.append(f"{path}: link to a file outside the source, passed over")
                continue
            yield path


@dataclass(frozen=True)
class _File:
    """One file's place: whose it is, and what it is."""

    path: Path
    role: str  # "ct", "ctd", "truth", or "msk:<seg entity>"
    subject: str
    part: str | None  # the split- entity: which of a patient's series
    entities: tuple[tuple[str, str], ...]
    split: str | None


def _parse(path: Path, source: Path) -> _File | None:
    name, extension = _split_extension(path.name)
    if extension is None:
        return None
    parsed = _parse_bids(name) if name.startswith("sub-") else _parse_miccai(name)
    if parsed is None or (parsed[0] in _JSON_ROLES) != (extension == ".json"):
        return None
    role, subject, part, entities = parsed
    folders = (source.resolve().name, *path.relative_to(source).parts[:-1])
    return _File(path, role, subject, part, tuple(sorted(entities.items())), _split_of(folders))


_JSON_ROLES = {"ctd", "truth"}


def _split_extension(name: str) -> tuple[str, str | None]:
    for extension in (".nii.gz", ".nii", ".json"):
        if name.lower().endswith(extension):
            return name[: -len(extension)], extension
    return name, None


_Parsed = tuple[str, str, str | None, dict[str, str]]


def _parse_bids(name: str) -> _Parsed | None:
    *pairs, suffix = name.split("_")
    entities = dict(pair.split("-", 1) for pair in pairs if "-" in pair)
    segmentation = entities.pop("seg", None)
    subject = entities.pop("sub", "")
    role = suffix.lower()
    if not subject or role not in {"ct", "msk", *_JSON_ROLES}:
        return None
    if role == "msk":
        role = f"msk:{(segmentation or VERTEBRA_MASK).lower()}"
    return role, series_name(subject), entities.pop("split", None), entities


_MICCAI_CENTROIDS = re.compile(r"(?:[-_]iso)?[-_]ctd$", re.IGNORECASE)
_MICCAI_MASK = re.compile(r"[-_]seg$", re.IGNORECASE)
_MICCAI_STEM = re.compile(
    r"(?P<first>[a-z]+\d+)(?:_(?P<second>verse\d+))?(?:_ct(?:_(?P<dir>[a-z]+))?)?", re.IGNORECASE
)


def _parse_miccai(name: str) -> _Parsed | None:
    if _MICCAI_CENTROIDS.search(name):
        role, stem = "ctd", _MICCAI_CENTROIDS.sub("", name)
    elif _MICCAI_MASK.search(name):
        role, stem = f"msk:{VERTEBRA_MASK}", _MICCAI_MASK.sub("", name)
    else:
        role, stem = "ct", name
    match = _MICCAI_STEM.fullmatch(stem.replace("-", "_"))
    if match is None:
        return None
    second = series_name(match["second"].lower()) if match["second"] else None
    entities = {"dir": match["dir"].lower()} if match["dir"] else {}
    return role, series_name(match["first"].lower()), second, entities


_SPLIT_FOLDER = re.compile(r"(?:dataset-.*?|\d+[-_]?)(training|validation|test)", re.IGNORECASE)


def _split_of(folders: Iterable[str]) -> str | None:
    named = [match[1].lower() for match in map(_SPLIT_FOLDER.fullmatch, folders) if match]
    return named[-1] if named else None


def _group(files: Iterable[_File], remarks: list[str]) -> list[SeriesFiles]:
    patients: dict[tuple[str, str | None], dict[tuple[tuple[str, str], ...], list[_File]]]
    patients = defaultdict(lambda: defaultdict(list))
    for file in files:
        patients[file.subject, file.part][file.entities].append(file)
    found = []
    for groups in patients.values():
        for members in _paired(list(groups.values()), remarks):
            found.append(_series_files(members, remarks))
    return found


def _paired(groups: list[list[_File]], remarks: list[str]) -> list[list[_File]]:
    """Join the odd halves of one series whose names differ, where only one CT claims them."""
    roles = [file.role for group in groups for file in group]
    unambiguous = roles.count("ct") == 1 and len(set(roles)) == len(roles)
    if len(groups) == 1 or not unambiguous:
        return groups
    joined = sorted((file for group in groups for file in group), key=lambda f: f.role != "ct")
    names = ", ".join(file.path.name for file in joined)
    remarks.append(f"{names}: names differ, taken as one series")
    return [joined]


def _series_files(members: list[_File], remarks: list[str]) -> SeriesFiles:
    by_role: dict[str, Path] = {}
    for file in members:
        if file.role in by_role:
            remarks.append(f"{file.path}: same name as {by_role[file.role]}, passed over")
        by_role.setdefault(file.role, file.path)
    first = members[0]
    is_id = first.part is not None and re.fullmatch(r"[A-Za-z]+\d+", first.part)
    table_id = series_name(first.part) if is_id else first.subject
    rest = [f"{key}-{value}" for key, value in first.entities]
    rest += [f"split-{first.part}"] if first.part and not is_id else []
    entities = dict(first.entities) | ({"split": first.part} if first.part and not is_id else {})
    split = next((file.split for file in members if file.split), None)
    return SeriesFiles(
        subject=first.subject,
        series="_".join([table_id, *rest]),
        table_id=table_id,
        ct=by_role.get("ct"),
        masks={role[4:]: path for role, path in by_role.items() if role.startswith("msk:")},
        centroids=by_role.get("ctd"),
        truth=by_role.get("truth"),
        split=split,
        entities=entities,
    )


def under_subject(files: SeriesFiles, subject: str) -> SeriesFiles:
    """File a series under another patient (MICCAI names do not say whose second scan it is)."""
    return replace(files, subject=subject)
