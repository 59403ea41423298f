"""The part of docs/localizer.md on finding and naming: phantoms, opponents, real CT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from writers.markers import replaced
from writers.stored import stored

WAYS = {
    "localizer": "the localizer",
    "classical": "density and place alone: bone near the back's middle and its period, no network",
    "from below": "its centers, the lowest called L5",
    "gaps alone": "its centers, named by their distances alone",
    "one answer": "its centers, the uppermost always called T11",
}
GROUPS = {
    "whole": "whole trunk",
    "crops": "random part, three bodies or more",
    "narrow": "such a part, cut 45 mm beside its centers",
}
COLUMNS = ("found", "close", "named", "shifted", "right")
REAL = {
    "lumbar": "lumbar CT, 3 mm",
    "thoracic": "contrast chest CT, 1.5 mm",
    "crop": "crop around L3, 1.5 mm",
}


def written(page: str, results: Path) -> str:
    """Return the page with the tables between the markers."""
    content = stored(results, "localizer.json")
    page = replaced(page, "located", "\n".join(phantom_table(content)))
    page = replaced(page, "located-real-words", real_words(content))
    return replaced(page, "located-real", "\n".join(real_table(content)))


def phantom_table(content: dict[str, Any]) -> list[str]:
    """List shares of bodies, and what the probability of a naming is worth."""
    lines = [
        f"{content['persons']} persons of the preset `{content['preset']}`, which took no part in "
        "training or choosing, each scanned whole and in random parts; the localizer's version "
        f"{content['version']}.",
        "",
        "| scans | named by | found within 10 mm | within 5 mm | named | named after the best "
        "shift | scans with all names right |",
        "|---|---|---|---|---|---|---|",
    ]
    for group, title in GROUPS.items():
        for way, words in WAYS.items():
            if way not in content["phantoms"][group]:
                continue
            row = content["phantoms"][group][way]
            cells = [f"{100 * row[name]:.1f} %" for name in COLUMNS]
            lines.append(f"| {title} ({row['scans']}) | {words} | " + " | ".join(cells) + " |")
    lines.append("")
    for group, title in GROUPS.items():
        row = content["phantoms"][group]["localizer"]
        lines.append(
            f"* {title}: calibration error of the naming's probability {row['ece']:.3f} "
            f"({by_chance(content, group)}); at .95 "
            f"or more {row['sure_wrong']} of {row['sure']} namings are wrong, of those with a "
            f"landmark in view {row['certain_wrong']} of {row['certain']}; {row['extra']:.2f} "
            f"centers a scan that belong to no body; {row['refused']} refused."
        )
    row = content["together"]
    lines.append(
        f"* all {row['scans']} together: calibration error {row['ece']:.3f} "
        f"({by_chance(content, 'all')}); {100 * row['right']:.1f} % of the namings are right, "
        f"{mean_probability(content):.1f} % would be by their probabilities; at .95 or more "
        f"{row['sure_wrong']} of {row['sure']} are wrong."
    )
    return [*lines, *map(earlier, content.get("earlier", []))]


def earlier(row: dict[str, Any]) -> str:
    """Say how other persons fared that were measured before."""
    groups = [
        f"{GROUPS[group]} found {100 * one['found']:.1f} %, named {100 * one['named']:.1f} %, all "
        f"names right {100 * one['right']:.1f} %"
        for group, one in row["phantoms"].items()
    ]
    return (
        f"* {row['persons']} other persons (seed {row['seed']}), measured before: "
        + "; ".join(groups)
        + "."
    )


def by_chance(content: dict[str, Any], group: str) -> str:
    """Say how large the calibration error is where every probability holds."""
    mean, most = content["chance"][group]
    return f"{mean:.2f}, at most {most:.2f} in 19 of 20 draws, if every probability held"


def mean_probability(content: dict[str, Any]) -> float:
    """Return the mean probability of the namings, in percent."""
    odds = [scan["probability"] for scan in content["scans"]]
    return 100 * sum(odds) / len(odds)


def real_words(content: dict[str, Any]) -> str:
    """Say in a sentence a scan how the real CTs do."""
    return "\n".join(f"  {_in_words(title, content['real'][name])}" for name, title in REAL.items())


def _in_words(title: str, row: dict[str, Any]) -> str:
    subject = f"{title[0].upper()}{title[1:]}:"
    if row.get("refused"):
        return f"{subject} refused, {row['refused']}."
    bodies = f"{row['bodies']} bodies" if row["bodies"] > 1 else "1 body"
    return (
        f"{subject} of {bodies} {row['found']} found within 10 mm, {row['close']} within 5 mm, "
        f"{row['named']} with the right name (probability {row['probability']:.2f}, flagged)."
    )


def real_table(content: dict[str, Any]) -> list[str]:
    """List the real CTs one by one."""
    lines = [
        "| scan | bodies | found within 10 mm | within 5 mm | named | probability | sure, from a "
        "landmark |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, title in REAL.items():
        row = content["real"][name]
        counts = f"| {title} | {row['bodies']} | {row['found']} | {row['close']} | {row['named']} "
        if row.get("refused"):
            lines.append(counts + f"| refused: {row['refused']} | – |")
        else:
            certain = "yes" if row["certain"] else "no"
            lines.append(counts + f"| {row['probability']:.2f} | {certain} |")
    return lines
