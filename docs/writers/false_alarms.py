"""The part of docs/masks.md on what is active in false alarms and misses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from writers.markers import replaced
from writers.stored import stored

GROUPS = {
    "right_healthy": "healthy, rightly graded",
    "false_alarm": "false alarms",
    "found": "fractures found",
    "missed": "fractures missed",
}


def written(page: str, results: Path) -> str:
    """Return the page with units and prototypes between its markers."""
    content = stored(results, "false-alarms.json")
    return replaced(page, "alarms", "\n".join(lines_of(content)))


def lines_of(content: dict[str, Any]) -> list[str]:
    """Say who is active where."""
    judged, ranked, model = content["judged"], content["ranked"], content["model"]
    counts = ", ".join(f"{content['groups'][key]} {words}" for key, words in GROUPS.items())
    units = content["units"]
    return [
        f"`{model['name']} {model['version']}` on {judged[2]} sheets of `{judged[0]}` (seed "
        f"{judged[1]}): {counts}. Units are thresholded and ranked on {ranked[2]} sheets of "
        f"`{ranked[0]}` (seed {ranked[1]}).",
        "",
        by_kind_words(content["look_alikes"]),
        "",
        *tied_words(units),
        "",
        "The first units by contrast, and how often each is enabled:",
        "",
        *unit_table(units["first"]),
        "",
        *telling_tables(units),
        "Which prototype speaks loudest for the class that was called:",
        "",
        *prototype_table(content["prototypes"]["loudest"]),
        "",
        *look_alike_table(content),
    ]


def by_kind_words(rows: dict[str, dict[str, int]]) -> str:
    """Say which look-alike raises most false alarms, beside vertebrae without any."""
    shares = {
        kind: row["false_alarm"] / max(row["false_alarm"] + row["right_healthy"], 1)
        for kind, row in rows.items()
    }
    worst = max((kind for kind in shares if kind != "none"), key=lambda kind: shares[kind])
    counts = [
        f"{rows[kind]['false_alarm']} of {rows[kind]['false_alarm'] + rows[kind]['right_healthy']}"
        for kind in (worst, "none")
    ]
    return (
        f"**False alarms come from look-alikes**: {counts[0]} healthy vertebrae with "
        f"{worst.replace('_', ' ')} are called fractured, {counts[1]} without any look-alike."
    )


def tied_words(units: dict[str, Any]) -> list[str]:
    """Say first whether there are concepts of false alarms at all."""
    said = []
    for key, words in (("false_alarms", "false alarms"), ("misses", "misses")):
        tied = units[key]["tied"]
        said.append(
            f"**{tied or 'No'} of {units['number']} units** "
            f"{'go' if tied != 1 else 'goes'} with {words} (false discovery rate 5 %)"
        )
    beside = units["alarms_beside_found"]["tied"]
    said.append(
        f"{beside or 'No'} of {units['number']} tell{'s' if beside == 1 else ''} false alarms from "
        "fractures found: by what is active the network mostly takes the one for the other (added "
        "after the first two had been seen)"
        if beside < units["number"] / 4
        else f"{beside} of {units['number']} tell false alarms from fractures found, too (added "
        "after the first two had been seen): a false alarm does not look like a fracture inside"
    )
    return [". ".join(said) + "."]


def unit_table(rows: list[dict[str, Any]]) -> list[str]:
    """Lay out how often units are enabled, a row a unit."""
    lines = [f"| unit | {' | '.join(GROUPS.values())} |", "|---" * (1 + len(GROUPS)) + "|"]
    for row in rows:
        cells = [f"{100 * row[key]:.0f} %" for key in GROUPS]
        lines.append(f"| {row['unit']} | {' | '.join(cells)} |")
    return lines


def telling_tables(units: dict[str, Any]) -> list[str]:
    """Show the units that tell mistakes from what was graded rightly, where there are some."""
    lines: list[str] = []
    for key, words in (
        ("false_alarms", "false alarms from healthy vertebrae rightly graded"),
        ("misses", "missed fractures from those found"),
        ("alarms_beside_found", "false alarms from fractures found"),
    ):
        if units[key]["units"]:
            lines += [
                f"The units that best tell {words}:",
                "",
                *unit_table(units[key]["units"]),
                "",
            ]
    return lines


def prototype_table(tally: dict[str, dict[str, int]]) -> list[str]:
    """Count how often each prototype is the loudest, in every group."""
    lines = [f"| prototype | {' | '.join(GROUPS.values())} |", "|---" * (1 + len(GROUPS)) + "|"]
    for name, row in tally.items():
        lines.append(f"| {name} | {' | '.join(str(row[key]) for key in GROUPS)} |")
    return lines


def look_alike_table(content: dict[str, Any]) -> list[str]:
    """By look-alike: how many false alarms and misses, and the prototypes behind the alarms."""
    lines = [
        "By look-alike; a vertebra with several counts in each:",
        "",
        "| look-alike | false alarms of healthy | missed of fractured | loudest in false alarms |",
        "|---|---|---|---|",
    ]
    behind = content["prototypes"]["false_alarms"]
    for kind, row in content["look_alikes"].items():
        named = sorted(behind.get(kind, {}).items(), key=lambda pair: -pair[1])
        loudest = "; ".join(f"{name} {count}" for name, count in named[:3])
        alarms = f"{row['false_alarm']}/{row['false_alarm'] + row['right_healthy']}"
        misses = f"{row['missed']}/{row['missed'] + row['found']}"
        lines.append(f"| {kind.replace('_', ' ')} | {alarms} | {misses} | {loudest} |")
    return lines
