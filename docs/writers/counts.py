# ruff: noqa: E501  (prose)
"""Counts written as shares with their intervals."""

from __future__ import annotations

import numpy as np


def share_of(pair: list[int], bar: int | None = None) -> str:
    """Write a count as a share, with Wilson's interval; with a decimal where it would look like its bar."""
    count, of = pair
    if not of:
        return "–"
    low, high = wilson(count, of)
    percent = 100 * count / of
    digits = 1 if bar is not None and f"{percent:.0f}" == f"{bar}" else 0
    return f"{percent:.{digits}f} % ({100 * low:.0f} to {100 * high:.0f}; {count}/{of})"


def wilson(count: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval; vertebrae of one spine are not independent, so it is narrow."""
    z, share = 1.96, count / of
    middle = (share + z**2 / (2 * of)) / (1 + z**2 / of)
    reach = z * np.sqrt(share * (1 - share) / of + z**2 / (4 * of**2)) / (1 + z**2 / of)
    return max(middle - reach, 0.0), min(middle + reach, 1.0)
