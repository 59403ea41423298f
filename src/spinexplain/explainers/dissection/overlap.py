"""How far units overlap with anatomy, with true evidence and with planted shortcuts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from spinexplain.explainers.dissection.activity import Activity
from spinexplain.explainers.dissection.grid import CellGrid
from spinexplain.explainers.dissection.regions import REGIONS
from spinexplain.progress import SILENT, Progress


@dataclass(frozen=True, eq=False)
class Overlap:
    """Overlap of every unit with every region; arrays have the shape (U, R).

    Parameters
    ----------
    regions : tuple of str
        Regions that at least one sample has.
    iou : ndarray
        Intersection over union of the unit's mask (activation above threshold) and the
        region, over all samples together, in samples of the crop.
    inside : ndarray
        Share of the unit's mask inside the region; 0 for a unit that is never above.
    lift : ndarray
        ``inside`` over the region's share of all crops: 1 is chance.
    """

    regions: tuple[str, ...]
    iou: np.ndarray
    inside: np.ndarray
    lift: np.ndarray

    def of(self, region: str, what: str = "iou") -> np.ndarray:
        """Return one measure of one region, shape (U,); NaN where no sample has the region."""
        values: np.ndarray = getattr(self, what)
        if region not in self.regions:
            return np.full(len(values), np.nan)
        return values[:, self.regions.index(region)]


def unit_overlap(
    activity: Activity,
    grid: CellGrid,
    regions: Iterable[Mapping[str, np.ndarray]],
    progress: Progress = SILENT,
) -> Overlap:
    """Compare the masks of all units with the regions of all samples.

    Parameters
    ----------
    activity : Activity
    grid : CellGrid
        Where the cells lie on the crop.
    regions : iterable of mapping
        For each sample in turn its regions, bool, shape (*S); a region that is left out is
        unknown there, and the sample does not count for it.
    progress : Progress

    Notes
    -----
    A cell above the threshold stands for the samples nearest to it, so the overlap is that
    of the mask drawn on the crop without interpolation. Sums over samples come before the
    ratio, as in network dissection, so that rare units are not rated on one sample each.
    """
    units, cells = activity.peaks.shape[1], activity.cells
    weight = grid.samples().reshape(-1).astype(float)
    place, unit, bounds = _by_sample(activity)
    inside, mask, region = np.zeros((3, units, len(REGIONS)))
    known = np.zeros(len(REGIONS))
    for sample, found in enumerate(regions):
        mine = slice(bounds[sample], bounds[sample + 1])
        at, of = place[mine] % cells, unit[mine]
        columns = [REGIONS.index(name) for name in found]
        if columns:
            shares = grid.average(np.stack(list(found.values()))).reshape(len(columns), -1)
            shares = shares * weight
            size = np.bincount(of, weight[at], minlength=units)
            for column, share in zip(columns, shares, strict=True):
                inside[:, column] += np.bincount(of, share[at], minlength=units)
                mask[:, column] += size
                region[:, column] += share.sum()
                known[column] += weight.sum()
        progress.step("overlap", sample + 1, len(activity.peaks))
    return _ratios(inside, mask, region, known)


def _by_sample(activity: Activity) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return places and units of all entries by sample, and where each sample begins."""
    places, samples = activity.tails.places, len(activity.peaks)
    of_sample = places // activity.cells
    order = np.argsort(of_sample, kind="stable")
    bounds = np.searchsorted(of_sample[order], np.arange(samples + 1))
    return places[order], activity.tails.units[order], bounds


def _ratios(inside: np.ndarray, mask: np.ndarray, region: np.ndarray, known: np.ndarray) -> Overlap:
    seen = region[0] > 0
    names = tuple(name for name, here in zip(REGIONS, seen, strict=True) if here)
    inside, mask, region = inside[:, seen], mask[:, seen], region[:, seen]
    share = inside / np.maximum(mask, 1)
    chance = region / known[seen]
    return Overlap(names, inside / (mask + region - inside), share, share / chance)
