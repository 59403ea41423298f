"""Which series a folder holds, and which of them is meant."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from spinexplain.errors import FileFormatError
from spinexplain.io.dicom_header import FileHeader
from spinexplain.io.dicom_slices import SliceHeader

_SAME_ORIENTATION = 2e-3  # per component of the unit vectors
_LISTED = 12
_SINGLE = "it has a single slice; expected the folder with all of them"
_FEWEST_SINGLES = 3


@dataclass(frozen=True)
class SeriesInfo:
    """One series, as a person distinguishes it from the others; nothing personal in it.

    Parameters
    ----------
    key : str
        What ``--series`` takes: DICOM's Series Number, with a part (``"3.2"``) where a
        series falls into several volumes or numbers repeat.
    uid : str
        Series Instance UID.
    description, modality : str
    slices : int
        Number of slices (frames).
    thickness_mm : float or None
        Slice thickness as declared.
    rows, columns : int
    localizer : bool
        Whether it is a scout image.
    problem : str
        Why it cannot be read as a CT volume; empty if it can.
    """

    key: str
    uid: str
    description: str
    modality: str
    slices: int
    thickness_mm: float | None
    rows: int
    columns: int
    localizer: bool
    problem: str

    @property
    def readable(self) -> bool:
        """Whether it can be a CT volume."""
        return not self.problem and not self.localizer

    def __str__(self) -> str:
        """Describe the series in one short line."""
        name = f' "{self.description}"' if self.description else ""
        thickness = f" of {self.thickness_mm:g} mm" if self.thickness_mm else ""
        state = self.problem or ("localizer" if self.localizer else "")
        return (
            f"{self.key}:{name} {self.modality}, {self.slices} slices{thickness}, "
            f"UID {self.uid or 'missing'}" + (f" ({state})" if state else "")
        )


@dataclass(frozen=True)
class Series:
    """A series with the headers of its slices."""

    info: SeriesInfo
    slices: tuple[SliceHeader, ...]


def group_series(headers: Sequence[FileHeader]) -> list[Series]:
    """Sort files into series: by UID, then scouts apart, orientations and sizes apart.

    Parameters
    ----------
    headers : sequence of FileHeader
        In any order.

    Returns
    -------
    list of Series
        Ordered by Series Number; keys are unique.
    """
    by_uid = defaultdict(list)
    for header in headers:
        by_uid[header.series_uid].append(header)
    # Of a file that is cut short only the start of its UID may be left.
    damaged = [header for header in headers if header.problem and header.is_ct]
    found = []
    for uid, own in by_uid.items():
        found += _series_of_uid(own, [h for h in damaged if uid.startswith(h.series_uid)])
    found.sort(key=lambda one: (_number(one.info.key), one.info.uid, -one.info.slices))
    return _with_unique_keys(found)


def choose_series(name: str, found: Sequence[Series], wanted: str | None) -> Series:
    """Pick the series that is meant.

    Parameters
    ----------
    name : str
        What to call the folder or zip in messages.
    found : sequence of Series
    wanted : str or None
        Series number (key), start of the UID, or description; None where only one series
        can be meant.

    Raises
    ------
    FileFormatError
        If none or several fit (the message lists them), or the one meant is not a CT
        volume (the message says why).
    """
    if not found:
        raise FileFormatError(
            f"{name}: holds no DICOM files; expected the slices of a CT series. "
            "Check the path, or name the NIfTI file itself."
        )
    fitting = list(found) if wanted is None else _matching(found, wanted)
    readable = [one for one in fitting if one.info.readable]
    if len(readable) == 1:
        return readable[0]
    if wanted is not None and len(fitting) == 1:
        state = fitting[0].info.problem or "it is a localizer (scout image)"
        raise FileFormatError(
            f"{name}: series {fitting[0].info.key} cannot be read as a CT volume: {state}. "
            "Choose another with --series."
        )
    raise FileFormatError(f"{name}: {_choice(found, fitting, wanted)}.")


def _choice(found: Sequence[Series], fitting: Sequence[Series], wanted: str | None) -> str:
    """Say what there is to choose from."""
    listed = [one for one in fitting if one.info.readable] or list(found)
    lines = "; ".join(str(one.info) for one in listed[:_LISTED])
    more = f"; and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
    if wanted is not None:
        start = f"{len(fitting)} series fit --series {wanted!r}, expected one. There are: "
    elif listed[0].info.readable:
        start = f"holds {len(listed)} CT volumes, expected one. Choose with --series: "
    elif (singles := sum(one.info.problem == _SINGLE for one in found)) >= _FEWEST_SINGLES:
        start = (
            f"holds {singles} series of a single slice, expected one of many: every slice has "
            "a Series Instance UID of its own, as some tools write that replace names. Export "
            "the series again. Found: "
        )
    else:
        start = "holds no series that can be read as a CT volume. Found: "
    return start + lines + more


def _matching(found: Sequence[Series], wanted: str) -> list[Series]:
    text = wanted.strip().casefold()

    def having(test: object) -> list[Series]:
        return [one for one in found if test(one.info)]  # type: ignore[operator]

    return (
        having(lambda info: info.key == text)
        or having(lambda info: info.key.split(".")[0] == text)
        or having(lambda info: info.description.casefold() == text)
        or having(lambda info: len(text) > 3 and info.uid.startswith(text))
        or having(lambda info: len(text) > 2 and text in info.description.casefold())
    )


def _series_of_uid(headers: list[FileHeader], damaged: list[FileHeader]) -> list[Series]:
    found = [_series(headers, part, scout) for part, scout in _volumes(headers)]
    if found and damaged:
        reason = f"its file {damaged[0].name} has {damaged[0].problem}"
        found = [_with_problem(one, reason) for one in found]
    others = sorted((h for h in headers if h.problem), key=lambda h: (h.kind, h.problem))
    if not found:
        for _, same in groupby(others, key=lambda h: (h.kind, h.problem)):
            found.append(_series_without_slices(list(same)))
    return found


def _volumes(headers: Sequence[FileHeader]) -> list[tuple[list[SliceHeader], bool]]:
    """Split the slices of one UID into volumes; True marks scouts."""
    slices = [item for header in headers for item in header.slices]
    scouts = [item for item in slices if item.localizer]
    rest = [item for item in slices if not item.localizer]
    volumes = [(part, True) for part in _by_orientation(scouts)]
    parts = _by_orientation(rest)
    largest = max((len(part) for part in parts), default=0)
    for part in parts:
        # One or two views across the others are scouts, whatever their image type says.
        volumes += [(same, len(part) < 3 and largest > 3) for same in _by_size(part)]
    return volumes


def _by_orientation(slices: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    parts: list[list[SliceHeader]] = []
    for item in slices:
        for part in parts:
            if np.allclose(item.orientation, part[0].orientation, atol=_SAME_ORIENTATION):
                part.append(item)
                break
        else:
            parts.append([item])
    return parts


def _size(item: SliceHeader) -> tuple[int, int, float, float]:
    row, column = item.pixel_spacing_mm
    return item.rows, item.columns, round(row, 4), round(column, 4)


def _by_size(slices: list[SliceHeader]) -> list[list[SliceHeader]]:
    """Split by size, but keep single strays in, so that they are reported and not lost."""
    counts = Counter(_size(item) for item in slices)
    if min(counts.values()) < 3:
        return [slices]
    return [[item for item in slices if _size(item) == size] for size in counts]


def _series(headers: Sequence[FileHeader], slices: list[SliceHeader], scout: bool) -> Series:
    header = next(h for h in headers if h.source == slices[0].source)
    info = SeriesInfo(
        key=header.series_number or "0",
        uid=header.series_uid,
        description=header.description,
        modality=header.modality,
        slices=len(slices),
        thickness_mm=header.thickness_mm,
        rows=slices[0].rows,
        columns=slices[0].columns,
        localizer=scout,
        problem=_inconsistency(headers, slices),
    )
    return Series(info, tuple(slices))


def _inconsistency(headers: Sequence[FileHeader], slices: list[SliceHeader]) -> str:
    bare = [item for item in slices if not item.rescaled]
    if bare and len(bare) < len(slices):
        name = next(h.name for h in headers if h.source == bare[0].source)
        return (
            f"{len(bare)} of its {len(slices)} slices ({name}) have no Rescale Slope and "
            "Intercept, which say how values become HU"
        )
    counts = Counter(_size(item) for item in slices).most_common()
    if len(counts) > 1:
        sizes = [f"{n} of {r} x {c} at {y:g} x {x:g} mm" for (r, c, y, x), n in counts[:4]]
        return f"its slices differ in size: {', '.join(sizes)}"
    return _SINGLE if len(slices) == 1 else ""


def _series_without_slices(headers: Sequence[FileHeader]) -> Series:
    first = headers[0]
    info = SeriesInfo(
        key=first.series_number or "0",
        uid=first.series_uid,
        description=first.description,
        modality=first.modality or "no modality",
        slices=len(headers),
        thickness_mm=None,
        rows=0,
        columns=0,
        localizer=False,
        problem=f"{first.kind or 'unknown SOP class'}: {first.problem}",
    )
    return Series(info, ())


def _with_problem(series: Series, problem: str) -> Series:
    return replace(series, info=replace(series.info, problem=problem))


def _with_unique_keys(found: list[Series]) -> list[Series]:
    counts = Counter(one.info.key for one in found)
    seen: Counter[str] = Counter()
    named = []
    for one in found:
        key = one.info.key
        seen[key] += 1
        unique = key if counts[key] == 1 else f"{key}.{seen[key]}"
        named.append(replace(one, info=replace(one.info, key=unique)))
    return named


def _number(key: str) -> float:
    return float(key) if key.isdigit() else float("inf")
