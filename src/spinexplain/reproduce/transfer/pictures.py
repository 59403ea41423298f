"""Pictures of docs/transfer.md: the worst errors, and how often a loss is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from spinexplain.reproduce.transfer.prepared import read_prepared

SHORT = {
    "endplate_pit": "pit",
    "short_vertebral_height": "short",
    "bridging_osteophyte": "bridge",
}
BONE_HU = (-500, 1300)
COLUMNS, ROWS = 7, 2
COLORS = {"verse-like": "#0072b2", "hard": "#d55e00", "shifted-scanner": "#7a7a7a"}


def write_all(
    facts: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    real_rows: Sequence[Mapping[str, Any]],
    out: Path,
) -> list[str]:
    """Write every picture; return the names of those there was something to show in."""
    out.mkdir(parents=True, exist_ok=True)
    found_by_loss(facts["populations"], out / "found-by-loss.png")
    written = ["found-by-loss.png"]
    for name in facts["populations"]:
        written += error_gallery(tables[name], out)
    if simulated_gallery(real_rows, out / "simulated-missed.png"):
        written.append("simulated-missed.png")
    return written


def worst(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The surest errors first: normal ones called fractured, G2 and G3 called normal."""
    judged = table[table["assessed"]]
    false = judged[judged["unplanted"] & judged["fractured"]]
    missed = judged[(judged["shape"] != "none") & (judged["grade"] >= 2) & ~judged["fractured"]]
    return {
        "false-fractures": false.sort_values("score", ascending=False),
        "missed-fractures": missed.sort_values("score"),
    }


def error_gallery(table: pd.DataFrame, out: Path) -> list[str]:
    """Write one picture per sort of error and preset; returns their names."""
    written = []
    for preset, part in table.groupby("group", sort=False):
        for name, errors in worst(part).items():
            target = out / f"{preset}-{name}.png"
            target.unlink(missing_ok=True)
            if len(errors):
                _montage([_tile(row) for _, row in errors.head(COLUMNS * ROWS).iterrows()], target)
                written.append(target.name)
    return written


def _tile(row: pd.Series) -> tuple[str, np.ndarray]:
    crop = read_prepared(Path(row["file"]))[1][row["at"]].crop
    said = ", ".join(SHORT.get(name, name.replace("_", " ")) for name in row["look_alikes"][:3])
    what = f"{row['shape']} G{row['grade']}" if row["shape"] != "none" else said
    return f"{row['level']}, loss {row['loss']:.0%}, score {row['score']:.2f}\n{what}", crop


def simulated_gallery(rows: Sequence[Mapping[str, Any]], out: Path) -> bool:
    """Write the simulated fractures in real CTs that were missed, lowest score first."""
    missed = [
        row
        for row in rows
        if row["called"] == "G0" and row["level"] in {part[0] for part in row["fractures"]}
    ]
    out.unlink(missing_ok=True)
    if not missed:
        return False
    tiles = []
    for row in sorted(missed, key=lambda row: -row["scores"][0])[: COLUMNS * ROWS]:
        shape, loss = next((s, x) for lv, s, x, _ in row["fractures"] if lv == row["level"])
        crop = read_prepared(Path(row["file"]))[1][row["at"]].crop
        score = f"score {1 - row['scores'][0]:.2f}"
        tiles.append(
            (f"{row['source']} {row['level']}, {score}\nsimulated {shape} {loss:.0%}", crop)
        )
    _montage(tiles, out)
    return True


def _montage(tiles: Sequence[tuple[str, np.ndarray]], target: Path) -> None:
    rows = -(-len(tiles) // COLUMNS)
    figure = Figure(figsize=(1.7 * COLUMNS, 2.1 * rows))
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, COLUMNS, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, (title, crop) in zip(axes.flat, tiles, strict=False):
        axis.imshow(crop, cmap="gray", vmin=BONE_HU[0], vmax=BONE_HU[1])
        axis.set_title(title, fontsize=6.5, pad=2)
    figure.subplots_adjust(0.005, 0.005, 0.995, 1 - 0.32 / (2.1 * rows), 0.03, 0.22)
    figure.savefig(target, dpi=110, pil_kwargs={"optimize": True})


def found_by_loss(populations: Mapping[str, Any], target: Path) -> None:
    """Draw the share of planted fractures that is called G2 or G3 against their true loss."""
    figure = Figure(figsize=(6.4, 3.6))
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    for shift, (name, found) in enumerate(populations.items()):
        rows = [row for row in found["by_loss"] if row["n"]]
        x = [50 * (row["from"] + min(row["to"], 0.75)) + 0.4 * (shift - 1) for row in rows]
        axis.plot(x, _percent(rows, "value"), "o-", color=COLORS[name], label=name, markersize=4)
        axis.vlines(x, _percent(rows, "low"), _percent(rows, "high"), COLORS[name], alpha=0.5)
    for grade in (20, 25, 40):
        axis.axvline(grade, color="0.8", linewidth=0.8, zorder=0)
    axis.set(xlabel="true height loss, %", ylabel="called G2 or G3, %", ylim=(0, 103))
    axis.legend(frameon=False, fontsize=8)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    figure.tight_layout()
    figure.savefig(target, dpi=120, pil_kwargs={"optimize": True})


def _percent(rows: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    return [float("nan") if row[key] is None else 100 * row[key] for row in rows]
