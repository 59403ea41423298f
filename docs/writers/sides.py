"""The sides in docs/explanations.md: which side of a fracture sank more, and what else says so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from writers.markers import replaced
from writers.stored import stored

WORDS = {
    "grades": "the network's expected grade, sheets left minus right",
    "map": "the network's maps, highest 2 % of each sheet, left minus right",
    "heights": "heights on the true mask, right minus left third",
    "detector": "GradCAM of the 3-D detector, left minus right half of the body",
    "image-blind": "any answer that never saw the image",
}


def written(page: str, results: Path) -> str:
    """Return the page with its sides between the markers."""
    content = stored(results, "sides.json")
    return replaced(page, "sides", "\n".join([*chosen_words(content), "", *table(content)]))


def chosen_words(content: dict[str, Any]) -> list[str]:
    """Say what validation chose."""
    chosen = content["chosen"]
    counts = chosen["validation"]
    offsets = distances(chosen["offsets_mm"])
    return [
        f"Chosen on {counts['one_sided']} one-sided and {counts['straight']} straight fractures of "
        f"other persons: sheets {offsets} mm to either side, and a side is named from a difference "
        f"of {chosen['least']:.1f} grades; there, that named the right side in "
        f"{chosen['named_right']:.0%} of the one-sided fractures and some side in "
        f"{chosen['straight_named']:.0%} of the straight ones."
    ]


def table(content: dict[str, Any]) -> list[str]:
    """Lay out the test: every way of asking, then what is named, then by lean."""
    test = content["test"]
    sided = test["one_sided"]
    total = sided["left"] + sided["right"]
    lines = [
        f"| right side of {total} one-sided fractures ({sided['left']} left, {sided['right']} "
        "right), chance 1/2 | |",
        "|---|---|",
        *(f"| {words} | {interval(test['right'][key])} |" for key, words in WORDS.items()),
        "",
        f"A side is named in {test['named']:.0%} of them ({test['named'] * total:.0f}), the right "
        f"one in {test['right_of_named']:.0%} of those; in {test['straight_named']:.0%} of "
        f"{test['straight']} straight fractures that the network calls fractured, and in "
        f"{test['healthy_named']:.0%} of {test['healthy']} healthy vertebrae, of which reports do "
        f"not ask. {test['persons']} persons.",
        "",
        "| difference of what sank left and right, over their sum | fractures | right side |",
        "|---|---|---|",
    ]
    for one in test["by_lean"]:
        share = "–" if one["right"] is None else f"{one['right']:.2f}"
        lines.append(f"| {one['from']:.1f} to {one['to']:.1f} | {one['fractures']} | {share} |")
    return lines


def distances(offsets_mm: Sequence[float]) -> str:
    """Write distances in words.

    Examples
    --------
    >>> distances([4.0, 8.0, 12.0])
    '4, 8 and 12'
    """
    words = [f"{mm:.0f}" for mm in offsets_mm]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def interval(figure: Sequence[float]) -> str:
    """Write a figure with its interval."""
    value, low, high = figure
    return f"{value:.2f} ({low:.2f} to {high:.2f})"
