"""Simulated raters: three grades of a vertebra whose true height loss is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spinexplain.data.shard import SeriesShard

RATERS = 3
LOWEST_LOSS = (0.20, 0.25, 0.40)
"""Height loss from which a vertebra is G1, G2 and G3 (Genant et al. 1993)."""


def rated(shard: SeriesShard, error: float, rng: np.random.Generator) -> SeriesShard:
    """Return the shard with three simulated raters' grades of every vertebra.

    A rater sees the true height loss with an error of his own and grades it by Genant's
    thresholds. The grade of the row stays the truth.

    Parameters
    ----------
    shard : SeriesShard
    error : float
        Standard deviation of the error, as a share of the vertebra's height.
    rng : Generator
    """
    rows = []
    for row in shard.rows:
        seen = (row.loss or 0.0) + rng.normal(0, error, RATERS)
        grades = np.searchsorted(LOWEST_LOSS, seen, side="right")
        rows.append(replace(row, ratings=tuple(f"G{grade}" for grade in grades)))
    return replace(shard, rows=rows)
