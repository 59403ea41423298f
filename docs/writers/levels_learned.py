"""The part of docs/localizer.md on what the levels network has learned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from writers.markers import replaced
from writers.stored import stored

COHORTS = {
    "learned from": "that it learned from",
    "new persons": "new ones of the same preset",
    "another preset": "new ones of `wide-test`",
}
RARE = ("T13", "L6")
_COLORS = ("#9aa5b1", "#1f5f8b")


def written(page: str, results: Path) -> str:
    """Return the page with the table between the markers."""
    return replaced(
        page, "located-learned", "\n".join(table(stored(results, "localizer-levels.json")))
    )


def table(content: dict[str, Any]) -> list[str]:
    """List how well levels are read, by cohort and version."""
    lines = [
        f"Levels read at the bodies of {content['sections']} sections of each of "
        f"{content['persons']} persons, along curves with random errors, as training draws them:",
        "",
        "| persons | version | cross-entropy (nats) | level right | T13 right | L6 right |",
        "|---|---|---|---|---|---|",
    ]
    for row in content["rows"]:
        rare = (row["levels"].get(name) for name in RARE)
        cells = " | ".join("–" if one is None else f"{100 * one:.0f} %" for one in rare)
        lines.append(
            f"| {COHORTS[row['cohort']]} | {row['version']} | {row['cross_entropy']:.2f} | "
            f"{100 * row['right']:.0f} % | {cells} |"
        )
    for name, row in {row["cohort"]: row for row in content["rows"]}.items():
        constant = row["constant"]
        lines.append(
            f"| {COHORTS[name]} | how often each level is asked for, without looking | "
            f"{constant['cross_entropy']:.2f} | {100 * constant['right']:.0f} % | – | – |"
        )
    return lines


def draw(results: Path, images: Path) -> list[Path]:
    """Draw how often each level is read rightly in persons of another preset."""
    rows = [
        row
        for row in stored(results, "localizer-levels.json")["rows"]
        if row["cohort"] == "another preset"
    ]
    rows.sort(key=lambda row: str(row["version"]))
    figure, axes = plt.subplots(figsize=(8, 2.6), layout="constrained")
    names = list(rows[-1]["levels"])
    for row, color in zip(rows, _COLORS[-len(rows) :], strict=True):
        right = [100 * row["levels"][name] for name in names]
        axes.plot(names, right, "o-", color=color, label=f"version {row['version']}")
    axes.set_ylim(0, 103)
    axes.set_ylabel("level right, %")
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    path = images / "localizer" / "levels.png"
    figure.savefig(path, dpi=110)
    plt.close(figure)
    return [path]
