"""The training pictures that drive a unit most, each as one slice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spinexplain.explainers.dissection.activity import Activity
from spinexplain.explainers.dissection.grid import CellGrid
from spinexplain.explainers.dissection.record import BestSample, PictureSource
from spinexplain.explainers.dissection.samples import Samples
from spinexplain.explainers.dissection.statistics import most_relevant
from spinexplain.progress import SILENT, Progress
from spinexplain.types import Provenance


def best_samples(
    activity: Activity,
    samples: Samples,
    grid: CellGrid,
    wanted: Sequence[tuple[int, int]],
    progress: Progress = SILENT,
) -> tuple[tuple[BestSample, ...], np.ndarray, tuple[PictureSource, ...]]:
    """Cut the pictures of fractured vertebrae in which units are most relevant.

    Parameters
    ----------
    activity : Activity
    samples : Samples
    grid : CellGrid
    wanted : sequence of (unit, count)
        How many pictures of which units, at most; samples in which a unit never exceeds
        its threshold are no examples of it.
    progress : Progress

    Returns
    -------
    best : tuple of BestSample
    pictures : ndarray of int16, shape (P, rows, columns)
        Each once, however many units it drives.
    sources : tuple of PictureSource, length P
    """
    chosen = _choose(activity, samples, wanted)
    slices = [(unit, sample, *_strongest(activity, grid, unit, sample)) for unit, sample in chosen]
    keys = list(dict.fromkeys((sample, plane) for _, sample, plane, _ in slices))
    numbers = {key: number for number, key in enumerate(keys)}
    relevance = activity.relevance()
    best = tuple(
        BestSample(unit, float(relevance[sample, unit]), numbers[sample, plane], cells)
        for unit, sample, plane, cells in slices
    )
    pictures = np.zeros((len(keys), samples.side, samples.side), np.int16)
    # By sample, so that every crop is read once.
    by_sample = sorted(numbers.items(), key=lambda item: item[0][0])
    read, crop = -1, np.zeros(())
    for done, ((sample, plane), number) in enumerate(by_sample):
        if sample != read:
            read, crop = sample, samples.crops(np.array([sample]))[0]
        pictures[number] = crop if plane is None else crop[..., plane]
        progress.step("pictures", done + 1, len(by_sample))
    return best, pictures, tuple(_source(samples, sample, plane) for sample, plane in keys)


def fractured_relevance(activity: Activity, samples: Samples) -> np.ndarray:
    """Return r (eq. 2) in the fractured samples and 0 in the others, float64, (N, U)."""
    return np.where(samples.positive[:, None], activity.relevance(), 0.0)


def _choose(
    activity: Activity, samples: Samples, wanted: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    relevance = fractured_relevance(activity, samples)
    return [
        (unit, sample)
        for unit, count in wanted
        for sample in most_relevant(relevance[:, unit], count)
    ]


def _strongest(
    activity: Activity, grid: CellGrid, unit: int, sample: int
) -> tuple[int | None, np.ndarray]:
    """Return the sagittal plane that holds most of a map, and the map in it."""
    cells = activity.map_above(unit, sample)
    return strongest_plane(cells, grid)


def strongest_plane(cells: np.ndarray, grid: CellGrid) -> tuple[int | None, np.ndarray]:
    """Return the left-right index of the crop where a map is strongest, and the map there.

    Parameters
    ----------
    cells : ndarray, shape (*G)
    grid : CellGrid

    Returns
    -------
    plane : int or None
        None for a 2-D map.
    cells : ndarray of float32, shape (rows, columns)
    """
    if cells.ndim == 2:
        return None, cells
    planes = np.stack([grid.plane(2, index) for index in range(grid.side)], axis=1)
    plane = int(np.argmax(cells.sum(axis=(0, 1)) @ planes))
    return plane, (cells @ planes[:, plane]).astype(np.float32)


def _source(samples: Samples, sample: int, plane: int | None) -> PictureSource:
    record = samples.cohort.index.loc[int(samples.rows[sample])]
    return PictureSource(
        Provenance(
            subject=str(record["subject"]),
            series=str(record["series"]),
            level=str(record["level"]),
            grade=str(record["grade"]),
            synthetic=bool(record["synthetic"]),
        ),
        plane,
    )
