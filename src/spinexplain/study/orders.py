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
    arm : str
        Whose evidence is shown; empty without any.
    """

    id: str
    case: str
    stage: str = "aided"
    base: str = ""
    extra: bool = False
    arm: str = ""


def reader_plan(items: Sequence[Planned], design: str, reader: int, seed: int) -> ReaderPlan:
    """Put the items in order for one reader.

    Parameters
    ----------
    items : sequence of Planned
    design : {"evidence", "sequential", "crossover"}
        ``"sequential"``: each vertebra without, at once followed by with its evidence, then
        foils and repeats; of several arms each vertebra gets one, which changes from reader to
        reader. ``"crossover"``: as many sessions as there are arms and one more; each vertebra is
        met once in each session, without evidence or with that of an arm, in rotation (a Latin
        square), and the extras come in the last.
    reader, seed : int
        Every reader has an order of their own.
    """
    rng = np.random.default_rng([seed, 43, reader])
    if design == "sequential":
        sessions = [_sequential(items, rng, reader, seed)]
    elif design == "crossover":
        sessions = _crossover(items, rng, reader, seed)
    else:
        sessions = [_with_repeats(_apart([i for i in items if not i.base], rng), items, rng)]
    return ReaderPlan(
        number=reader, sessions=tuple(tuple(item.id for item in one) for one in sessions)
    )


def _sequential(
    items: Sequence[Planned], rng: np.random.Generator, reader: int, seed: int
) -> list[Planned]:
    """Put each vertebra's page without evidence right before the page of its arm."""
    unaided = {item.case: item for item in items if item.stage == "unaided"}
    aided = [item for item in items if item.stage == "aided" and not item.extra]
    arms, turn = _arms(items), _turns(items, seed)
    shown = [i for i in aided if i.arm == arms[(turn[i.case] + reader) % len(arms)]]
    main = [one for item in _apart(shown, rng) for one in (unaided[item.case], item)]
    met = {item.id for item in shown}
    extras = [i for i in items if i.extra and (not i.base or i.base in met)]
    return main + _apart(extras, rng)


def _crossover(
    items: Sequence[Planned], rng: np.random.Generator, reader: int, seed: int
) -> list[list[Planned]]:
    """Rotate the vertebrae through every condition, one a session."""
    conditions: list[str | None] = [None, *_arms(items)]
    place = {condition: k for k, condition in enumerate(conditions)}
    turn, count = _turns(items, seed), len(conditions)
    main = [item for item in items if not item.extra]
    sessions: list[list[Planned]] = [[] for _ in conditions]
    for item in main:
        condition = None if item.stage == "unaided" else item.arm
        sessions[(turn[item.case] + place[condition] + reader) % count].append(item)
    ordered = [_apart(session, rng) for session in sessions]
    ordered[-1] += _apart([item for item in items if item.extra], rng)
    return ordered


def _arms(items: Sequence[Planned]) -> list[str]:
    """Return the arms in the order in which the items name them."""
    return list(dict.fromkeys(item.arm for item in items if item.stage == "aided"))


def _turns(items: Sequence[Planned], seed: int) -> dict[str, int]:
    """Number the vertebrae in an order drawn once for all readers, so that turns are balanced."""
    cases = list(dict.fromkeys(item.case for item in items))
    drawn = np.random.default_rng([seed, 44]).permutation(len(cases))
    return {cases[k]: turn for turn, k in enumerate(drawn.tolist())}


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
