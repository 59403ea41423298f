"""The part of docs/decisions/naming.md on a training that is not taken up: both side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from writers.markers import replaced
from writers.stored import stored

COLUMNS = ("found", "close", "named", "shifted", "right")
GROUPS = {"crops": "random parts", "all": "all scans"}
WAYS = {"before": "version 3", "localizer": "trained on once more"}


def written(page: str, results: Path) -> str:
    """Return the page with what the training came to between its markers."""
    content = stored(results, "localizer-again.json")
    page = replaced(page, "again", "\n".join(section(content)))
    return replaced(page, "crushed", "\n".join(crushed(content["crushed"])))


def section(content: dict[str, Any]) -> list[str]:
    """Say what validation chose, and list what both do on new persons."""
    return [*validation(content["validation"]), "", *table(content["sets"])]


def validation(rows: dict[str, Any]) -> list[str]:
    """Say how many validation scans each names rightly, with the weights that the rule takes."""
    lines = []
    for way, title in WAYS.items():
        row = rows[way]
        own = row["tried"] if row["chosen"]["tried"] else row["before"]
        with_tried = "the tried weights" if row["chosen"]["tried"] else "the weights of before"
        lines.append(
            f"* Validation, {title}: {own['right']} of {row['scans']} scans named rightly, mean "
            f"log-probability of the true namings {own['true_names']:.2f}, with {with_tried}."
        )
    return lines


def table(sets: list[dict[str, Any]]) -> list[str]:
    """List shares of bodies in the same scans of new persons, and how far apart they are."""
    lines = [
        "| new persons | scans | network | found within 10 mm | within 5 mm | named | named after "
        "the best shift | all names right |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for own in sets:
        for group, title in GROUPS.items():
            for way, words in WAYS.items():
                row = own["phantoms"][group][way]
                cells = " | ".join(f"{100 * row[name]:.1f} %" for name in COLUMNS)
                lines.append(
                    f"| `{own['preset']}`, seed {own['seed']} | {title} ({row['scans']}) | {words} "
                    f"| {cells} |"
                )
    return [*lines, "", *map(_more, sets)]


def _more(own: dict[str, Any]) -> str:
    value, low, high = own["intervals"]["all"]["more"]
    return (
        f"* `{own['preset']}`: trained on once more it names {100 * value:+.1f} points of the "
        f"bodies ({100 * low:+.1f} to {100 * high:+.1f}, persons drawn again) of all scans."
    )


def crushed(sets: list[dict[str, Any]]) -> list[str]:
    """List the bodies that version 3 found by Genant grade, without and with the step for gaps."""
    lines = [
        "| persons | bodies of grades 0 to 2 found | bodies of grade 3 found |",
        "|---|---|---|",
    ]
    for own in sets:
        for way in ("without", "with"):
            if way in own:
                grades = own[way]
                usual = [grades[grade] for grade in "012"]
                lines.append(
                    f"| `{own['preset']}`, seed {own['seed']}, {way} the step | {_of(usual)} "
                    f"| {_of([grades['3']])} |"
                )
    return lines


def _of(rows: list[dict[str, int]]) -> str:
    found, bodies = (sum(row[key] for row in rows) for key in ("found", "bodies"))
    return f"{found} of {bodies}"
