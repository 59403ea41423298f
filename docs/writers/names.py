"""The figures of docs/decisions/names.md: sections read and validation scans named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from writers.markers import replaced
from writers.stored import stored

_KINDS = {"short": "three to six bodies in view", "any length": "any length"}
_LOOKS = {"first": "first look", "all": "extended"}


def written(page: str, results: Path) -> str:
    """Return the page with its figures between its markers."""
    content = stored(results, "localizer-names.json")
    lines = [*sections(content), "", *validation(content)]
    return replaced(page, "names", "\n".join(lines))


def sections(content: dict[str, Any]) -> list[str]:
    """List how well true centers are named in sections of persons, network by network."""
    lines = [
        f"True centers in sections (256 mm at most) of {content['persons']} validation persons of "
        "each preset, read along curves as the second reading has them; T13 and L6 expected as "
        "often as these persons have them:",
        "",
        "| persons | sections | network | all names right | names right | minus log-probability of "
        "the true naming |",
        "|---|---|---|---|---|---|",
    ]
    for cohort in content["sections"]:
        for kind, row in cohort["kinds"].items():
            for way, own in row["ways"].items():
                lines.append(
                    f"| `{cohort['preset']}`, seed {cohort['seed']} | {_KINDS[kind]} "
                    f"({row['sections']}) | {_network(way, content)} | {100 * own['right']:.1f} % "
                    f"| {100 * own['named']:.1f} % | {own['missed']:.3f} |"
                )
    return [*lines, "", *_gains(content)]


def _network(way: str, content: dict[str, Any]) -> str:
    versions = content["versions"]
    if way == "before":
        return f"version {versions['before']}"
    if way == "now":
        return f"mean of both (version {versions['now']})"
    if way == "distances alone":
        return "none: the distances of the centers"
    return f"{way} alone"


def _gains(content: dict[str, Any]) -> list[str]:
    before, now = content["versions"]["before"], content["versions"]["now"]
    return [
        f"* `{cohort['preset']}`, {_KINDS[kind]}: from version {before} to {now} the true naming "
        f"gains {_signed(row['gain'])} nats, persons drawn again."
        for cohort in content["sections"]
        for kind, row in cohort["kinds"].items()
    ]


def validation(content: dict[str, Any]) -> list[str]:
    """Say how many validation scans are named rightly before and after, look by look."""
    return [
        line
        for look, words in _LOOKS.items()
        for line in _look(content["validation"][look], content["versions"], words)
    ]


def _look(row: dict[str, Any], versions: dict[str, str], words: str) -> list[str]:
    lines = [
        f"* Validation, {words}, version {versions[way]}: {row['right'][way]} of {row['scans']} "
        f"scans named rightly, mean log-probability of the true namings "
        f"{row['true_names'][way]:.2f}"
        + (f"; {row['refused'][way]} scans refused." if row["refused"][way] else ".")
        for way in ("before", "now")
    ]
    gain = f"* Gain in log-probability, {words}: {_signed(row['gain'])}, persons drawn again."
    return [*lines, gain]


def _signed(values: list[float]) -> str:
    value, low, high = values
    return f"{value:+.3f} ({low:+.3f} to {high:+.3f})"
