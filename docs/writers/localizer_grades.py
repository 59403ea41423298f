"""How many bodies of each Genant grade are found, as docs/localizer.md says it."""

from __future__ import annotations

from typing import Any

from writers.localizer import WAYS


def table(content: dict[str, Any]) -> list[str]:
    """List the share of bodies found by their grade, of one set of persons."""
    ways = content["grades"]
    titles = [WAYS[way].format(before=content["before"]) for way in WAYS if way in ways]
    lines = [
        f"Thoracic and lumbar bodies found within 10 mm in all scans of `{content['preset']}` "
        f"(seed {content['seed']}), by Genant grade:",
        "",
        "| grade | bodies | persons | " + " | ".join(titles) + " |",
        "|---|---|---|" + "---|" * len(titles),
    ]
    for grade, row in ways["localizer"].items():
        cells = [_share(ways[way][grade]) for way in WAYS if way in ways]
        lines.append(
            f"| {grade} | {row['bodies']} | {row['persons']} | " + " | ".join(cells) + " |"
        )
    return lines


def _share(row: dict[str, int]) -> str:
    return f"{100 * row['found'] / row['bodies']:.1f} %" if row["bodies"] else "–"
