"""How far neighboring centers lie apart, level by level: fitted to drawn persons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from spinexplain.localizer.naming import SACRUM, STATES, NamingPrior

_ROUNDS = 8


def fitted_gaps(persons: Sequence[Mapping[str, np.ndarray]]) -> NamingPrior:
    """Fit mean gaps, their spread in a person and the spread of sizes.

    Parameters
    ----------
    persons : sequence of mapping
        Level (``"C1"`` ... ``"S3"``) to body center (3,), mm, head to foot.

    Returns
    -------
    NamingPrior
        Other values as by default.

    Notes
    -----
    The logarithm of a gap is the sum of one value of its upper level and one of the person,
    found by turns; the values of the persons have mean 0.
    """
    rows = [
        (index, STATES.index(SACRUM if above[0] == "S" else above), float(np.log(gap)))
        for index, person in enumerate(persons)
        for above, gap in _gaps(person)
    ]
    who, level, value = (np.array(column) for column in zip(*rows, strict=True))
    mean, size = np.zeros(len(STATES)), np.zeros(len(persons))
    for _ in range(_ROUNDS):
        mean = _means(value - size[who], level, len(STATES))
        size = _means(value - mean[level], who, len(persons))
        size -= size.mean()
    left = value - mean[level] - size[who]
    known = np.isin(np.arange(len(STATES)), level)
    mean = np.where(
        known, mean, np.interp(np.arange(len(STATES)), np.flatnonzero(known), mean[known])
    )
    return NamingPrior(
        gap_mm=tuple(float(gap) for gap in np.exp(mean)),
        gap_spread=round(float(left.std()), 4),
        size_spread=round(float(size.std()), 4),
    )


def _gaps(person: Mapping[str, np.ndarray]) -> list[tuple[str, float]]:
    names, centers = list(person), np.array(list(person.values()))
    gaps = np.linalg.norm(np.diff(centers, axis=0), axis=1)
    return list(zip(names[:-1], gaps.tolist(), strict=True))


def _means(values: np.ndarray, groups: np.ndarray, count: int) -> np.ndarray:
    found = np.bincount(groups, minlength=count)
    return np.bincount(groups, values, minlength=count) / np.maximum(found, 1)
