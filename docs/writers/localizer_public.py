"""The part of docs/localizer.md on CTs of public collections, marked by eye."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from writers.localizer import COLUMNS, WAYS
from writers.markers import replaced
from writers.stored import stored

KINDS = {"whole": "whole scan", "part": "part of {length} levels"}
BLIND = ("from below", "gaps alone", "one answer")
LIKELY = 0.8


def written(page: str, results: Path) -> str:
    """Return the page with its table between the markers."""
    content = stored(results, "localizer-public.json")
    page = replaced(page, "located-public-words", words(content))
    return replaced(page, "located-public", "\n".join(section(content)))


def words(content: dict[str, Any]) -> str:
    """Say in a sentence what is found and named in these scans."""
    own = content["figures"]["localizer"]
    whole, parts = own["whole"]["names"]["localizer"], own["part"]["names"]
    blind = max(BLIND, key=lambda way: parts[way]["named"])
    return (
        f"  In {own['whole']['places']['scans']} CTs of public collections, whose levels were "
        f"marked by eye, {_count(own['whole']['places'], 'found')} of "
        f"{own['whole']['places']['bodies']} thoracic and lumbar bodies are found within 10 mm "
        f"in height. Where the names are sure, {_count(whole, 'named')} of {whole['bodies']} are "
        f"named rightly in whole scans, and {100 * parts['localizer']['named']:.0f} % in parts of "
        f"{content['length']} levels ({100 * parts[blind]['named']:.0f} % by the best way that "
        f"does not look: {WAYS[blind]}).{_before_words(content)}"
    )


def _before_words(content: dict[str, Any]) -> str:
    if "before" not in content["figures"]:
        return ""
    named = content["figures"]["before"]["part"]["names"]["localizer"]["named"]
    return f" Version {content['versions']['before']} named {100 * named:.0f} % of these."


def _count(row: dict[str, Any], name: str) -> int:
    return round(row[name] * row["bodies"])


def section(content: dict[str, Any]) -> list[str]:
    """Show places and names, whole and in parts, beside cheap ways of naming."""
    collections = "; ".join(
        f"{one['name']} ({one['collection']}{'' if one['named'] else '; places alone'})"
        for one in content["scans"]
    )
    lines = [
        f"Scans: {collections}.",
        "",
        "| scans | named by | found within 10 mm in height | within 5 mm | named | named after the "
        "best "
        "shift | scans with all names right |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind, title in KINDS.items():
        lines += _rows(content, kind, title.format(length=content["length"]))
    return [*lines, "", *_notes(content), *_unsure(content), *_likely(content)]


def _unsure(content: dict[str, Any]) -> list[str]:
    """Say what the localizer says where the marks' names are not sure."""
    return [
        f"* {row['name']}: the names of the marks are not sure; those of version "
        f"{content['versions'][way]} differ from them at "
        f"{row['judged']['bodies'] - row['judged']['named']} of {row['judged']['bodies']} bodies, "
        f"at a probability of {row['judged']['probability']:.2f}."
        for way, rows in content["rows"].items()
        for row in rows
        if not row["named"]
    ]


def _likely(content: dict[str, Any]) -> list[str]:
    """Say how often a likely naming of a part is wrong, and how many are right scan by scan."""
    rows = [row for row in content["rows"]["localizer"] if row["kind"] == "part"]
    high = [row["judged"] for row in rows if row["judged"]["probability"] >= LIKELY]
    wrong = sum(not one["right"] for one in high)
    each = [_right_parts(content, name) for name in dict.fromkeys(row["name"] for row in rows)]
    return [
        f"* At {LIKELY:.2f} or more {wrong} of {len(high)} namings of parts are wrong.",
        f"* Parts with all names right: {'; '.join(each)}.",
    ]


def _right_parts(content: dict[str, Any], name: str) -> str:
    counts = []
    for way, rows in content["rows"].items():
        own = [row["judged"] for row in rows if row["kind"] == "part" and row["name"] == name]
        right = sum(one["right"] for one in own)
        counts.append(f"{right} of {len(own)} (version {content['versions'][way]})")
    return f"{name} {', '.join(counts)}"


def _rows(content: dict[str, Any], kind: str, title: str) -> list[str]:
    own = content["figures"]["localizer"][kind]["names"]
    ways = dict(own)
    if "before" in content["figures"]:
        ways["before"] = content["figures"]["before"][kind]["names"]["localizer"]
    return [
        f"| {title} ({row['scans']}) | {WAYS[way].format(before=content['versions'].get('before'))}"
        f" | {' | '.join(f'{100 * row[name]:.1f} %' for name in COLUMNS)} |"
        for way in WAYS
        if way in ways
        for row in [ways[way]]
    ]


def _notes(content: dict[str, Any]) -> list[str]:
    lines = []
    for way, figures in content["figures"].items():
        for kind, title in KINDS.items():
            row = figures[kind]["names"]["localizer"]
            lines.append(
                f"* Version {content['versions'][way]}, {title.format(length=content['length'])}: "
                f"at .95 or more {row['sure_wrong']} of {row['sure']} namings are wrong; "
                f"{row['refused']} of {row['scans']} refused; {row['extra']:.2f} centers a scan "
                "that were not marked."
            )
    return lines
