# ruff: noqa: E501  (prose)
"""The tables of docs/verdict.md on heights and bone density, where both are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from writers.counts import share_of, wilson
from writers.markers import replaced
from writers.stored import stored

STATED = 95
"""Percent of intervals that should hold the true loss."""
WANTED_HU = 5


def written(page: str, results: Path) -> str:
    """Return the page with its tables between the markers."""
    content = stored(results, "measurements.json")
    lines = [*said(content), "", *heights_table(content), "", *density_table(content)]
    return replaced(page, "measurements", "\n".join(lines))


def said(content: dict[str, Any]) -> list[str]:
    """Say how many spines were run of those planned."""
    counts = [
        f"{sum(one['preset'] == name for one in content['persons'])} of {planned} `{name}`"
        for name, planned in content["planned"].items()
    ]
    return [f"Spines run of those planned: {', '.join(counts)}."]


def heights_table(content: dict[str, Any]) -> list[str]:
    """Count how often the 95 % interval of the loss holds the true one, by slices."""
    rows = [row for one in content["persons"] for row in one["heights"]]
    lines = [
        "| slices, mm | unfractured | fractured | fractured, bridging osteophyte | width, points |",
        "|---|---|---|---|---|",
    ]
    for mm in sorted({row["asked_mm"] for row in rows}):
        own = [row for row in rows if row["asked_mm"] == mm]
        groups = (
            [row for row in own if not row["grade"]],
            [row for row in own if row["grade"] and not row["bridged"]],
            [row for row in own if row["grade"] and row["bridged"]],
        )
        cells = [share_of([sum(map(_held, group)), len(group)]) for group in groups]
        width = np.median([row["interval"][1] - row["interval"][0] for row in own])
        lines.append(f"| about {mm} | {' | '.join(cells)} | {100 * width:.0f} |")
    return [*lines, "", intervals_words(rows)]


def intervals_words(rows: list[dict[str, Any]]) -> str:
    """Say in which groups the intervals hold the truth less often than they state."""
    kinds = {
        "unfractured": [row for row in rows if not row["grade"]],
        "fractured": [row for row in rows if row["grade"] and not row["bridged"]],
        "fractured with a bridging osteophyte": [
            row for row in rows if row["grade"] and row["bridged"]
        ],
    }
    missed: dict[str, list[str]] = {}
    for kind, group in kinds.items():
        for mm in sorted({row["asked_mm"] for row in group}):
            own = [_held(row) for row in group if row["asked_mm"] == mm]
            if 100 * wilson(sum(own), len(own))[1] < STATED:
                missed.setdefault(kind, []).append(f"{sum(own)}/{len(own)} at about {mm} mm")
    if not missed:
        return f"In no group the share held lies below the stated {STATED} % by more than chance explains."
    said = "; ".join(f"{kind} {', '.join(held)}" for kind, held in missed.items())
    return (
        f"**Missed: the stated {STATED} % are not held**, by more than chance explains: {said}. "
        "All slices are of the same vertebrae."
    )


def _held(row: dict[str, Any]) -> bool:
    low, high = row["interval"]
    return bool(low <= row["true"] <= high)


def density_table(content: dict[str, Any]) -> list[str]:
    """Compare densities with the tissue itself, and with what the bone was drawn with."""
    rows = [row for one in content["persons"] for row in one["density"]]
    lines = [
        "| region placed by | vertebrae | median error, HU | bias, HU | within 5 HU | "
        "against the drawn mean: median error, HU |",
        "|---|---|---|---|---|---|",
    ]
    for place in ("heights", "geometry"):
        own = [row for row in rows if row["placed_by"] == place and not row["grade"]]
        if not own:
            continue
        error = np.array([row["read"] - row["tissue"] for row in own])
        drawn = np.array([row["read"] - row["drawn"] for row in own])
        within = share_of([int(np.sum(np.abs(error) <= 5)), len(own)])
        lines.append(
            f"| {place} | {len(own)} | {np.median(np.abs(error)):.1f} | {np.median(error):+.1f} "
            f"| {within} | {np.median(np.abs(drawn)):.1f} |"
        )
    return [*lines, "", *within_words(rows), *_blood(content)]


def within_words(rows: list[dict[str, Any]]) -> list[str]:
    """Hold densities to the 5 HU that were asked for, in the median and one by one."""
    said = []
    for place in ("heights", "geometry"):
        own = [row for row in rows if row["placed_by"] == place and not row["grade"]]
        if own:
            error = np.abs([row["read"] - row["tissue"] for row in own])
            drawn = np.abs([row["read"] - row["drawn"] for row in own])
            middle = "within" if np.median(error) <= WANTED_HU else "beyond"
            far = "within" if np.median(drawn) <= WANTED_HU else "beyond"
            said.append(
                f"By {place} the median error lies {middle} it, {int(np.sum(error > WANTED_HU))} of "
                f"{len(own)} single vertebrae beyond; against the drawn mean the median lies {far}."
            )
    if not said:
        return []
    return [f"At most {WANTED_HU} HU from the truth were wanted. {' '.join(said)}", ""]


def _blood(content: dict[str, Any]) -> list[str]:
    pairs = [(one["blood"]["true"], one["blood"]["read"]) for one in content["persons"]]
    read = [(true, found) for true, found in pairs if found is not None]
    right = sum((true >= 125) == (found >= 125) for true, found in read)
    return [
        f"Contrast medium by the blood in front of the spine: said of {len(read)} of {len(pairs)} "
        f"spines, on the right side of 125 HU in {right}; else unknown."
    ]
