"""Shares of yes set against each other: real evidence and foils, arms, right and wrong grades."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations, product
from typing import Any

import numpy as np

from spinexplain.evaluate.bootstrap import DRAWS, FEWEST_SUBJECTS, Interval, weighted_bootstrap
from spinexplain.study.asking import Question
from spinexplain.study.pools import ALL, pools
from spinexplain.study.tally import Page, Tally, page_shares

ONE_ANSWER = "no interval: one answer to everything"


def foil_rows(
    found: Tally, question: Question, seed: int, draws: int = DRAWS
) -> list[dict[str, Any]]:
    """Compare the share of yes on real evidence with that on foils, by reader and kind of foil.

    The share is of pieces, so that a reader who says yes to two pieces of three counts as
    less sure than one who says yes to all.
    """
    shares = page_shares(found, question)
    rows = []
    kinds = dict.fromkeys(page.foil for page in found.pages if page.foil)
    for arm in dict.fromkeys(page.arm for page in found.pages if page.foil):
        readers: list[tuple[int | str, list[int]]] = [
            *((reader, [k]) for k, reader in enumerate(found.readers)),
            *pools(found, question),
        ]
        for reader, columns in readers:
            for kind in (*kinds, ALL):
                chosen = found.where(_real_or_foil(arm, kind))
                values = _over_readers(shares[chosen][:, columns])
                rows.append(
                    {
                        "arm": arm,
                        "question": question.key,
                        "reader": reader,
                        "readers": len(columns),
                        "foil": kind,
                        **_real_against_foil(found, chosen, values, seed, draws),
                    }
                )
    return [row for row in rows if row["foil_pages"]]


def _real_against_foil(
    found: Tally,
    chosen: np.ndarray,
    values: np.ndarray,
    seed: int,
    draws: int,
) -> dict[str, Any]:
    is_foil = np.array([bool(found.pages[row].foil) for row in chosen], bool)
    known = np.isfinite(values)
    owners, names = found.subjects(chosen), ("real evidence", "foils")
    apart = _difference(values, ~is_foil, is_foil, owners, seed, draws, names)
    constant = len({float(v) for v in values[known]}) == 1 and values[known][0] in (0.0, 1.0)
    return {
        "real": _plain_mean(values[known & ~is_foil]),
        "false": _plain_mean(values[known & is_foil]),
        "real_pages": int((known & ~is_foil).sum()),
        "foil_pages": int((known & is_foil).sum()),
        "difference": interval_content(apart),
        "verdict": _verdict(apart, bool(constant)),
    }


def _verdict(apart: Interval, constant: bool) -> str:
    if constant:
        return "uninformative: one answer to everything"
    if not np.isfinite(apart.low):
        return apart.note or "not computed"
    if apart.low > 0:
        return "separates real evidence from foils"
    return "prefers the foils" if apart.high < 0 else "does not separate real evidence from foils"


def arm_rows(
    found: Tally, question: Question, seed: int, draws: int = DRAWS
) -> list[dict[str, Any]]:
    """Compare arms by the share of yes on real evidence of the same vertebrae."""
    answers = page_shares(found, question)
    arms = list(dict.fromkeys(page.arm for page in found.pages if page.real))
    rows = []
    pairs = combinations(arms, 2)
    for (first, second), (reader, columns) in product(pairs, pools(found, question)):
        shares = _over_readers(answers[:, columns])
        chosen = found.where(_real_of((first, second)))
        is_first = np.array([found.pages[row].arm == first for row in chosen], bool)
        values, owners = shares[chosen], found.subjects(chosen)
        known = np.isfinite(values)
        if not (known & is_first).any() or not (known & ~is_first).any():
            continue  # one of them was not asked: a map has no training picture
        apart = _difference(values, is_first, ~is_first, owners, seed, draws, (first, second))
        rows.append(
            {
                "question": question.key,
                "reader": reader,
                "first": first,
                "second": second,
                "first_share": _plain_mean(values[is_first & np.isfinite(values)]),
                "second_share": _plain_mean(values[~is_first & np.isfinite(values)]),
                "difference": interval_content(apart),
            }
        )
    return rows


def right_rows(
    found: Tally, question: Question, seed: int, draws: int = DRAWS
) -> list[dict[str, Any]]:
    """Compare the share of yes where the model is right with where it is wrong.

    Evidence that is as convincing for a wrong grade warns nobody.
    """
    answers = page_shares(found, question)
    rows = []
    arms = dict.fromkeys(page.arm for page in found.pages if page.real)
    for arm, (reader, columns) in product(arms, pools(found, question)):
        shares = _over_readers(answers[:, columns])
        chosen = found.where(_real_of((arm,)))
        right = np.array([found.pages[row].right for row in chosen], bool)
        values = shares[chosen]
        known = np.isfinite(values)
        if not (known & right).any() or not (known & ~right).any():
            continue
        names = ("pages where the model is right", "pages where it is wrong")
        apart = _difference(values, right, ~right, found.subjects(chosen), seed, draws, names)
        rows.append(
            {
                "arm": arm,
                "question": question.key,
                "reader": reader,
                "right": _plain_mean(values[known & right]),
                "wrong": _plain_mean(values[known & ~right]),
                "wrong_pages": int((known & ~right).sum()),
                "difference": interval_content(apart),
            }
        )
    return rows


def _real_or_foil(arm: str, kind: str) -> Callable[[Page], bool]:
    def wanted(page: Page) -> bool:
        is_foil = bool(page.foil) and kind in (page.foil, ALL)
        return page.arm == arm and (page.real or is_foil)

    return wanted


def _real_of(arms: Sequence[str]) -> Callable[[Page], bool]:
    def wanted(page: Page) -> bool:
        return page.real and page.arm in arms

    return wanted


def _over_readers(values: np.ndarray) -> np.ndarray:
    """Average (pages, readers) over the readers who answered."""
    known = np.isfinite(values)
    counts = known.sum(axis=1)
    total = np.where(known, values, 0).sum(axis=1)
    return np.where(counts > 0, total / np.where(counts > 0, counts, 1), np.nan)


def _difference(
    values: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    owners: np.ndarray,
    seed: int,
    draws: int,
    names: tuple[str, str],
) -> Interval:
    """Put an interval around the difference of two means, whole patients drawn."""
    known = np.isfinite(values)
    if not (known & first).any() or not (known & second).any():
        return Interval(float("nan"), float("nan"), float("nan"), "no answers")
    for side, name in zip((first, second), names, strict=True):
        count = len(np.unique(owners[known & side]))
        if count < FEWEST_SUBJECTS:
            value = float(values[known & first].mean() - values[known & second].mean())
            note = f"no interval: {name} of {count} patients, expected {FEWEST_SUBJECTS}"
            return Interval(value, float("nan"), float("nan"), note)
    if len(np.unique(values[known])) == 1:
        return Interval(0.0, float("nan"), float("nan"), ONE_ANSWER)
    kept, one, other = values[known], first[known].astype(float), second[known].astype(float)

    def figure(rows: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            return rows @ (kept * one) / (rows @ one) - rows @ (kept * other) / (rows @ other)

    return weighted_bootstrap(figure, owners[known], seed, draws)


def _plain_mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def interval_content(interval: Interval) -> dict[str, Any]:
    """Return an interval as JSON: null where there is no number."""
    numbers = {name: getattr(interval, name) for name in ("value", "low", "high")}
    known = {name: float(v) if np.isfinite(v) else None for name, v in numbers.items()}
    return {**known, "note": interval.note}
