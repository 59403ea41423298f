"""Vertebra centers from JSON files: VerSe's variants and spine-segment's, by affines."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import FileFormatError, LabelError
from spinexplain.geometry import apply_affine
from spinexplain.io.files import atomic_file, unreadable
from spinexplain.io.scan_flags import ScanWarning
from spinexplain.types import LabelMap, Vertebra, Volume

_NOT_VERTEBRAE = frozenset({26, 27})  # sacrum, coccyx
_SPINE_SEGMENT_SACRUM = 28  # T13 in VerSe
_FARTHEST = 1e6
_EDGE_VOXELS = 0.5 + 1e-6

#: Axes of the 1 mm grid that the challenge releases count their centroids on.
_ONE_MM_GRIDS = {"miccai2020": ("P", "I", "R"), "miccai2019": ("I", "P", "L")}
CONVENTIONS = ("voxel", *_ONE_MM_GRIDS)

Points = dict[int, tuple[float, float, float]]


def read_centroids(
    path: str | Path, reference: Volume | LabelMap, convention: str | None = None
) -> list[Vertebra]:
    """Read vertebra centers and place them in the patient.

    Parameters
    ----------
    path : path
        JSON in one of the forms in the notes.
    reference : Volume or LabelMap
        The scan the centers belong to; its grid gives the indices their meaning.
    convention : {"voxel", "miccai2019", "miccai2020"}, optional
        How the numbers of a list without a ``direction`` are counted: voxel indices of the
        scan as it is stored, or millimeters of the 2019 or 2020 challenge's 1 mm grid. Left
        out, it is found where only one of the three is possible.

    Returns
    -------
    list of Vertebra
        In cranio-caudal order. Sacrum, coccyx and entries with NaN are left out.

    Raises
    ------
    FileFormatError
        If the file is missing, no JSON, or in none of the known forms.
    LabelError
        If a label is no vertebra or comes twice, a center lies outside the scan, no center
        is left, or the convention is not clear.

    Warns
    -----
    ScanWarning
        If an entry is left out for its NaN, or the convention was found by fit.

    Notes
    -----
    Known forms:

    - VerSe, subject-based: a list that starts with ``{"direction": ["P", "I", "R"]}``, then
      ``{"label": 20, "X": .., "Y": .., "Z": ..}`` with 0-based voxel indices along the axes
      of the scan *reoriented to that direction*. The change of axes is done with affines, so
      a flipped axis maps index ``c`` to ``size - 1 - c``.
    - The same inside ``{"vertebralCentroids": [...]}``.
    - The same without direction: see ``convention``. The challenge releases count on a 1 mm
      grid whose outer border is that of the scan: axes P, I, R in 2020, I, P, L in 2019.
    - spine-segment: ``{"20": {"label": 20, "voxel_xyz": [..], "physical_xyz": [..]}}``; the
      physical position (LPS+ mm) is used. Its label 28 is the sacrum.
    """
    document = _parse(path)
    if convention not in (None, *CONVENTIONS):
        raise FileFormatError(
            f"convention is {convention!r}; expected one of {', '.join(CONVENTIONS)}."
        )
    if isinstance(document, dict) and "vertebralCentroids" in document:
        document = document["vertebralCentroids"]
    if isinstance(document, dict):
        points_mm = _spine_segment(path, document)
    elif isinstance(document, list):
        points_mm = _verse(path, document, reference, convention)
    else:
        raise _unknown_form(path, f"a {type(document).__name__}")
    return _vertebrae(path, points_mm, reference)


def write_centroids(
    path: str | Path, vertebrae: Iterable[Vertebra], reference: Volume | LabelMap
) -> None:
    """Write vertebra centers as VerSe's subject-based JSON, in the scan's own voxels.

    Positions are rounded to a hundredth of a voxel.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    inverse = np.linalg.inv(reference.affine)
    rows: list[dict[str, Any]] = [{"direction": list(nib.aff2axcodes(reference.affine))}]
    for vertebra in sorted(vertebrae, key=lambda item: item.level.order):
        x, y, z = apply_affine(inverse, np.array(vertebra.centroid_mm)).round(2).tolist()
        rows.append({"label": vertebra.level.verse_label, "X": x, "Y": y, "Z": z})
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(rows) + "\n")


def _parse(path: str | Path) -> Any:
    try:
        return json.loads(Path(path).read_bytes())
    except OSError as error:
        raise unreadable(path, error) from None
    except (ValueError, RecursionError) as error:
        raise FileFormatError(
            f"{path}: is no JSON ({error}); expected vertebra centroids as in VerSe's *_ctd.json."
        ) from None


def _unknown_form(path: str | Path, found: str) -> FileFormatError:
    return FileFormatError(
        f"{path}: holds {found}; expected vertebra centroids: a list of "
        '{"label": 20, "X": .., "Y": .., "Z": ..} as in VerSe\'s *_ctd.json.'
    )


def _spine_segment(path: str | Path, document: dict[str, Any]) -> Points:
    points: Points = {}
    for key, entry in document.items():
        if not isinstance(entry, dict) or not {"label", "physical_xyz"} <= entry.keys():
            raise _unknown_form(path, f"the key {key!r}")
        label = _whole(path, entry["label"])
        position = entry["physical_xyz"]
        if not isinstance(position, list) or len(position) != 3:
            raise _unknown_form(path, f"physical_xyz {position!r} for label {label}")
        lps = [_number(path, label, value) for value in position]
        if label != _SPINE_SEGMENT_SACRUM:
            _add(path, points, label, np.array(lps) * [-1, -1, 1])
    return points


def _verse(
    path: str | Path, rows: list[Any], reference: Volume | LabelMap, convention: str | None
) -> Points:
    direction = None
    indices: Points = {}
    for row in rows:
        if isinstance(row, dict) and "direction" in row:
            direction = _checked_direction(path, row["direction"])
        elif isinstance(row, dict) and {"label", "X", "Y", "Z"} <= row.keys():
            if "nan" in str(row).lower():  # VerSe's own tools skip such rows as well
                _warn(path, f"{str(row)[:80]} holds NaN and is left out")
                continue
            label = _whole(path, row["label"])
            xyz = [_number(path, label, row[axis]) for axis in "XYZ"]
            _add(path, indices, label, np.array(xyz))
        else:
            raise _unknown_form(path, f"the entry {str(row)[:80]}")
    if not indices:
        return {}
    if convention is None:
        convention = "voxel" if direction else _only_possible(path, indices, reference)
    axes = direction if convention == "voxel" else _ONE_MM_GRIDS[convention]
    to_mm = _to_mm(reference, axes, one_mm=convention != "voxel")
    return {label: _tuple(apply_affine(to_mm, np.array(p))) for label, p in indices.items()}


def _warn(path: str | Path, message: str) -> None:
    warnings.warn(f"{path}: {message}. Check the file.", ScanWarning, stacklevel=4)


def _to_mm(
    reference: Volume | LabelMap, axes: tuple[str, ...] | None, one_mm: bool = False
) -> np.ndarray:
    """Return the affine of the reference once reoriented to ``axes``, or of a 1 mm grid there."""
    affine = reference.affine
    if axes is not None:
        here, there = nib.io_orientation(affine), nib.orientations.axcodes2ornt(axes)
        turn = nib.orientations.ornt_transform(here, there)
        affine = affine @ nib.orientations.inv_ornt_aff(turn, reference.array.shape)
    if one_mm:
        steps = np.linalg.norm(affine[:3, :3], axis=0)
        shrink = np.diag([*(1 / steps), 1.0])
        shrink[:3, 3] = 0.5 / steps - 0.5  # same outer border, not same first voxel center
        affine = affine @ shrink
    return affine


def _only_possible(path: str | Path, indices: Points, reference: Volume | LabelMap) -> str:
    """Return the convention that puts every center inside the scan, in cranio-caudal order."""
    possible = []
    for name in CONVENTIONS:
        to_mm = _to_mm(reference, _ONE_MM_GRIDS.get(name), one_mm=name != "voxel")
        points = {label: apply_affine(to_mm, np.array(p)) for label, p in indices.items()}
        if not _strays(points, reference) and _runs_caudally(path, points):
            possible.append(name)
    if len(possible) == 1:
        _warn(path, f"says no direction; read as {possible[0]}, the only convention that fits")
        return possible[0]
    fit = ", ".join(possible) or "none"
    raise LabelError(
        f"{path}: says no direction, and of the conventions {', '.join(CONVENTIONS)} those that "
        f"fit the scan are: {fit}. Name the convention, or add a direction entry to the file."
    )


def _runs_caudally(path: str | Path, points_mm: dict[int, np.ndarray]) -> bool:
    known = [label for label in points_mm if label not in _NOT_VERTEBRAE]
    known.sort(key=lambda label: _level(path, label).order)
    heights = np.array([points_mm[label][2] for label in known])
    return bool(np.all(np.diff(heights) < 0))


def _strays(points_mm: dict[int, Any], reference: Volume | LabelMap) -> list[int]:
    """Return the labels whose centers lie outside the scan."""
    inverse = np.linalg.inv(reference.affine)
    last = np.array(reference.array.shape) - 1 + _EDGE_VOXELS
    ijk = {label: apply_affine(inverse, np.array(p)) for label, p in points_mm.items()}
    return [label for label, i in ijk.items() if np.any((i < -_EDGE_VOXELS) | (i > last))]


def _vertebrae(path: str | Path, points_mm: Points, reference: Volume | LabelMap) -> list[Vertebra]:
    points_mm = {k: p for k, p in points_mm.items() if k not in _NOT_VERTEBRAE}
    vertebrae = [Vertebra(_level(path, label), point) for label, point in points_mm.items()]
    if not vertebrae:
        raise LabelError(f"{path}: names no vertebra; expected at least one. Check the file.")
    if strays := _strays(points_mm, reference):
        label = strays[0]
        position = [round(value, 1) for value in points_mm[label]]
        ijk = apply_affine(np.linalg.inv(reference.affine), np.array(points_mm[label])).round(1)
        more = f" (and {len(strays) - 1} more)" if len(strays) > 1 else ""
        raise LabelError(
            f"{path}: the center of {_level(path, label).value} at {position} mm, voxel "
            f"{ijk.tolist()}, lies outside the scan of {list(reference.array.shape)} "
            f"voxels{more}; expected it inside. Is this the centroid file of another scan?"
        )
    return sorted(vertebrae, key=lambda vertebra: vertebra.level.order)


def _level(path: str | Path, label: int) -> VertebraLevel:
    try:
        return VertebraLevel.from_verse_label(label)
    except LabelError as error:
        raise LabelError(f"{path}: {error}") from None


def _checked_direction(path: str | Path, direction: Any) -> tuple[str, ...]:
    pairs = [{"L", "R"}, {"P", "A"}, {"I", "S"}]
    if isinstance(direction, list) and [type(code) for code in direction] == [str] * 3:
        used = [next((i for i, p in enumerate(pairs) if code in p), -1) for code in direction]
        if sorted(used) == [0, 1, 2]:
            return tuple(direction)
    raise FileFormatError(
        f'{path}: direction is {direction!r}; expected three axis codes such as ["P", "I", "R"].'
    )


def _whole(path: str | Path, label: Any) -> int:
    whole = isinstance(label, int) or (isinstance(label, float) and label.is_integer())
    if isinstance(label, bool) or not whole:
        raise FileFormatError(f"{path}: label is {label!r}; expected a whole number.")
    return int(label)


def _number(path: str | Path, label: int, value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or abs(value) > _FARTHEST:
        raise FileFormatError(
            f"{path}: a coordinate of label {label} is {repr(value)[:40]}; expected a number "
            f"from {-_FARTHEST:.0e} to {_FARTHEST:.0e}."
        )
    return float(value)


def _add(path: str | Path, points: Points, label: int, position: np.ndarray) -> None:
    if label in points:
        raise LabelError(f"{path}: label {label} comes twice; expected once. Remove one.")
    if np.all(np.isfinite(position)):
        points[label] = _tuple(position)


def _tuple(position: np.ndarray) -> tuple[float, float, float]:
    x, y, z = position.tolist()
    return x, y, z
