"""Where the units of a network lie against the true evidence, vertebra by vertebra."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.explainers.dissection.activity import Activity, layer_activity
from spinexplain.explainers.dissection.grid import CellGrid, cell_grid
from spinexplain.explainers.dissection.record import unit_states
from spinexplain.explainers.dissection.samples import Samples
from spinexplain.explainers.dissection.statistics import ranks
from spinexplain.models.grader import Grader

TOP = 10


@dataclass(frozen=True)
class Units:
    """What the units of one layer did on N vertebrae, and on F fractured ones their evidence.

    Parameters
    ----------
    enabled : ndarray of bool, shape (N, U)
    ranked : ndarray of bool, shape (U,)
    positive : ndarray of bool, shape (N,)
    subjects : ndarray of int, shape (N,)
    inside, mask : ndarray, shape (N, U)
        Samples of the crop in the unit's mask and on the evidence, and in its mask; 0 for
        healthy vertebrae.
    evidence, crop : ndarray, shape (N,)
        Samples of the evidence, and of the crop where there is evidence.
    """

    enabled: np.ndarray
    ranked: np.ndarray
    positive: np.ndarray
    subjects: np.ndarray
    inside: np.ndarray
    mask: np.ndarray
    evidence: np.ndarray
    crop: np.ndarray

    def iou(self, times: np.ndarray | None = None) -> np.ndarray:
        """Intersection over union with the evidence, over vertebrae taken so many times."""
        w = np.ones(len(self.positive)) if times is None else times
        inside, mask = w @ self.inside, w @ self.mask
        return np.where(self.ranked, inside / (mask + w @ self.evidence - inside), 0.0)

    def share(self, times: np.ndarray | None = None) -> np.ndarray:
        """Share of each unit's mask on the evidence, in fractured vertebrae."""
        w = np.ones(len(self.positive)) if times is None else times
        return (w @ self.inside) / np.maximum(w @ self.mask, 1)

    def overlap(self, what: str, times: np.ndarray | None = None) -> np.ndarray:
        """Return ``iou`` or ``share`` of each unit."""
        return self.iou(times) if what == "iou" else self.share(times)

    @property
    def chance(self) -> float:
        """Share of the fractured vertebrae's crops that is evidence."""
        return float(self.evidence.sum() / self.crop.sum())

    def shares(self, times: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Share of fractured, and of healthy vertebrae that enable each unit."""
        w = np.ones(len(self.positive)) if times is None else times
        sick, well = w * self.positive, w * ~self.positive
        return sick @ self.enabled / sick.sum(), well @ self.enabled / well.sum()

    def top(self, by: str, times: np.ndarray | None = None) -> np.ndarray:
        """Return the first ten units, ``by`` contrast or eq1."""
        positive, negative = self.shares(times)
        values = {"contrast": positive - negative, "eq1": positive}[by]
        order = ranks(np.round(values, 9), self.ranked)
        return np.flatnonzero((order > 0) & (order <= TOP))[
            np.argsort(order[(order > 0) & (order <= TOP)])
        ]


def units_of(
    grader: Grader, samples: Samples, layer: str = "trunk", quantile: float = 0.995
) -> tuple[Units, Activity, CellGrid]:
    """Run a network over the vertebrae once and compare its units with their evidence."""
    activity = layer_activity(
        grader.model, layer, samples.batches(8), len(samples), quantile=quantile
    )
    field = getattr(getattr(grader.model, "trunk", None), "field", None)
    grid = cell_grid(activity.grid, samples.side, grader.spec.size, field)
    return compared(activity, grid, samples), activity, grid


def compared(
    activity: Activity, grid: CellGrid, samples: Samples, truth: np.ndarray | None = None
) -> Units:
    """Count the samples of every unit's mask, and those of them on the evidence.

    ``truth``, bool of shape (N, *S), may stand in for the planted evidence.
    """
    tails = activity.tails
    units, cells = activity.peaks.shape[1], activity.cells
    weight = grid.samples().reshape(-1).astype(float)
    of_sample = tails.places // cells
    inside, mask = np.zeros((2, len(samples), units))
    evidence, crop = np.zeros((2, len(samples)))
    order = np.argsort(of_sample, kind="stable")
    bounds = np.searchsorted(of_sample[order], np.arange(len(samples) + 1))
    at, of = tails.places[order] % cells, tails.units[order]
    for sample in np.flatnonzero(samples.positive):
        region = evidence_of(samples, sample) if truth is None else truth[sample]
        shares = grid.average(region[None]).reshape(-1) * weight
        mine = slice(bounds[sample], bounds[sample + 1])
        inside[sample] = np.bincount(of[mine], shares[at[mine]], minlength=units)
        mask[sample] = np.bincount(of[mine], weight[at[mine]], minlength=units)
        evidence[sample], crop[sample] = shares.sum(), weight.sum()
    return Units(
        enabled=activity.peaks > tails.thresholds,
        ranked=unit_states(tails.thresholds, tails.mass) != "silent",
        positive=samples.positive,
        subjects=np.unique(samples.column("subject"), return_inverse=True)[1],
        inside=inside,
        mask=mask,
        evidence=evidence,
        crop=crop,
    )


def evidence_of(samples: Samples, sample: int | np.integer, stem: str = "evidence") -> np.ndarray:
    """Return the planted evidence (or ``shortcut``) in one crop, bool."""
    axes = samples.spec.axes
    whole = samples.cohort.read(f"{stem}_{axes}d", samples.rows[sample : sample + 1], missing=0)[0]
    start = (whole.shape[0] - samples.side) // 2
    return whole[(slice(start, start + samples.side),) * axes] > 0
