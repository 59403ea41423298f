"""Files about a dissection's strongest units: collages, every slice, NIfTI in patient space."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spinexplain.analysis.dissection.dissect import Dissected
from spinexplain.errors import ConfigError
from spinexplain.explainers.dissection.exemplars import fractured_relevance
from spinexplain.explainers.dissection.record import Dissection
from spinexplain.explainers.dissection.statistics import most_relevant
from spinexplain.geometry import BoxFrame, SheetFrame
from spinexplain.io.nifti import write_nifti
from spinexplain.progress import SILENT, Progress
from spinexplain.report.unit_pictures import collage, slices, write_png
from spinexplain.results.heatmaps import file_name
from spinexplain.spine.paint import paint_back
from spinexplain.types import Volume

COLLAGES, UNITS = "collages", "units"
_AIR_HU = -1000.0


def write_collages(dissection: Dissection, folder: Path, top: int = 10) -> list[Path]:
    """Write one collage of 25 strongly activating fractured samples for each top unit.

    Returns
    -------
    list of Path
        ``collages/rank-01_unit-084.png`` and so on.
    """
    (folder / COLLAGES).mkdir(exist_ok=True)
    paths = []
    for place, unit in enumerate(dissection.top(top), start=1):
        path = folder / COLLAGES / f"{_stem(place, unit)}.png"
        write_png(path, collage(dissection, unit))
        paths.append(path)
    return paths


def write_unit_files(
    dissected: Dissected,
    folder: Path,
    units: int = 5,
    samples: int = 5,
    progress: Progress = SILENT,
) -> int:
    """Write every slice and three NIfTI files of the samples that drive the top units most.

    Parameters
    ----------
    dissected : Dissected
    folder : Path
        Files go into ``units/`` in it.
    units, samples : int
        Top units, and samples of each.
    progress : Progress

    Returns
    -------
    int
        Samples without NIfTI files, because they were drawn and lie in no patient.

    Notes
    -----
    ``ct``, ``activation`` (above the threshold) and ``masked-ct`` (the CT there, air
    elsewhere) lie in the patient's RAS+ millimeters. A box is written on its own oblique
    lattice, without resampling; a sheet, being curved, is painted on a 1 mm lattice.
    """
    chosen = [
        (place, unit, rank, sample)
        for place, unit in enumerate(dissected.dissection.top(units), start=1)
        for rank, sample in enumerate(_strongest(dissected, unit, samples), start=1)
    ]
    placeless = 0
    for done, (place, unit, rank, sample) in enumerate(chosen, start=1):
        crop = dissected.samples.crops(np.array([sample]))[0]
        heat = dissected.dissection.grid.spread(dissected.activity.map_above(unit, sample))
        level = str(dissected.samples.column("level")[sample])
        subject = str(dissected.samples.column("subject")[sample])
        out = folder / UNITS / _stem(place, unit)
        out.mkdir(parents=True, exist_ok=True)
        stem = file_name(f"{rank}", subject, level)
        write_png(out / f"{stem}_slices.png", slices(crop, heat))
        placeless += not _write_volumes(out, stem, dissected, sample, crop, heat)
        progress.step("unit files", done, len(chosen))
    return placeless


def _strongest(dissected: Dissected, unit: int, count: int) -> list[int]:
    relevance = fractured_relevance(dissected.activity, dissected.samples)
    return most_relevant(relevance[:, unit], count)


def _write_volumes(
    out: Path, stem: str, dissected: Dissected, sample: int, crop: np.ndarray, heat: np.ndarray
) -> bool:
    """Write CT, activation and masked CT; False where the sample lies in no patient."""
    samples = dissected.samples
    row, axes = int(samples.rows[sample]), samples.spec.axes
    try:
        stored = samples.cohort.frame(row, f"{axes}d")
    except ConfigError:
        return False
    frame = _cut(stored, samples.side)
    masked = np.where(heat > 0, crop, _AIR_HU).astype(np.float32)
    for name, values, outside in (
        ("ct", crop, _AIR_HU),
        ("activation", heat, 0.0),
        ("masked-ct", masked, _AIR_HU),
    ):
        array, affine = _placed(values, frame, outside)
        write_nifti(out / f"{stem}_{name}.nii.gz", array, affine)
    return True


def _cut(frame: SheetFrame | BoxFrame, side: int) -> SheetFrame | BoxFrame:
    """Return the frame of the middle part of a patch."""
    shift = (frame.shape[0] - side) // 2 - (frame.shape[0] - side) / 2
    if isinstance(frame, BoxFrame):
        center = frame.center_mm + shift * frame.spacing_mm * frame.axes.sum(axis=0)
        return BoxFrame(center, frame.axes, (side, side, side), frame.spacing_mm)
    return SheetFrame(
        frame.coronal,
        frame.s_center_mm + shift * frame.spacing_mm,
        frame.y_center_mm - shift * frame.spacing_mm,
        (side, side),
        frame.spacing_mm,
        frame.offset_mm,
    )


def _placed(
    values: np.ndarray, frame: SheetFrame | BoxFrame, outside: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return an array in space with its affine: a box as it is, a sheet painted."""
    if isinstance(frame, BoxFrame):
        affine = np.eye(4)
        affine[:3, :3] = frame.axes.T * frame.spacing_mm
        affine[:3, 3] = frame.to_mm(np.zeros(3))
        return _stored(values), affine
    corners = np.stack(np.meshgrid(*[np.arange(n) for n in frame.shape], indexing="ij"), axis=-1)
    points = frame.to_mm(corners.reshape(-1, 2).astype(float))
    low = np.floor(points.min(axis=0)) - 2
    shape = tuple((np.ceil(points.max(axis=0)) + 3 - low).astype(int).tolist())
    lattice = np.eye(4)
    lattice[:3, 3] = low
    blank = Volume(np.zeros(shape, np.int16), lattice)
    # Painting leaves 0 where the sheet does not reach: shifted, so that 0 HU stays 0 HU.
    painted = paint_back(values - outside + 1, frame, blank)
    array = np.where(painted.array > 0, painted.array - 1 + outside, outside)
    return _stored(array.astype(np.float32)), painted.affine


def _stored(values: np.ndarray) -> np.ndarray:
    whole = np.rint(values)
    return whole.astype(np.int16) if np.array_equal(whole, values) else values.astype(np.float32)


def _stem(place: int, unit: int) -> str:
    return f"rank-{place:02d}_unit-{unit:03d}"
