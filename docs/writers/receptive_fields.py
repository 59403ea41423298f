"""The figure and the table of receptive fields in docs/decisions/grounded-prototypes.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from spinexplain.ui.plots import drawn
from spinexplain.ui.tokens import LIGHT
from writers.markers import replaced
from writers.stored import stored

FIGURES = {"f1_hard": "class-average F1", "on_body": "top 2 % on the body"}
FIGURES |= {"on_evidence": "top 2 % on the true evidence"}


def draw(results: Path, images: Path) -> list[Path]:
    """Draw accuracy and place against the receptive field, every seed and their mean."""
    runs = stored(results, "receptive-fields.json")["runs"]
    path = images / "receptive-fields.png"
    fields = sorted({run["field_mm"] for run in runs})
    with drawn(path, 8.4, 2.7) as figure:
        for axes, (key, title) in zip(figure.subplots(1, 3), FIGURES.items(), strict=True):
            axes.plot(
                [run["field_mm"] for run in runs],
                [run[key] for run in runs],
                color=LIGHT["muted"],
                marker=".",
                linestyle="none",
            )
            axes.plot(
                fields,
                [np.mean(values_of(runs, field, key)) for field in fields],
                color=LIGHT["accent"],
                marker="o",
            )
            axes.set_title(title)
            axes.set_xlabel("a cell sees, mm")
            axes.set_xticks(fields)
            axes.set_ylim(0, 1)
    return [path]


def values_of(runs: list[dict[str, Any]], field: int, key: str) -> list[float]:
    return [run[key] for run in runs if run["field_mm"] == field]


def table(results: dict[str, Any]) -> str:
    """Lay the runs out as Markdown: mean over seeds, and half their range."""
    heads = ["a cell sees", "cells", "seeds", "F1 verse-like", "F1 hard", "on body", "on evidence"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    runs = results["runs"]
    for field in sorted({run["field_mm"] for run in runs}):
        stride = next(run["stride_mm"] for run in runs if run["field_mm"] == field)
        cells = [f"{field} mm", f"{112 // stride} x {112 // stride}"]
        cells.append(str(len(values_of(runs, field, "seed"))))
        for key in ("f1_verse-like", *FIGURES):
            values = values_of(runs, field, key)
            spread = (max(values) - min(values)) / 2
            cells.append(f"{np.mean(values):.2f} ± {spread:.2f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def written(page: str, results: Path) -> str:
    """Return the page with the table between its markers."""
    return replaced(page, "fields", table(stored(results, "receptive-fields.json")))
