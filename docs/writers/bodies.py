"""The part of docs/localizer.md on painted bodies: overlap, heights, suspicions."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from writers.markers import replaced
from writers.stored import stored

Rows = list[dict[str, Any]]
_GRADE_BOUNDS = (0.20, 0.25, 0.40)


def written(page: str, results: Path) -> str:
    """Return the page with the tables between the markers."""
    found = stored(results, "bodies.json")
    return replaced(
        page,
        "bodies",
        "\n\n".join([overlap(found), losses(found), added(found)]),
    )


def groups(found: dict[str, Any]) -> Iterable[tuple[str, Rows]]:
    """Name the scans that are counted together, and their rows."""
    for preset in found["presets"]:
        rows = [row for row in found["phantoms"] if row["scan"].startswith(preset)]
        yield f"phantoms, {preset}", rows
    for scan in dict.fromkeys(row["scan"] for row in found["real"]):
        yield f"real CT, {scan}", [row for row in found["real"] if row["scan"] == scan]


def overlap(found: dict[str, Any]) -> str:
    lines = [
        "| scans | bodies | Dice, mean | lowest tenth | of a box without looking | measured |",
        "|---|---|---|---|---|---|",
    ]
    for name, rows in groups(found):
        if not rows:
            continue
        dice = [row["dice"] for row in rows]
        box = np.mean([row["dice_box"] for row in rows])
        measured = np.mean([row["loss_painted"] is not None for row in rows])
        lines.append(
            f"| {name} | {len(rows)} | {np.mean(dice):.3f} | {np.quantile(dice, 0.1):.3f} "
            f"| {box:.3f} | {measured:.0%} |"
        )
    return "\n".join(lines)


def losses(found: dict[str, Any]) -> str:
    lines = [
        "| scans | bodies | against the given mask | of the constant 0 % | given mask against the "
        "truth | painted against the truth | truth in the interval |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, rows in groups(found):
        both = [r for r in rows if r["loss_painted"] is not None and r["loss_given"] is not None]
        if not both:
            continue
        painted, given = (
            np.array([r[key] for r in both]) for key in ("loss_painted", "loss_given")
        )
        cells = [points(painted - given), points(given), *against_truth(both)]
        lines.append(f"| {name} | {len(both)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def points(differences: np.ndarray) -> str:
    """Return the mean absolute difference in points of a percent."""
    return f"{100 * np.abs(differences).mean():.1f}"


def against_truth(rows: Rows) -> list[str]:
    known = [row for row in rows if row["loss_true"] is not None]
    if not known:
        return ["–", "–", "–"]
    true = np.array([row["loss_true"] for row in known])
    given, painted = (
        np.array([row[key] for row in known]) for key in ("loss_given", "loss_painted")
    )
    low, high = np.array([row["interval_painted"] for row in known]).T
    inside = np.mean((low <= true) & (true <= high))
    return [points(given - true), points(painted - true), f"{inside:.0%}"]


def added(found: dict[str, Any]) -> str:
    rows = found["suspected"]
    levels = [f"{row['scan']} {row['level']}" for row in rows if row["added"]]
    return (
        f"Of {len(rows)} real vertebrae, none of them with a known fracture, the painted mask adds "
        f"*fracture suspected* to {len(levels)}"
        f"{' (' + ', '.join(levels) + ')' if levels else ''} against the given mask. No "
        "fracture is among them, so that an answer that never suspects anything does as well."
    )


def draw(results: Path, images: Path) -> list[Path]:
    """Draw loss on the painted against loss on the given mask."""
    found = stored(results, "bodies.json")
    figure, axis = plt.subplots(figsize=(5.2, 4.6))
    for (name, rows), mark in zip(groups(found), "osv^D", strict=False):
        both = [r for r in rows if r["loss_painted"] is not None and r["loss_given"] is not None]
        axis.plot(
            [100 * row["loss_given"] for row in both],
            [100 * row["loss_painted"] for row in both],
            mark,
            ms=4,
            alpha=0.7,
            label=name,
        )
    axis.axline((0, 0), slope=1, color="0.6", lw=1)
    for bound in _GRADE_BOUNDS:
        axis.axhline(100 * bound, color="0.85", lw=0.8)
        axis.axvline(100 * bound, color="0.85", lw=0.8)
    axis.set_xlabel("loss on the given mask, %")
    axis.set_ylabel("loss on the painted mask, %")
    axis.legend(fontsize=7)
    figure.tight_layout()
    path = images / "localizer" / "bodies.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)
    return [path]
