"""Plots of stored figures as PNG, in the report's own colors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from spinexplain.io.files import atomic_file
from spinexplain.ui.tokens import LIGHT, matplotlib_style

BLUES = LinearSegmentedColormap.from_list("accent", [LIGHT["surface"], LIGHT["accent"]])


@contextmanager
def drawn(path: Path, width: float, height: float) -> Iterator[Figure]:
    """Yield a figure of so many inches and save it as PNG afterwards."""
    style: Any = matplotlib_style()
    with rc_context(style):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure
        with atomic_file(path) as temporary:
            figure.savefig(temporary, dpi=160, format="png", metadata={"Software": None})


def matrix(
    axes: Axes, values: np.ndarray, rows: list[str], columns: list[str], texts: list[list[str]]
) -> None:
    """Draw a matrix of shares, 0 to 1, with a text in every cell."""
    axes.imshow(values, cmap=BLUES, vmin=0, vmax=1)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for i, line in enumerate(texts):
        for j, text in enumerate(line):
            ink = LIGHT["surface"] if values[i, j] > 0.55 else LIGHT["text"]
            axes.text(j, i, text, ha="center", va="center", color=ink)


def confusion_png(figures: dict[str, Any], path: Path) -> None:
    """Draw the confusion matrix of an evaluation; grades that are no class stand below."""
    unknown = figures.get("unknown_grades", {})
    counts = np.array([*figures["confusion"], *unknown.values()], float)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = list(figures["classes"])
    texts = [
        [f"{int(n)}\n{100 * s:.0f} %" for n, s in zip(*row, strict=True)]
        for row in zip(counts, share, strict=True)
    ]
    with drawn(path, 3.4, 3.2 + 0.5 * len(unknown)) as figure:
        axes = figure.add_subplot()
        matrix(axes, share, [*names, *unknown], names, texts)
        axes.set_xlabel("model")
        axes.set_ylabel("reference")


def reliability_png(figures: dict[str, Any], path: Path) -> None:
    """Draw the reliability plot of an evaluation; a dot's area is its bin's share of vertebrae."""
    found = figures["calibration"]
    filled = [k for k, count in enumerate(found["counts"]) if count]
    sure, right = ([found[name][k] for k in filled] for name in ("confidence", "accuracy"))
    with drawn(path, 3.4, 3.2) as figure:
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], "--", color=LIGHT["muted"], lw=1)
        axes.vlines(sure, sure, right, color=LIGHT["warning-line"])
        counts = np.array([found["counts"][k] for k in filled])
        areas = 6 + 90 * counts / counts.sum()
        axes.scatter(sure, right, s=areas, color=LIGHT["accent"], clip_on=False, zorder=3)
        axes.set(xlim=(0, 1), ylim=(0, 1), ylabel="share right")
        axes.set_xlabel("model score (area of a dot: its vertebrae)")
        axes.set_title(f"ECE {found['ece']:.3f}, n = {figures['vertebrae']}", loc="left")
