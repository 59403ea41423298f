"""From the files of one series to the patches of its vertebrae."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from spinexplain.data.plan import PlannedSeries
from spinexplain.data.schema import KINDS, SPACING_MM
from spinexplain.data.shard import SeriesShard, VertebraRow, to_stored
from spinexplain.data.truth import read_truth, with_truth
from spinexplain.data.verse import VERTEBRA_MASK, SeriesFiles
from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.geometry import BoxFrame, SheetFrame
from spinexplain.io.body_masks import body_mask
from spinexplain.io.centroids import read_centroids
from spinexplain.io.files import sha256_file
from spinexplain.io.nifti import check_is_ct, read_labels, read_volume
from spinexplain.localizer.manifest import read_manifest
from spinexplain.localizer.networks import shipped_body, shipped_folder
from spinexplain.localizer.settle import settle
from spinexplain.spine.height_loss import loss_sd
from spinexplain.spine.localize import localize
from spinexplain.spine.morphometry import measure
from spinexplain.spine.quality import OUTSIDE_SCAN, quality_flags
from spinexplain.spine.reformat import box_frame, sheet_frame
from spinexplain.spine.sampling import sample_labels, sample_volume
from spinexplain.types import LabelMap, Vertebra, Volume

PATCHES = {"2d": ("2d",), "3d": ("3d",), "both": ("2d", "3d")}

CERVICAL = "cervical levels are not graded"
OUTSIDE = "its centre lies outside the scan"

_CENTERS = "centers in the middles of bodies"

_LAY = {"2d": sheet_frame, "3d": box_frame}
Frames = dict[str, list[SheetFrame | BoxFrame]]


@dataclass(frozen=True, eq=False)
class _Scan:
    volume: Volume
    labels: LabelMap | None
    vertebrae: list[Vertebra]
    remarks: tuple[str, ...]


def series_shard(planned: PlannedSeries, patches: str) -> SeriesShard:
    """Read one series and sample the patches of its thoracic and lumbar vertebrae.

    Parameters
    ----------
    planned : PlannedSeries
    patches : {"2d", "3d", "both"}

    Returns
    -------
    SeriesShard
        Grades are not in it: they are joined to the index, so that a corrected label costs
        no image work. Levels that are left out stand in its notes.

    Raises
    ------
    SpinexplainError
        If a file is broken, or mask, centroids and CT do not fit together.
    """
    if patches not in PATCHES:
        raise ConfigError(f"patches is {patches!r}; expected one of {', '.join(PATCHES)}.")
    start = time.process_time()
    files = planned.files
    scan = _read(planned)
    left_out = {
        vertebra.level.value: reason
        for vertebra in scan.vertebrae
        if (reason := _reason_to_leave_out(vertebra))
    }
    kept = [vertebra for vertebra in scan.vertebrae if vertebra.level.value not in left_out]
    frames = _frames(scan.vertebrae, kept, PATCHES[patches])
    arrays, outside = _sample_scan(scan, frames)
    for seg in sorted(set(files.masks) & {"body", "subreg", "evidence", "shortcut"}):
        arrays |= _sample_mask(files.masks[seg], seg, kept, frames, arrays)
    rows = _rows(files, scan, kept, frames, outside)
    notes = {
        "files": fingerprint(planned),
        "left_out": left_out,
        "remarks": list(scan.remarks),
        "cpu_s": round(time.process_time() - start, 3),
    }
    return SeriesShard(planned.subject, planned.series, rows, arrays, notes)


def fingerprint(planned: PlannedSeries) -> list[list[Any]]:
    """Check cheaply whether a series' files changed: name, size and time of each.

    How centers are placed stands beside them, so that crops about other centers are sampled anew.
    """
    files = planned.files
    paths = [files.ct, files.centroids, files.truth, *files.masks.values()]
    stats = [(path.name, path.stat()) for path in paths if path is not None]
    version = read_manifest(shipped_folder()).version
    return [
        [f"{_CENTERS}, localizer {version}"],
        *sorted([name, stat.st_size, stat.st_mtime_ns] for name, stat in stats),
    ]


def _read(planned: PlannedSeries) -> _Scan:
    files = planned.files
    assert files.ct is not None
    # the mask first: while it is narrowed to bytes, the scan is not in memory yet
    labels = read_labels(files.mask) if files.mask else None
    volume = read_volume(files.ct)
    remarks = check_is_ct(volume)
    centroids = read_centroids(files.centroids, volume) if files.centroids else None
    vertebrae = localize(volume, labels, centroids)
    if labels is None:
        vertebrae = settle(volume, vertebrae, shipped_body()).vertebrae
    found = quality_flags(volume, vertebrae, labels)
    vertebrae = [
        replace(vertebra, flags=tuple(dict.fromkeys([*vertebra.flags, *found[vertebra.level]])))
        for vertebra in vertebrae
    ]
    return _Scan(volume, labels, vertebrae, tuple(remarks))


def _reason_to_leave_out(vertebra: Vertebra) -> str | None:
    if not vertebra.level.is_graded:
        return CERVICAL
    return OUTSIDE if OUTSIDE_SCAN in vertebra.flags else None


def _frames(
    vertebrae: Sequence[Vertebra], kept: Sequence[Vertebra], sizes: Sequence[str]
) -> Frames:
    """Lay the frames; the cervical vertebrae still shape the curve."""
    return {
        size: [
            _LAY[size](vertebrae, vertebra, KINDS[f"patches_{size}"].shape, SPACING_MM)  # type: ignore[operator]
            for vertebra in kept
        ]
        for size in sizes
    }


def _sample_scan(
    scan: _Scan, frames: Frames
) -> tuple[dict[str, np.ndarray], dict[str, list[float]]]:
    arrays: dict[str, np.ndarray] = {}
    outside: dict[str, list[float]] = {}
    for size, laid in frames.items():
        arrays[f"patches_{size}"] = _empty(f"patches_{size}", len(laid))
        outside[size] = []
        for at, frame in enumerate(laid):
            hu, beyond = sample_volume(scan.volume, frame)
            arrays[f"patches_{size}"][at] = to_stored(KINDS[f"patches_{size}"], hu)
            outside[size].append(float(beyond))
        if scan.labels is not None:
            arrays[f"labels_{size}"] = _empty(f"labels_{size}", len(laid))
            for at, frame in enumerate(laid):
                arrays[f"labels_{size}"][at] = sample_labels(scan.labels, frame)
    return arrays, outside


def _empty(kind: str, n: int) -> np.ndarray:
    return np.empty((n, *KINDS[kind].shape), KINDS[kind].dtype)


def _sample_mask(
    path: Path,
    seg: str,
    kept: Sequence[Vertebra],
    frames: Frames,
    sampled: dict[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Sample a mask beside the vertebra mask: bodies, or the truth of a phantom."""
    mask = read_labels(path)
    if seg == "subreg":
        mask = body_mask(path.name, mask, "tptbox")
    stem = "body" if seg == "subreg" else seg
    arrays = {}
    for size, laid in frames.items():
        arrays[f"{stem}_{size}"] = _empty(f"{stem}_{size}", len(laid))
        for at, (vertebra, frame) in enumerate(zip(kept, laid, strict=True)):
            found = sample_labels(mask, frame)
            if stem == "body":
                found = _named(path, found, seg, sampled.get(f"labels_{size}"), at)
            else:
                found = found == vertebra.level.verse_label
            arrays[f"{stem}_{size}"][at] = found
    return arrays


def _named(
    path: Path, bodies: np.ndarray, seg: str, labels: np.ndarray | None, at: int
) -> np.ndarray:
    """Give bodies the labels of their vertebrae, where the mask does not separate them."""
    if seg == "body":
        return bodies
    if labels is None:
        raise FileFormatError(
            f"{path}: bodies without a vertebra mask cannot be separated; "
            f"expected a seg-{VERTEBRA_MASK} mask beside it."
        )
    return np.where(bodies > 0, labels[at], 0)


def _rows(
    files: SeriesFiles,
    scan: _Scan,
    kept: Sequence[Vertebra],
    frames: Frames,
    outside: dict[str, list[float]],
) -> list[VertebraRow]:
    paths = {"ct": files.ct, "mask": files.mask, "centroids": files.centroids}
    hashes = {role: sha256_file(path) for role, path in paths.items() if path}
    heights = {} if scan.labels is None else measure(scan.labels, scan.vertebrae)
    volume, rows = scan.volume, []
    for at, vertebra in enumerate(kept):
        measured = heights.get(vertebra.level)
        sheet, box = (frames[size][at] if size in frames else None for size in ("2d", "3d"))
        row = VertebraRow(
            level=vertebra.level.value,
            measured_loss=None if measured is None else measured.loss,
            measured_loss_sd=None if measured is None else loss_sd(measured.loss_interval),
            measured_broad_loss=None if measured is None else measured.broad_loss,
            flags=vertebra.flags,
            synthetic="evidence" in files.masks,
            centroid_mm=vertebra.centroid_mm,
            native_spacing_mm=volume.spacing_mm,
            scan_shape=volume.array.shape,
            scan_affine=tuple(volume.affine.ravel().tolist()),
            sheet=sheet if isinstance(sheet, SheetFrame) else None,
            box=box if isinstance(box, BoxFrame) else None,
            outside_2d=outside["2d"][at] if "2d" in outside else None,
            outside_3d=outside["3d"][at] if "3d" in outside else None,
            ct_sha256=hashes.get("ct"),
            mask_sha256=hashes.get("mask"),
            centroids_sha256=hashes.get("centroids"),
        )
        rows.append(row)
    return with_truth(rows, read_truth(files.truth)) if files.truth else rows
