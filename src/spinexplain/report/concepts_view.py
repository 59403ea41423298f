"""Units of a dissection prepared for drawing: tiles, figures, places, names."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spinexplain.explainers.dissection.names import Consensus, consensus
from spinexplain.explainers.dissection.record import BestSample, Dissection
from spinexplain.explainers.dissection.regions import REGIONS
from spinexplain.explainers.dissection.suggest import suggested_regions
from spinexplain.report.unit_pictures import sample_map
from spinexplain.texts.catalogue import Catalogue
from spinexplain.types import Provenance
from spinexplain.ui.contours import mass_contour
from spinexplain.ui.pictures import Album, Picture
from spinexplain.ui.tokens import GradeStyle, grade_style

TILES = 25
_PLACES = 5


@dataclass(frozen=True)
class Tile:
    """One training picture with the unit's activation on it."""

    picture: Picture
    wash: Picture
    contour: str
    provenance: Provenance
    grade: GradeStyle
    relevance: float


@dataclass(frozen=True)
class Place:
    """Share of a unit's mask on one part, percent, and how many times chance that is."""

    region: str
    share: float
    lift: float


@dataclass(frozen=True)
class RaterWord:
    """What one rater said of a unit."""

    rater: str
    name: str
    meaningful: bool | None
    note: str


@dataclass(frozen=True)
class UnitView:
    """Everything the page draws of one unit.

    Parameters
    ----------
    unit, rank, rank_low, rank_high, rank_eq1 : int
    figures : mapping of str to float or None
        Columns of the statistics by name, threshold, tail mass and effect.
    tiles : tuple of Tile
        Strongest first.
    places : tuple of Place
        Parts with the largest share, at most five.
    suggestion : str
        In words; empty where nothing stands out.
    partners : tuple of int
        Other units of its cluster, by rank.
    said : Consensus
    words : tuple of RaterWord
    sparse : bool
    """

    unit: int
    rank: int
    rank_low: int
    rank_high: int
    rank_eq1: int
    figures: Mapping[str, float | None]
    tiles: tuple[Tile, ...]
    places: tuple[Place, ...]
    suggestion: str
    partners: tuple[int, ...]
    said: Consensus
    words: tuple[RaterWord, ...]
    sparse: bool


def view_units(
    dissection: Dissection, count: int, album: Album, say: Catalogue
) -> tuple[UnitView, ...]:
    """Prepare the units most tied to fracture, best first."""
    return tuple(view_unit(dissection, unit, album, say) for unit in dissection.top(count))


def view_unit(
    dissection: Dissection, unit: int, album: Album, say: Catalogue, tiles: int = TILES
) -> UnitView:
    """Prepare one unit; without tiles only its figures."""
    statistics = dissection.statistics
    names = ("c_positive", "c_negative", "contrast", "auc_max", "auc_mean", "p", "q")
    outcomes = ("true_positive", "false_positive", "false_negative")
    return UnitView(
        unit=unit,
        rank=int(statistics.rank[unit]),
        rank_low=int(statistics.rank_low[unit]),
        rank_high=int(statistics.rank_high[unit]),
        rank_eq1=int(statistics.rank_eq1[unit]),
        figures={
            **{name: _finite(getattr(statistics, name)[unit]) for name in (*names, *outcomes)},
            "threshold": _finite(dissection.thresholds[unit]),
            "mass": _finite(dissection.mass[unit]),
            "effect": _finite(dissection.effects[unit]),
        },
        tiles=_tiles(dissection, unit, album, tiles),
        places=places_of(dissection, unit),
        suggestion=suggestion(dissection, unit, say),
        partners=partners_of(dissection, unit),
        said=consensus(dissection.names, unit),
        words=tuple(
            RaterWord(rater.rater, item.name, item.meaningful, item.note)
            for rater in dissection.names
            for item in rater.names
            if item.unit == unit and (item.name or item.note or item.meaningful is not None)
        ),
        sparse=bool(dissection.states[unit] == "sparse"),
    )


def places_of(dissection: Dissection, unit: int) -> tuple[Place, ...]:
    """Return the parts that hold most of a unit's mask; parts may overlap."""
    overlap = dissection.overlap
    places = [
        Place(
            region,
            100 * float(overlap.of(region, "inside")[unit]),
            float(overlap.of(region, "lift")[unit]),
        )
        for region in REGIONS
        if region in overlap.regions
    ]
    return tuple(sorted(places, key=lambda place: -place.share)[:_PLACES])


def suggestion(dissection: Dissection, unit: int, say: Catalogue) -> str:
    """Say in words which parts a unit favors; empty where none stands out."""
    regions = suggested_regions(dissection.overlap, unit)
    if {"superior_endplate", "inferior_endplate"} <= set(regions):
        return say("concepts.both_endplates")
    return say.listed([say(f"region.{region}") for region in regions])


def partners_of(dissection: Dissection, unit: int) -> tuple[int, ...]:
    """Return the other units of a unit's cluster, by rank."""
    cluster, rank = dissection.clusters, dissection.statistics.rank
    others = np.flatnonzero((cluster == cluster[unit]) & (cluster > 0))
    return tuple(int(one) for one in sorted(others, key=lambda k: rank[k]) if one != unit)


def _tiles(dissection: Dissection, unit: int, album: Album, count: int) -> tuple[Tile, ...]:
    best = dissection.best_of(unit)[:count]
    maps = [sample_map(dissection, item) for item in best]
    top = max((float(one.max()) for one in maps), default=0.0)
    return tuple(
        _tile(dissection, item, heat, top, album) for item, heat in zip(best, maps, strict=True)
    )


def _tile(
    dissection: Dissection, item: BestSample, heat: np.ndarray, top: float, album: Album
) -> Tile:
    source = dissection.sources[item.picture].provenance
    return Tile(
        picture=album.add_ct(dissection.pictures[item.picture].astype(np.float32), detail=2),
        wash=album.add_wash(heat, top, detail=1),
        contour=mass_contour(heat, 0.8),
        provenance=source,
        grade=grade_style(source.grade),
        relevance=item.relevance,
    )


def _finite(value: float) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
