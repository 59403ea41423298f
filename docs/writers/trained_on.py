"""The figures of docs/decisions/trained-on.md: both networks before and after, paired."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from writers.markers import replaced
from writers.stored import stored

_CURVE = {
    "on_spine": "of the spine's planes the path lies on",
    "held": "of the path's planes lie on the spine",
}
_KINDS = {"usual": "as training drew them before", "small": "short, narrow, with bright tubes"}
_BODY = {
    "dice": ("overlap (Dice)", "{:.3f}", "{:+.3f}"),
    "away_mm": ("from the true body's middle, mm", "{:.2f}", "{:+.2f}"),
}


def written(page: str, results: Path) -> str:
    """Return the page with both tables between its markers."""
    content = stored(results, "localizer-trained-on.json")
    return replaced(page, "trained-on", "\n".join([*curve(content), "", *body(content)]))


def curve(content: dict[str, Any]) -> list[str]:
    """List how well the path lies, by kind of piece."""
    own, (before, after) = content["curve"], content["versions"].values()
    lines = [
        f"The path through pieces of {own['persons']} persons of `{own['preset']}` (seed "
        f"{own['seed']}), within {content['near_mm']:.0f} mm of the spine's middle:",
        "",
        f"| pieces | share | version {before} | version {after} | more, 95 % interval | straight "
        "down, without looking |",
        "|---|---|---|---|---|---|",
    ]
    for kind, title in _KINDS.items():
        for name, words in _CURVE.items():
            row = own[kind][name]
            value, low, high = (100 * one for one in row["more"])
            lines.append(
                f"| {title} ({own[kind]['count']}) | {words} | {100 * row['before']:.1f} % | "
                f"{100 * row['after']:.1f} % | {value:+.1f} ({low:+.1f} to {high:+.1f}) | "
                f"{100 * row['blind']:.1f} % |"
            )
    return lines


def body(content: dict[str, Any]) -> list[str]:
    """List overlap and distance of what is painted in crops of new persons."""
    own, (before, after) = content["body"], content["versions"].values()
    presets = ", ".join(f"`{name}`" for name in own["presets"])
    lines = [
        f"{own['count']} crops of {own['persons']} new persons (seed {own['seed']}) of {presets}:",
        "",
        f"| figure | version {before} | version {after} | more, 95 % interval | the mean body of "
        "these crops, without looking |",
        "|---|---|---|---|---|",
    ]
    for name, (words, plain, signed) in _BODY.items():
        row = own[name]
        value, low, high = (signed.format(one) for one in row["more"])
        one, other = plain.format(row["before"]), plain.format(row["after"])
        blind = plain.format(row["blind"])
        lines.append(f"| {words} | {one} | {other} | {value} ({low} to {high}) | {blind} |")
    none = own["none"]
    lines.append(
        f"| nothing painted | {100 * none['before']:.1f} % | {100 * none['after']:.1f} % | "
        f"{100 * none['more'][0]:+.1f} ({100 * none['more'][1]:+.1f} to "
        f"{100 * none['more'][2]:+.1f}) | {100 * none['blind']:.1f} % |"
    )
    return lines
