"""In which order each reader meets the items: random, the same vertebra well apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spinexplain.study.record import ReaderPlan

_FAR, _TRIES = 5, 50


@dataclass(frozen=True)
class Planned:
    """An item before it is put in order.

    Parameters
    ----------
    id, case : str
    stage : {"unaided", "aided"}
    base : str
        Id of the item that it repeats; it comes well after that one.
    extra : bool
        Whether it is a foil or a repeat, which no reading without evidence belongs to.
    """

    id: str
    case: str
    stage: str = "aided"
    base: str = ""
    extra: bool = False


def reader_plan(items: Sequence[Planned], design: str, reader: int, seed: int) -> ReaderPlan:
    """Put the items in order for one reader.

    Parameters
    ----------
    items : sequence of Planned
    design : {"evidence", "sequential", "crossover"}
        ``"sequential"``: each vertebra without, at once followed by with its evidence, then
        foils and repeats. ``"crossover"``: in the first of two sessions half of the vertebrae
        with, half without evidence; in the second the other way round, and the extras.
    reader, seed : int
        Every reader has an order of their own.
    """
    rng = np.random.default_rng([seed, 43, reader])
    if design == "sequential":
        sessions = [_sequential(items, rng)]
    elif design == "crossover":
        sessions = _crossover(items, rng, swap=reader % 2 == 0)
    else:
        sessions = [_with_repeats(_apart([i for i in items if not i.base], rng), items, rng)]
    return ReaderPlan(
        number=reader, sessions=tuple(tuple(item.id for item in one) for one in sessions)
    )


def _sequential(items: Sequence[Planned], rng: np.random.Generator) -> list[Planned]:
    unaided = {item.case: item for item in items if item.stage == "unaided"}
    aided = _apart([i for i in items if i.stage == "aided" and not i.extra], rng)
    main = [one for item in aided for one in (unaided[item.case], item)]
    return main + _apart([item for item in items if item.extra], rng)


def _crossover(
    items: Sequence[Planned], rng: np.random.Generator, swap: bool
) -> list[list[Planned]]:
    cases = list(dict.fromkeys(item.case for item in items))
    drawn = np.random.default_rng(rng.integers(2**32)).permutation(len(cases))
    first = {cases[k] for k in drawn[: len(cases) // 2]}
    if swap:
        first = set(cases) - first
    main = [item for item in items if not item.extra]
    early = [i for i in main if (i.case in first) == (i.stage == "aided")]
    late = [i for i in main if (i.case in first) != (i.stage == "aided")]
    extras = _apart([item for item in items if item.extra], rng)
    return [_apart(early, rng), _apart(late, rng) + extras]


def _with_repeats(
    order: list[Planned], items: Sequence[Planned], rng: np.random.Generator
) -> list[Planned]:
    """Put each repeat at least a third of the study after what it repeats, where there is room."""
    order = list(order)
    for item in items:
        if item.base:
            place = next(k for k, one in enumerate(order) if one.id == item.base)
            least = min(place + max(len(order) // 3, 1) + 1, len(order))
            order.insert(int(rng.integers(least, len(order) + 1)), item)
    return order


def _apart(items: Sequence[Planned], rng: np.random.Generator) -> list[Planned]:
    """Shuffle, the items of one vertebra at least five apart where there are enough others."""
    best: list[Planned] = []
    for _ in range(_TRIES):
        order = _spread(items, rng)
        if _nearest(order) > _nearest(best):
            best = order
        if _nearest(best) > _FAR:
            break
    return best


def _spread(items: Sequence[Planned], rng: np.random.Generator) -> list[Planned]:
    left = [items[k] for k in rng.permutation(len(items))]
    order: list[Planned] = []
    while left:
        recent = {item.case for item in order[-_FAR:]}
        place = next((k for k, item in enumerate(left) if item.case not in recent), 0)
        order.append(left.pop(place))
    return order


def _nearest(order: Sequence[Planned]) -> int:
    """Return how far apart the nearest two items of one vertebra are; -1 of no order."""
    last: dict[str, int] = {}
    nearest = len(order) + _FAR if order else -1
    for place, item in enumerate(order):
        if item.case in last:
            nearest = min(nearest, place - last[item.case])
        last[item.case] = place
    return nearest
