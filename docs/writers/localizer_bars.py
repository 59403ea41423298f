"""The part of docs/localizer.md that holds the figures against what was wanted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from writers.markers import replaced
from writers.stored import stored


@dataclass(frozen=True)
class Bar:
    """What was wanted of scans in random parts.

    Parameters
    ----------
    words : str
    name : str
        Of the figure in the results.
    least, most : float or None
        One of them is given.
    """

    words: str
    name: str
    least: float | None = None
    most: float | None = None

    def met(self, value: float) -> bool:
        """Say whether a figure is good enough."""
        return value >= self.least if self.least is not None else value <= (self.most or 0.0)


BARS = (
    Bar("bodies found within 10 mm", "found", least=0.99),
    Bar("bodies found within 5 mm", "close", least=0.97),
    Bar("bodies with their own name", "named", least=0.95),
    Bar("the same after the best shift", "shifted", least=0.98),
    Bar("calibration error of a naming's probability", "ece", most=0.05),
    Bar("wrong namings of those with .95 or more", "sure_wrong_share", most=0.02),
)
GROUP = "crops"


def written(page: str, results: Path) -> str:
    """Return the page with the table between the markers."""
    return replaced(page, "located-bars", "\n".join(table(stored(results, "localizer.json"))))


def table(content: dict[str, Any]) -> list[str]:
    """List every bar beside what was measured in random parts."""
    ways = content["phantoms"][GROUP]
    versions = [("localizer", content["version"])]
    if "before" in ways:
        versions.insert(0, ("before", content["before"]))
    scans = ways["localizer"]["scans"]
    lines = [
        f"Wanted of {scans} scans in random parts, of {content['persons']} persons:",
        "",
        "| | wanted | " + " | ".join(f"version {version}" for _, version in versions) + " | |",
        "|---|---|" + "---|" * len(versions) + "---|",
    ]
    for bar in BARS:
        values = [_value(ways[way], bar.name) for way, _ in versions]
        lines.append(
            f"| {bar.words} | {_wanted(bar)} | "
            + " | ".join(_shown(bar, value) for value in values)
            + f" | {_verdict(bar, values[-1], content)} |"
        )
    return lines


def _value(row: dict[str, Any], name: str) -> float:
    if name == "sure_wrong_share":
        return float(row["sure_wrong"]) / max(row["sure"], 1)
    return float(row[name])


def _wanted(bar: Bar) -> str:
    if bar.least is not None:
        return f"at least {100 * bar.least:g} %"
    return f"at most {bar.most:g}"


def _shown(bar: Bar, value: float) -> str:
    return f"{100 * value:.1f} %" if bar.least is not None else f"{value:.3f}"


def _verdict(bar: Bar, value: float, content: dict[str, Any]) -> str:
    """Say whether a bar is met, and where so few scans cannot show it."""
    if bar.name == "ece":
        mean, _ = content["chance"][GROUP]
        beyond = f"; so few scans give {mean:.2f} even if every probability holds"
        return ("met" if bar.met(value) else "missed") + (beyond if mean > (bar.most or 0) else "")
    if bar.name == "sure_wrong_share":
        sure = content["phantoms"][GROUP]["localizer"]["sure"]
        return f"{'met' if bar.met(value) else 'missed'}; {sure} scans"
    return "met" if bar.met(value) else "missed"
