# ruff: noqa: E501  (prose, and one line a row of a table)
"""The tables and the picture of docs/masks.md: heights and networks by every mask."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from spinexplain.ui.plots import drawn
from spinexplain.ui.tokens import GRADES, LIGHT
from writers.detector import BUNDLE
from writers.markers import replaced
from writers.stored import stored

WITNESSES = {"heights": "heights", "sheets": "sheets", "boxes": "boxes", "verdict": "verdict"}
CALLERS = {**WITNESSES, "verdict or borderline": "verdict or borderline"}
INKS = {
    "heights": LIGHT["text"],
    "sheets": LIGHT["accent"],
    "boxes": GRADES["G2"].fill,
    "verdict": GRADES["G3"].fill,
}
EXACT = "exact mask"


def written(page: str, results: Path) -> str:
    """Return the page with what was measured between its markers."""
    content = stored(results, "mask-errors.json")
    page = replaced(page, "heights", first_paragraph(content))
    page = replaced(page, "masks", "\n".join(mask_tables(content)))
    return replaced(page, "look-alikes", "\n".join(look_alike_table(content)))


def first_paragraph(content: dict[str, Any]) -> str:
    """Say where heights alone win, and where they have nothing to say."""
    exact = content["by_mask"][EXACT]
    shown = ", ".join(f"{name} {_auc(exact[name])}" for name in ("heights", "sheets", "boxes"))
    ran, planned = sum(content["run"].values()), sum(c for _, c in content["persons"].values())
    part = "" if ran == planned else f"; {ran} of {planned} planned spines were run"
    return (
        f"{_true_heights()} A bench with perfect masks flatters heights. Measured by the package's own "
        f"morphometry instead, and with silence counted, AUC with exact masks is: {shown} (below{part}). "
        + " ".join(_change(name, content["by_mask"]) for name in content["by_mask"])
    )


def _true_heights() -> str:
    """Compare the detector with the true loss on the sets it was tested on when it was made."""
    held_out = json.loads(BUNDLE.read_text())["training"]["held_out"]
    number = sum(found["size"]["vertebrae"] for found in held_out.values())
    heights, boxes = (
        [found[by]["auc"] for found in held_out.values()]
        for by in ("height loss alone", "detector")
    )
    wins = sum(a > b for a, b in zip(heights, boxes, strict=True))
    return (
        f"**The true height loss makes the grade, so it wins where it is known exactly**: on {wins} of the {len(held_out)} held-out "
        f"sets of the shipped detector, {number} vertebrae, the true loss has the higher AUC "
        f"({min(heights):.3f} to {max(heights):.3f}, the detector {min(boxes):.3f} to {max(boxes):.3f}). A "
        "phantom's grade is made from that loss, and its mask is exact to the voxel."
    )


def _change(name: str, found: dict[str, Any]) -> str:
    """Say in a sentence what a wrong mask does to heights and to the sheets."""
    if name == EXACT:
        return "**What networks add:**"
    heights, sheets = (
        [found[name][w][kind] for kind in ("found", "alarms")] for w in ("heights", "sheets")
    )
    words = {
        "no mask": "without a mask",
        "two levels merged": "where two levels are merged",
        "cut at the wrong place": "where a mask is cut at the wrong place",
        "boundary noise": "with boundary noise",
        "smooth and too small": "where masks are smooth and too small",
    }[name]
    end = "." if name == "no mask" else ";"
    return (
        f"{words} heights find {_of(heights[0])} with {heights[1][0]} false alarms, sheets "
        f"{_of(sheets[0])} with {sheets[1][0]}{end}"
    )


def mask_tables(content: dict[str, Any]) -> list[str]:
    """Found and false alarms, then areas under the curve and silence."""
    people = ", ".join(
        f"{content['run'].get(name, 0)} of {count} planned `{name}` (seed {seed})"
        for name, (seed, count) in content["persons"].items()
    )
    models = " and ".join(f"`{one['name']} {one['version']}`" for one in content["models"])
    lines = [
        f"Spines: {people}. Networks: {models}. Synthetic: nothing here is about patients.",
        "",
        f"| mask | fractured, healthy | {' | '.join(CALLERS.values())} |",
        "|---|---|" + "---|" * len(CALLERS),
    ]
    for name, found in content["by_mask"].items():
        cells = [f"{_of(found[w]['found'])}; {_of(found[w]['alarms'])}" for w in CALLERS]
        lines.append(
            f"| {name} | {found['vertebrae'][0]}, {found['vertebrae'][1]} | {' | '.join(cells)} |"
        )
    lines += [
        "",
        "Each cell: fractures found, then healthy vertebrae called fractured.",
        "",
        "| mask | AUC heights | AUC sheets | AUC boxes | silent: heights, sheets, boxes |",
        "|---|---|---|---|---|",
    ]
    for name, found in content["by_mask"].items():
        cells = [_auc(found[w]) for w in ("heights", "sheets", "boxes")]
        silent = ", ".join(str(found[w]["silent"][0]) for w in ("heights", "sheets", "boxes"))
        lines.append(
            f"| {name} | {' | '.join(cells)} | {silent} of {found['heights']['silent'][1]} |"
        )
    return [*lines, "", "Intervals are 95 % over persons; silence ranks lowest."]


def look_alike_table(content: dict[str, Any]) -> list[str]:
    """Count false alarms of every witness among healthy vertebrae with each look-alike."""
    names = ("heights", "sheets", "boxes", "verdict")
    lines = [
        "Healthy vertebrae of the preset `hard` called fractured, by exact masks; with several "
        "look-alikes a vertebra counts in each.",
        "",
        f"| look-alike | {' | '.join(names)} |",
        "|---|" + "---|" * len(names),
    ]
    for kind, found in content["by_look_alike"].items():
        cells = [_of(found[name]) for name in names]
        lines.append(f"| {kind.replace('_', ' ')} | {' | '.join(cells)} |")
    caught = content["caught"]
    lines += ["", *(_caught(name, states) for name, states in caught.items())]
    return lines


def _caught(name: str, states: dict[str, int]) -> str:
    total = sum(states.values())
    if not total:
        return f"The network on sheets has no {name} here."
    listed = ", ".join(f"{count} *{state}*" for state, count in states.items())
    return (
        f"Of {total} {name} of the network on sheets the verdict of all witnesses makes {listed}."
    )


def _of(pair: list[int]) -> str:
    return f"{pair[0]}/{pair[1]}"


def _auc(found: dict[str, Any]) -> str:
    auc = found["auc"]
    if auc["value"] is None:
        return "–"
    if auc["low"] is None:
        return f"{auc['value']:.3f}"
    return f"{auc['value']:.3f} ({auc['low']:.2f} to {auc['high']:.2f})"


def draw(results: Path, images: Path) -> list[Path]:
    """Draw the shares of fractures found and of false alarms, by mask and witness."""
    found = stored(results, "mask-errors.json")["by_mask"]
    path = images / "masks.png"
    names = list(found)
    with drawn(path, 8.4, 0.8 + 0.5 * len(names)) as figure:
        for axes, kind, title in zip(
            figure.subplots(1, 2, sharey=True),
            ("found", "alarms"),
            ("fractures found, %", "healthy called fractured, %"),
            strict=True,
        ):
            for offset, (witness, words) in enumerate(WITNESSES.items()):
                shares = [100 * np.divide(*found[name][witness][kind]) for name in names]
                places = np.arange(len(names)) + 0.16 * (offset - 1.5)
                axes.plot(shares, places, "o", color=INKS[witness], label=words, markersize=5)
            axes.set_title(title, loc="left")
            axes.set_xlim(-3, 103 if kind == "found" else None)
            axes.set_yticks(range(len(names)), names)
            axes.grid(axis="y", color=LIGHT["line"], lw=0.5)
        axes.invert_yaxis()
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8)
    return [path]
