"""The tables of docs/phantom.md on the height loss that was planted and that is measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from writers.markers import replaced
from writers.stored import stored

EDGES = np.array([0.2, 0.25, 0.4])
CLEAR = 0.02  # of the height: nearer to a boundary a class is not counted


def written(page: str, results: Path) -> str:
    """Return the page with both tables between the markers."""
    figures = stored(results, "accuracy.json")
    lines = [*phantom_table(figures["phantoms"]), "", *real_table(figures["real"])]
    return replaced(page, "accuracy", "\n".join(lines))


def class_of(loss: float) -> int:
    """Return Genant's grade of an own loss."""
    return int(np.sum(loss >= EDGES))


def phantom_table(rows: list[dict[str, Any]]) -> list[str]:
    """Sum up the phantoms."""
    planted = np.array([row["planted"] for row in rows])
    measured = np.array([row["measured"] for row in rows])
    errors = 100 * (measured - planted)
    clear = np.abs(planted[:, None] - EDGES).min(axis=1) > CLEAR
    same = np.array([class_of(a) == class_of(b) for a, b in zip(planted, measured, strict=True)])
    shape = np.array([row["shape"] for row in rows])
    head = "| phantoms at 1 mm | vertebrae | mean absolute error, points | bias | 95 % below |"
    lines = [head, "|---|---|---|---|---|"]
    for name in ("all", *sorted(set(shape))):
        e = errors if name == "all" else errors[shape == name]
        cells = (len(e), np.abs(e).mean(), e.mean(), np.quantile(np.abs(e), 0.95))
        lines.append(f"| {name} | {cells[0]} | {cells[1]:.1f} | {cells[2]:+.1f} | {cells[3]:.1f} |")
    found = (
        f"Class found: {same[clear].sum()} of {clear.sum()} vertebrae more than 2 points "
        f"from a boundary ({same[clear].mean():.0%}; target 95 %). Target of the error: "
        "below 2 points."
    )
    return [*lines, "", found]


def real_table(rows: list[dict[str, Any]]) -> list[str]:
    """Sum up the real CTs."""
    head = (
        "| real CT, simulated fractures | level | fractures | mean absolute error, points "
        "| largest | within 3 points |"
    )
    lines = [head, "|---|---|---|---|---|---|"]
    for place in dict.fromkeys((row["scan"], row["level"]) for row in rows):
        own = [row for row in rows if (row["scan"], row["level"]) == place]
        errors = np.array([100 * abs(row["measured"] - row["asked"]) for row in own])
        cells = f"{len(errors)} | {errors.mean():.1f} | {errors.max():.1f} | {(errors <= 3).sum()}"
        lines.append(f"| {' | '.join(place)} | {cells} of {len(errors)} |")
    return lines
