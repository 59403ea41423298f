"""A finished dissection: what is known about every unit of a layer, as plain arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np

from spinexplain.errors import ModelError
from spinexplain.explainers.dissection.cautions import Caution
from spinexplain.explainers.dissection.grid import CellGrid
from spinexplain.explainers.dissection.names import RaterNames
from spinexplain.explainers.dissection.overlap import Overlap
from spinexplain.explainers.dissection.statistics import UnitStatistics
from spinexplain.types import ModelInfo, Provenance

STATES = ("ranked", "sparse", "silent")
"""Ranked; ranked although its threshold is 0, being active in fewer cells than the quantile
leaves; set aside, as nothing exceeds its threshold (a unit that is 0 everywhere)."""


@dataclass(frozen=True, eq=False)
class BestSample:
    """A training picture that drives a unit: one slice of a sample.

    Parameters
    ----------
    unit : int
    relevance : float
        Sum of its activation above the threshold in the whole sample (eq. 2).
    picture : int
        Which of the dissection's pictures.
    cells : ndarray of float32, shape (rows, columns)
        The activation above threshold in the slice, on the feature map's grid.
    """

    unit: int
    relevance: float
    picture: int
    cells: np.ndarray


@dataclass(frozen=True)
class PictureSource:
    """Whose a picture is; ``plane`` is its left-right index in a 3-D crop, else None."""

    provenance: Provenance
    plane: int | None = None


@dataclass(frozen=True, eq=False)
class Dissection:
    """What a layer's units respond to, and how they are tied to fracture.

    Parameters
    ----------
    model : ModelInfo
        Of the network that was dissected; its hash is what a dissection belongs to.
    layer : str
    quantile : float
    grid : CellGrid
        Where the layer's cells lie on a crop.
    thresholds : ndarray of float32, shape (U,)
    mass : ndarray of float64, shape (U,)
        Share of values above the threshold that was really reached.
    statistics : UnitStatistics
    clusters : ndarray of int, shape (U,)
        Units that rise and fall together share a number; 0 for those set aside.
    overlap : Overlap
    means : ndarray of float64, shape (U,)
        Mean activation over all cells, at which a silenced unit is held; NaN where a
        dissection of an earlier version did not note it.
    effects : ndarray of float64, shape (U,)
        What silencing a unit takes from the log odds of fracture, on average over the
        fractured vertebrae that drive it most; NaN where it was not measured.
    facts : mapping
        Cohort, split, counts of outcomes, seed: JSON-ready.
    cautions : tuple of Caution
        What to know before trusting it.
    best : tuple of BestSample
        Strongest first within a unit.
    pictures : ndarray of int16, shape (P, rows, columns)
        HU of the slices.
    sources : tuple of PictureSource, length P
    names : tuple of RaterNames
        What clinicians call the units.
    """

    model: ModelInfo
    layer: str
    quantile: float
    grid: CellGrid
    thresholds: np.ndarray
    mass: np.ndarray
    statistics: UnitStatistics
    clusters: np.ndarray
    overlap: Overlap
    means: np.ndarray
    effects: np.ndarray
    facts: Mapping[str, object]
    cautions: tuple[Caution, ...] = ()
    best: tuple[BestSample, ...] = ()
    pictures: np.ndarray = field(default_factory=lambda: np.zeros((0, 1, 1), np.int16))
    sources: tuple[PictureSource, ...] = ()
    names: tuple[RaterNames, ...] = ()

    @property
    def units(self) -> int:
        """Units of the layer."""
        return len(self.thresholds)

    @property
    def states(self) -> np.ndarray:
        """State of each unit, one of ``STATES``."""
        return unit_states(self.thresholds, self.mass)

    @property
    def key(self) -> str:
        """What names of units belong to: this model's bytes and this layer."""
        return names_key(weights_hash(self.model), self.layer)

    def top(self, count: int) -> list[int]:
        """Return the units most tied to fracture, best first."""
        rank = self.statistics.rank
        order = np.argsort(rank, kind="stable")
        return [int(unit) for unit in order[rank[order] > 0][:count]]

    def best_of(self, unit: int) -> list[BestSample]:
        """Return a unit's best training pictures, strongest first."""
        return [item for item in self.best if item.unit == unit]

    def columns(self) -> dict[str, np.ndarray]:
        """Return everything known of the units as columns of one table, each of length U."""
        table: dict[str, np.ndarray] = {
            "unit": np.arange(self.units),
            "state": self.states,
            "threshold": self.thresholds,
            "tail_mass": self.mass,
        }
        table |= {f.name: getattr(self.statistics, f.name) for f in fields(UnitStatistics)}
        table |= {"cluster": self.clusters, "mean": self.means, "effect": self.effects}
        for region in self.overlap.regions:
            for what in ("iou", "inside", "lift"):
                table[f"{what}_{region}"] = self.overlap.of(region, what)
        return table

    def check_model(self, model: ModelInfo) -> None:
        """Refuse any model but the one that was dissected.

        Raises
        ------
        ModelError
            If the hashes differ.
        """
        if not self.fits(model):
            raise ModelError(
                f'the dissection is of model "{self.model.name}" (weights '
                f'{_short(self.model)}); got "{model.name}" ({_short(model)}). Units mean nothing '
                "in another network: dissect this one."
            )

    def fits(self, model: ModelInfo) -> bool:
        """Whether a model has the weights of the one that was dissected."""
        if not weights_hash(model):  # a bare module: all that is known of it must be the same
            return model == self.model
        return weights_hash(model) == weights_hash(self.model)


def weights_hash(model: ModelInfo) -> str:
    """Return what identifies a network: the hash of its weights, or its bundle's."""
    return model.weights_sha256 or model.sha256


def _short(model: ModelInfo) -> str:
    return weights_hash(model)[:12] or "no hash"


def unit_states(thresholds: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Say which units are ranked, sparse or silent.

    Examples
    --------
    >>> unit_states(np.array([0.3, 0.0, 0.0]), np.array([0.005, 0.001, 0.0])).tolist()
    ['ranked', 'sparse', 'silent']
    """
    return np.where(mass == 0, "silent", np.where(thresholds == 0, "sparse", "ranked"))


def names_key(weights_sha256: str, layer: str) -> str:
    """Hash what names of units belong to.

    Examples
    --------
    >>> names_key("ab", "trunk")[:8]
    '461b54b6'
    """
    return hashlib.sha256(f"{weights_sha256}\n{layer}".encode()).hexdigest()
