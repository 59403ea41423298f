"""The part of docs/localizer.md on CTs of public collections, marked by eye."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from writers.localizer import COLUMNS, WAYS
from writers.markers import replaced
from writers.stored import stored

KINDS = {"whole": "whole scan", "part": "part of {length} levels"}
SURE = 0.95


def written(page: str, results: Path) -> str:
    """Return the page with its table between the markers."""
    content = stored(results, "localizer-public.json")
    page = replaced(page, "located-public-words", words(content))
    return replaced(page, "located-public", "\n".join(section(content)))


def words(content: dict[str, Any]) -> str:
    """Say in a sentence what is found and named in these scans."""
    own = content["figures"]["localizer"]
    whole, part = own["whole"]["names"]["localizer"], own["part"]["names"]["localizer"]
    blind = own["part"]["names"]["from below"]
    return (
        f"  In {own['whole']['places']['scans']} CTs of public collections, whose levels were "
        f"marked by eye, {_count(own['whole']['places'], 'found')} of "
        f"{own['whole']['places']['bodies']} marked bodies are found. Where the names are sure, "
        f"{_count(whole, 'named')} of {whole['bodies']} are named rightly in whole scans, and "
        f"{100 * part['named']:.0f} % in parts of {content['length']} levels "
        f"({100 * blind['named']:.0f} % where the lowest is called L5 without looking)."
    )


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
        "| scans | named by | found within 10 mm | within 5 mm | named | named after the best "
        "shift | scans with all names right |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind, title in KINDS.items():
        lines += _rows(content, kind, title.format(length=content["length"]))
    return [*lines, "", *_notes(content)]


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
