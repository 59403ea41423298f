"""The part of docs/localizer.md on real CTs cut into parts and made worse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from writers import localizer_bent, localizer_grades
from writers.localizer import COLUMNS, REAL, WAYS
from writers.markers import replaced
from writers.stored import stored

SHOWN = ("localizer", "before", "classical", "from below", "gaps alone", "one answer")
ALL = "all"
SURE, LIKELY = 0.95, 0.8
FIGURES = ("bodies", "found", "named")


def written(page: str, results: Path) -> str:
    """Return the page with all that the study of the localizer says, these tables among it."""
    page = localizer_bent.written(page, results)
    content = stored(results, "localizer.json")
    page = replaced(page, "located-parts-words", words(content["real_parts"]))
    page = replaced(page, "located-grades", "\n".join(_grades(content)))
    return replaced(page, "located-real-parts", "\n".join(section(content)))


def _grades(content: dict[str, Any]) -> list[str]:
    return [
        *localizer_grades.table(content),
        "",
        *localizer_grades.table(content | content["bent"]),
    ]


def section(content: dict[str, Any]) -> list[str]:
    """Show how parts of real CTs fare: as they are, made worse, and scan by scan."""
    own, before = content["real_parts"], content.get("real_parts_before")
    lines = [
        f"| parts of {own['length']} whole levels | named by | found within 10 mm | within 5 mm "
        "| named | named after the best shift | parts with all names right |",
        "|---|---|---|---|---|---|---|",
    ]
    for change, ways in own["figures"].items():
        rows = dict(ways)
        if before:
            rows["before"] = before["figures"][change]["localizer"]
        shown = SHOWN if change == ALL else ("localizer",)
        lines += [
            _row(_title(change, rows[way]), WAYS[way].format(before=content["before"]), rows[way])
            for way in shown
            if way in rows
        ]
    return [*lines, "", *_by_scan(own["rows"])]


def words(own: dict[str, Any]) -> str:
    """Say in a sentence how short parts of real CTs fare, and what probabilities are worth."""
    rows, blind = own["rows"], own["figures"][ALL]["from below"]
    likely = [row for row in rows if row["probability"] >= LIKELY]
    refused = sum(row["refused"] for row in rows)
    surely = sum(row["right"] for row in likely)
    return (
        f"  **Short parts of real CT are named badly**: of {len(rows)} parts of {own['length']} "
        f"levels (two CTs, each part as it is and made worse) "
        f"{sum(row['right'] and not row['refused'] for row in rows)} have all names right, "
        f"as {blind['right'] * blind['scans']:.0f} have where the lowest body is called L5 without "
        f"looking; {refused} {'is' if refused == 1 else 'are'} refused; of the {len(likely)} "
        f"with a probability of {LIKELY:.2f} or more {surely} are right."
    )


def _title(change: str, row: dict[str, Any]) -> str:
    return f"{'all together' if change == ALL else change} ({row['scans']})"


def _row(title: str, words: str, row: dict[str, Any]) -> str:
    cells = " | ".join(f"{100 * row[name]:.1f} %" for name in COLUMNS)
    return f"| {title} | {words} | {cells} |"


def _by_scan(rows: list[dict[str, Any]]) -> list[str]:
    """Say of each CT how many bodies of its parts are found and named, and how surely wrongly."""
    lines = []
    for name in dict.fromkeys(row["scan"] for row in rows):
        kept = [row for row in rows if row["scan"] == name]
        bodies, found, named = (sum(row[key] for row in kept) for key in FIGURES)
        sure = [row for row in kept if row["probability"] >= SURE]
        wrong = sum(not row["right"] for row in sure)
        refused = sum(row["refused"] for row in kept)
        lines.append(
            f"* {REAL[name]}: {len(kept)} parts, {found} of {bodies} bodies found, {named} named; "
            f"{refused} parts refused; at .95 or more {wrong} of {len(sure)} namings are wrong. "
            "All names are flagged."
        )
    return lines
