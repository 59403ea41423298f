"""What evidence does to reading: the same vertebrae graded without and with it."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from spinexplain.evaluate.bootstrap import DRAWS, Interval, weighted_bootstrap
from spinexplain.study.tally import Page, Tally, numbers, page_answers

GRADE, SUSPICION = "grade", "suspicion"
WITHOUT = "without"
"""Reading without any evidence."""
FRACTURED = ("G2", "G3")


def reading_figures(found: Tally, seed: int, draws: int = DRAWS) -> list[dict[str, Any]]:
    """Compare reading without evidence and with that of each arm, reader by reader.

    Parameters
    ----------
    found : Tally
    seed : int
    draws : int

    Returns
    -------
    list of dict
        One a reader, two ways of reading (``first``, ``second``: ``"without"`` or an arm) and
        figure: ``"sensitivity"``, ``"specificity"`` (of G2 and G3, by the question ``grade``) and
        ``"auc"`` (by ``suspicion``), each by the ``first_value``, the ``second_value``, and the
        difference with its interval by patient, on the vertebrae that the reader read both ways.
        Empty where no vertebra was read in two ways.
    """
    if not any(page.stage == "unaided" for page in found.pages):
        return []
    arms = list(dict.fromkeys(page.arm for page in found.pages if page.real))
    return [
        row
        for first, second in combinations([WITHOUT, *arms], 2)
        for row in _ways_compared(found, first, second, seed, draws)
    ]


def _ways_compared(
    found: Tally, first: str, second: str, seed: int, draws: int
) -> list[dict[str, Any]]:
    pairs = _pairs(found, first, second)
    truth = np.array([found.pages[row].grade in FRACTURED for row in pairs[:, 0]], bool)
    owners = found.subjects(pairs[:, 0])
    rows = []
    for column, reader in enumerate(found.readers):
        for name, values, kept in _values(found, pairs, truth, column):
            if first != WITHOUT and not kept.any():
                continue  # in a sequential study every vertebra has one arm
            compared = _compared(name, values, truth, kept, owners, seed, draws)
            known = {"reader": reader, "first": first, "second": second, "figure": name}
            rows.append(known | compared)
    return rows


def _pairs(found: Tally, first: str, second: str) -> np.ndarray:
    """Return the pages of each vertebra read in one way and in the other, int (n, 2)."""
    one, other = (_pages(found, way) for way in (first, second))
    pairs = [(row, other[case]) for case, row in one.items() if case in other]
    return np.array(pairs, int).reshape(-1, 2)


def _pages(found: Tally, way: str) -> dict[str, int]:
    """Return the page of each vertebra without evidence, or with that of an arm."""
    return {
        page.case: row
        for row, page in enumerate(found.pages)
        if (page.stage == "unaided" if way == WITHOUT else page.real and page.arm == way)
    }


def _values(
    found: Tally, pairs: np.ndarray, truth: np.ndarray, column: int
) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Return (figure, what was said without and with (n, 2), rows that count)."""
    out = []
    grade, suspicion = found.study.question(GRADE), found.study.question(SUSPICION)
    if grade is not None and set(grade.options) >= set(FRACTURED):
        called = page_answers(found, grade)[pairs, column]
        least = min(grade.options.index(name) for name in FRACTURED)
        positive = np.where(np.isfinite(called), called >= least, np.nan)
        both = np.isfinite(positive).all(axis=1)
        out.append(("sensitivity", positive, both & truth))
        out.append(("specificity", 1 - positive, both & ~truth))
    if suspicion is not None:
        scores = numbers(found, suspicion)[pairs, column]
        out.append(("auc", scores, np.isfinite(scores).all(axis=1)))
    return out


def _compared(
    name: str,
    values: np.ndarray,
    truth: np.ndarray,
    kept: np.ndarray,
    owners: np.ndarray,
    seed: int,
    draws: int,
) -> dict[str, Any]:
    chosen, labels = values[kept], truth[kept]
    if not kept.any() or (name == "auc" and len(set(labels.tolist())) < 2):
        return {
            "pages": int(kept.sum()),
            "first_value": None,
            "second_value": None,
            "difference": None,
        }

    def figure(rows: np.ndarray, side: int) -> np.ndarray:
        if name == "auc":
            return _areas(chosen[:, side], labels, rows)
        return np.asarray(rows @ chosen[:, side] / rows.sum(axis=1))

    once = np.ones((1, len(chosen)))
    apart = weighted_bootstrap(
        lambda rows: figure(rows, 1) - figure(rows, 0), owners[kept], seed, draws
    )
    return {
        "pages": int(kept.sum()),
        "first_value": float(figure(once, 0)[0]),
        "second_value": float(figure(once, 1)[0]),
        "difference": _content(apart),
    }


def _areas(scores: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the area under the ROC curve of every draw, rows weighted."""
    above = scores[labels][:, None] - scores[~labels][None, :]
    wins = np.where(above > 0, 1.0, np.where(above == 0, 0.5, 0.0))
    positive, negative = rows[:, labels], rows[:, ~labels]
    total = positive.sum(axis=1) * negative.sum(axis=1)
    won = np.einsum("dp,pn,dn->d", positive, wins, negative)
    return np.where(total > 0, won / np.where(total > 0, total, 1), np.nan)


def _content(interval: Interval) -> dict[str, Any]:
    numbers_of = {name: getattr(interval, name) for name in ("value", "low", "high")}
    known = {name: float(v) if np.isfinite(v) else None for name, v in numbers_of.items()}
    return {**known, "note": interval.note}


def is_fractured(page: Page) -> bool:
    """Whether a page's vertebra is fractured, moderate or severe."""
    return page.grade in FRACTURED
