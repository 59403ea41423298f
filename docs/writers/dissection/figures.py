"""The figures of the page, from the stored results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from spinexplain.ui.plots import drawn
from spinexplain.ui.tokens import GRADES, LIGHT
from writers.dissection.page import read
from writers.dissection.training_size import size_png

TRAINED, UNTRAINED, MARKED = LIGHT["accent"], LIGHT["muted"], GRADES["G3"].fill
TOP = 10


def draw(results: Path, images: Path) -> list[Path]:
    """Draw what there are results for."""
    found, folder = read(results), images / "dissection"
    folder.mkdir(parents=True, exist_ok=True)
    done = []
    if "detector" in found:
        overlap_png(found["detector"], folder / "overlap.png")
        done.append(folder / "overlap.png")
    for name, picture in PICTURES.items():
        if name in found:
            picture(found[name], folder / f"{name}.png")
            done.append(folder / f"{name}.png")
    return done


def overlap_png(found: dict[str, Any], path: Path) -> None:
    """Draw how the units' share on the evidence is distributed, and the first ten by rank."""
    values, chance = found["against_random"]["values"], found["against_random"]["chance"]
    trained = 100 * np.array(values["trained"])
    random = [100 * np.array(one) for one in values["random"]]
    top = 1.04 * max(trained.max(), *(one.max() for one in random))
    with drawn(path, 8.2, 3.3) as figure:
        left, right = figure.subplots(1, 2, width_ratios=[1.35, 1])
        for number, one in enumerate(random):
            label = f"{len(random)} untrained networks" if number == 0 else None
            risen(left, one, UNTRAINED, label, 1.1, top)
        risen(left, trained, TRAINED, "trained", 2.2, top)
        left.axvline(100 * chance, color=LIGHT["warning-line"], lw=1.2, ls="--", label="chance")
        left.set(xlim=(0, top), ylim=(0, 102))
        left.set(xlabel="of a unit's mask on the fracture, %", ylabel="of the units, cumulative, %")
        left.set_title(f"All {len(trained)} units", loc="left")
        left.legend(frameon=False, loc="lower right")
        first = found["against_eq1"]["first"]
        names = {"contrast": "by contrast", "eq1": "by eq. 1"}
        for row, (by, color) in enumerate((("contrast", TRAINED), ("eq1", UNTRAINED))):
            dots(right, trained[first[by]], 1 - row, color)
        right.axvline(100 * chance, color=LIGHT["warning-line"], lw=1.2, ls="--")
        right.set_yticks([1, 0], list(names.values()))
        right.set(xlim=(0, top), ylim=(-0.6, 1.6))
        right.set_xlabel("of a unit's mask on the fracture, %")
        right.set_title("The first ten units", loc="left")
        right.tick_params(axis="y", length=0)


def risen(
    axes: Axes, values: np.ndarray, color: str, label: str | None, width: float, end: float
) -> None:
    """Draw a cumulative distribution, up to ``end``."""
    ordered = np.concatenate([[0], np.sort(values), [end]])
    shares = np.append(np.linspace(0, 100, len(ordered) - 1), 100)
    axes.step(ordered, shares, where="post", color=color, lw=width, label=label)


def dots(axes: Axes, values: np.ndarray, height: float, color: str) -> None:
    """Draw ten values as dots that do not hide one another, and their mean."""
    order = np.argsort(values)
    shift = np.zeros(len(values))
    shift[order] = (np.arange(len(values)) % 3 - 1) * 0.14
    look = {"color": color, "ms": 6, "alpha": 0.8, "mec": "white", "mew": 0.6}
    axes.plot(values, height + shift, "o", clip_on=False, zorder=3, **look)
    axes.vlines(values.mean(), height - 0.34, height + 0.34, color=color, lw=2)


def shortcut_png(found: dict[str, Any], path: Path) -> None:
    """Draw how often units are enabled with the marks and without, by rank, in both networks."""
    titles = {"marked": "Learned with marks", "plain": "Learned without"}
    with drawn(path, 8.2, 3.0) as figure:
        axes = figure.subplots(1, 2, sharey=True)
        for one, (name, title) in zip(axes, titles.items(), strict=True):
            before, after = (
                100 * np.array(shares) for shares in found["networks"][name]["by_rank"]
            )
            rank = np.arange(1, len(before) + 1)
            one.axvspan(0.4, TOP + 0.5, color=LIGHT["accent-soft"], lw=0)
            size = 4 if len(rank) <= 64 else 2.4
            one.vlines(rank, after, before, color=LIGHT["line"], lw=0.4 * size)
            one.plot(rank, before, "o", color=MARKED, ms=size, label="with their marks")
            one.plot(rank, after, "o", color=TRAINED, ms=size, label="the same without")
            one.set(xlim=(0.4, len(before) + 0.6), ylim=(-3, 103))
            one.set_xlabel("rank of the unit")
            one.set_title(title, loc="left")
            one.text(TOP / 2 + 0.5, 4, "first ten", ha="center", color=LIGHT["muted"])
        axes[0].set_ylabel("enabled in marked\nfractured vertebrae, %")
        axes[1].legend(frameon=False, loc="upper right")


def detector_shortcut_png(found: dict[str, Any], path: Path) -> None:
    """Draw the first seed's detectors."""
    first = str(found["seeds"][0])
    networks = {name: runs[first] for name, runs in found["networks"].items()}
    shortcut_png({"networks": networks}, path)


PICTURES = {
    "shortcut": shortcut_png,
    "detector-shortcut": detector_shortcut_png,
    "training-size": size_png,
}
