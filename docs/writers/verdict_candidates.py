# ruff: noqa: E501  (prose, and one line a row of a table)
"""The part of docs/verdict.md on other ways to hear the witnesses, and on further networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from writers.markers import replaced
from writers.stored import stored

RESULTS = "verdict-candidates.json"
GAIN = 0.05
"""What was asked for before."""
OPPONENTS = ("as it is", "heights alone", "network alone")
FIGURES = {
    "suspected": "moderate fractures suspected, 5 of 100 normal spines",
    "over_lines": "mean over lines with 1 to 10 of 100",
}


def written(page: str, results: Path) -> str:
    """Return the page with the comparison between its markers."""
    if not (results / RESULTS).is_file():
        return replaced(
            page, "candidates", "Not measured: `spinexplain reproduce verdict-candidates`."
        )
    return replaced(page, "candidates", "\n".join(lines_of(stored(results, RESULTS))))


def lines_of(content: dict[str, Any]) -> list[str]:
    """Say first whether anything is taken up, then show every candidate."""
    stored_part, drawn = content["stored"], content["drawn"]
    return [
        headline(content),
        "",
        f"The witnesses as they are stored: {_spines(stored_part)}.",
        "",
        *table(stored_part["ways"]),
        "",
        f"Further networks, and a loss that the stored table does not hold, on the first of those spines: {_spines(drawn)}, of {content['planned']} planned.",
        "",
        *table(drawn["ways"]),
    ]


def headline(content: dict[str, Any]) -> str:
    """Say what meets the rule that was written down before."""
    taken = [
        name
        for part in ("stored", "drawn")
        for name, one in content[part]["ways"].items()
        if one["taken_up"]
    ]
    if taken:
        return f"**By the rule {' and '.join(taken)} would be taken up**: a gain of 5 points, and both intervals above 0."
    return (
        "**Nothing is taken up: no other way to hear the same witnesses gains 5 points with both intervals above 0, "
        f"and no further network does.** Each spine is judged by a fit to the others.{_undecided(content)}"
    )


def _undecided(content: dict[str, Any]) -> str:
    """Say where a gain of 5 points stays open."""
    said = []
    for part in (content["stored"], content["drawn"]):
        ways = [one for name, one in part["ways"].items() if name not in OPPONENTS]
        wide = sum(one["suspected"]["high"] >= GAIN for one in ways)
        if wide:
            said.append(f"{wide} of {len(ways)} ways on {part['spines']} spines")
    if not said:
        return ""
    return (
        f" **For {' and '.join(said)} that is undecided**: their intervals hold a gain of 5 points. *Not taken up* does not "
        "mean that they gain nothing."
    )


def _spines(part: dict[str, Any]) -> str:
    return f"{part['spines']} spines, {part['normal_spines']} of them normal, {part['moderate']} moderate fractures"


def table(ways: dict[str, Any]) -> list[str]:
    """Write a row for every candidate: both shares, and the paired gains in points."""
    lines = [
        f"| | {FIGURES['suspected']} | gain, points | {FIGURES['over_lines']} | gain, points |",
        "|---|---|---|---|---|",
    ]
    for name, one in ways.items():
        cells = []
        for figure in FIGURES:
            found = one[figure]
            cells.append(f"{100 * found['value']:.1f} %")
            cells.append(_gain(found))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _gain(found: dict[str, float]) -> str:
    if not any(found[key] for key in ("gain", "low", "high")):
        return "–"
    gain, low, high = (100 * found[key] for key in ("gain", "low", "high"))
    return f"{gain:+.1f} ({low:+.1f} to {high:+.1f})"
