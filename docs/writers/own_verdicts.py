"""The part of docs/localizer.md on verdicts with own centers and masks, against given ones."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from writers.markers import replaced
from writers.stored import stored

Rows = list[dict[str, Any]]

WAYS = {
    "moved": ("given centers, moved by {moved:g} mm at random", "given"),
    "placed": ("own centers, true names", "given"),
    "own": ("own centers, own names", "given"),
    "masked": ("given centers with the given mask", "given"),
    "bare": ("bare CT: own centers, names and masks", "masked"),
}
AGAINST = {
    "given": "given centers, no mask",
    "masked": "given centers with the given mask",
}
SUSPECTED, NO_SUSPICION, BORDERLINE = "fracture suspected", "no suspicion", "borderline"
_FAR_MM = 3.0


def written(page: str, results: Path) -> str:
    """Return the page with the comparison between its markers."""
    found = stored(results, "own-verdicts.json")
    parts = [heading(found), "\n".join(table(found)), reasons(found), edges(found)]
    parts.append("\n".join(by_grade(found["rows"])))
    return replaced(page, "own-verdicts", "\n\n".join(parts))


def heading(found: dict[str, Any]) -> str:
    """Say what was graded."""
    presets = ", ".join(f"`{preset}`" for preset in found["presets"])
    return (
        f"{found['phantoms']} phantoms ({presets}), {len(found['rows'])} thoracic and lumbar "
        f"levels; the localizer's version {found['version']}, graded by `{found['model']}`."
    )


def table(found: dict[str, Any]) -> list[str]:
    """List the share of levels whose verdict is the same, together and by preset."""
    presets = found["presets"]
    lines = [
        "| verdict on | against that on | the same, all | where either is not *no suspicion* | "
        + " | ".join(f"`{preset}`" for preset in presets)
        + " | suspected: more, fewer |",
        "|---|---|---|---|" + "---|" * len(presets) + "---|",
    ]
    for way, (title, other) in WAYS.items():
        parts = [found["rows"], *[of_preset(found["rows"], preset) for preset in presets]]
        cells = [share(rows, way, other) for rows in parts]
        cells.insert(1, share(spoken(found["rows"], way, other), way, other))
        more = sum(r[way] == SUSPECTED != r[other] for r in found["rows"])
        fewer = sum(r[other] == SUSPECTED != r[way] for r in found["rows"])
        lines.append(
            f"| {title.format(moved=found['moved_mm'])} | {AGAINST[other]} | "
            + " | ".join(cells)
            + f" | {more}, {fewer} |"
        )
    return [*lines, silent_row(found)]


def silent_row(found: dict[str, Any]) -> str:
    """Say how often a verdict that never says anything agrees, as the cheap opponent."""
    rows = [dict(row, silent=NO_SUSPICION) for row in found["rows"]]
    parts = [rows, *[of_preset(rows, preset) for preset in found["presets"]]]
    cells = [share(part, "silent", "given") for part in parts]
    cells.insert(1, share(spoken(rows, "silent", "given"), "silent", "given"))
    missed = sum(row["given"] == SUSPECTED for row in rows)
    return f"| always *no suspicion* | {AGAINST['given']} | {' | '.join(cells)} | 0, {missed} |"


def spoken(rows: Rows, way: str, other: str) -> Rows:
    """Return the rows that a verdict which never says anything could not win."""
    return [row for row in rows if {row[way], row[other]} != {NO_SUSPICION}]


def of_preset(rows: Rows, preset: str) -> Rows:
    """Return the rows of one preset's phantoms."""
    return [row for row in rows if row["scan"].rpartition(" ")[0] == preset]


def share(rows: Rows, way: str, other: str) -> str:
    """Return in which share of levels two ways agree."""
    same = sum(row[way] == row[other] for row in rows)
    return f"{100 * same / len(rows):.1f} %" if rows else "–"


def reason(row: dict[str, Any]) -> str:
    """Say why the verdict on an own center differs from that on the given one; empty if not."""
    if row["own"] == row["given"]:
        return ""
    if not row["named"]:
        return "no center within 10 mm"
    if row["named"] != row["level"] and row["placed"] == row["given"]:
        return "name"
    return "place"


def reasons(found: dict[str, Any]) -> str:
    """Count why verdicts on own centers differ."""
    counted = Counter(filter(None, map(reason, found["rows"])))
    moved = sum(row["moved"] != row["given"] for row in found["rows"])
    away = [row["away_mm"] for row in found["rows"] if row["away_mm"] is not None]
    far = [row for row in found["rows"] if (row["away_mm"] or 0.0) > _FAR_MM]
    right = sum(row["named"] == row["level"] for row in found["rows"])
    return (
        f"On own centers {counted.total()} verdicts differ: {counted['no center within 10 mm']} "
        f"where no center lies within 10 mm, {counted['name']} by the name alone, "
        f"{counted['place']} by where the center lies. Moved at random, {moved} do. Own centers "
        f"lie {np.median(away):.1f} mm from the given ones in the median; of the {len(far)} more "
        f"than {_FAR_MM:g} mm away {sum(map(bool, map(reason, far)))} have another verdict. "
        f"{right} of {len(found['rows'])} levels have their right name: these fields show few "
        "landmarks."
    )


def edges(found: dict[str, Any]) -> str:
    """Say how many of the differing verdicts are neighbors, as *borderline* is of both others."""
    differing = [row for row in found["rows"] if row["own"] and row["own"] != row["given"]]
    beside = sum("borderline" in (row["own"], row["given"]) for row in differing)
    return (
        f"Of the {len(differing)} that are there and differ, {beside} are *borderline* on one side."
    )


def by_grade(rows: Rows) -> list[str]:
    """List what grading says of fractured and normal levels, by what it is given."""
    ways = {
        "masked": AGAINST["masked"],
        "given": AGAINST["given"],
        "bare": "bare CT",
    }
    lines = [
        "What is said of levels by their true grade: *suspected*, *borderline*, anything else, and "
        "of a bare CT those that are not found at all:",
        "",
        "| grade | levels | graded on | suspected | borderline | else | no verdict there |",
        "|---|---|---|---|---|---|---|",
    ]
    for grade in range(4):
        kept = [row for row in rows if row["grade"] == grade]
        for way, title in ways.items() if kept else ():
            said = Counter(row[way] for row in kept)
            none = said.pop("", 0)
            counts = said.pop(SUSPECTED, 0), said.pop(BORDERLINE, 0), said.total(), none
            cells = " | ".join(f"{100 * count / len(kept):.1f} %" for count in counts)
            lines.append(f"| {grade} | {len(kept)} | {title} | {cells} |")
    return lines
