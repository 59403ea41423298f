# ruff: noqa: E501  (prose)
"""The part of docs/verdict.md on which targets are met, and which the opponents meet."""

from __future__ import annotations

from typing import Any

from writers.counts import share_of
from writers.verdict_targets import ROWS, TARGETS, share, target_words, targets_of

BESIDE_HEIGHTS = {
    "g2_suspected": "moderate fractures suspected",
    "g3_suspected": "severe fractures suspected",
    "false_alarm_spines": "normal spines with a suspected fracture",
    "middle_of_normal": "normal vertebrae borderline, mild or deformed",
}
SCANNERS = ("shifted-scanner", "familiar-scanner")
APART = 5
"""Points by which a figure may be worse on another scanner."""


def bars(content: dict[str, Any]) -> list[str]:
    """List which targets are met and which are missed, and what has none yet."""
    met, missed = [], []
    for group, figures in content["tested"].items():
        for key, (bar, side) in targets_of(group).items():
            said = share_of(figures["together"][key], bar)
            line = f"{group}: {ROWS[key]} {said}, at {side} {bar} %"
            (missed if "missed" in target_words(group, key, figures) else met).append(line)
    for line, kept in bars_of_scanners(content["tested"]):
        (met if kept else missed).append(line)
    return [
        f"**Met ({len(met)}):**",
        "",
        *(f"* {one}" for one in met),
        "",
        f"**Missed ({len(missed)}):**",
        "",
        *(f"* {one}" for one in missed),
        "",
        unsure_elsewhere(content),
        "",
        beside_heights(content["tested"]),
        "",
        bars_of_opponents(content["tested"]),
    ]


def bars_of_scanners(tested: dict[str, Any]) -> list[tuple[str, bool]]:
    """Hold another scanner to the same persons in familiar ones, figure by figure."""
    found = []
    for key, (_, side) in TARGETS["hard"].items():
        other, familiar = (tested[name]["together"][key] for name in SCANNERS)
        apart = 100 * (share(other) - share(familiar))
        worse = apart if side == "most" else -apart
        way = (
            "as many as"
            if not apart
            else f"{abs(apart):.0f} points {'more' if apart > 0 else 'fewer'} than"
        )
        found.append(
            (
                f"{SCANNERS[0]}: {ROWS[key]} {way} the same persons have in familiar scanners "
                f"({_of(other)} against {_of(familiar)}), at most {APART} points worse",
                worse <= APART,
            )
        )
    return found


def unsure_elsewhere(content: dict[str, Any]) -> str:
    """Say how often the verdict says on another scanner that it is unsure."""
    figures = content["tested"][SCANNERS[0]]["together"]
    (suspected, of), (noticed, _) = figures["g2_suspected"], figures["g2_noticed"]
    unlike = content.get("coverage", {}).get(SCANNERS[0])
    known = (
        f"; {unlike['beyond']} of {unlike['vertebrae']} vertebrae are called unlike the scans of the fit"
        if unlike
        else ""
    )
    return (
        f"What was asked for on another scanner could also be met by saying that the verdict is unsure there. Of {of - suspected} "
        f"moderate fractures that are not suspected on `{SCANNERS[0]}`, {noticed - suspected} are borderline{known}."
    )


def _of(pair: list[int]) -> str:
    return f"{pair[0]}/{pair[1]}"


def bars_of_opponents(tested: dict[str, Any]) -> str:
    """Count the bars of single groups that each witness meets alone."""
    counts = {name: _bars_met(tested, name) for name in ("together", "heights", "network")}
    of = counts["together"][1]
    return (
        f"Of the {of} bars within one group both together meet {counts['together'][0]}, heights "
        f"alone {counts['heights'][0]}, the network alone {counts['network'][0]}."
    )


def _bars_met(tested: dict[str, Any], name: str) -> tuple[int, int]:
    met = []
    for group, figures in tested.items():
        for key, (bar, side) in targets_of(group).items():
            percent = 100 * share(figures[name][key])
            met.append(percent <= bar if side == "most" else percent >= bar)
    return sum(met), len(met)


def beside_heights(tested: dict[str, Any]) -> str:
    """Count in how many groups both together do better, or worse, than the cheap opponent."""
    counted = [
        f"{words} in {_larger(tested, key, 'together', 'heights')}, fewer in "
        f"{_larger(tested, key, 'heights', 'together')}"
        for key, words in BESIDE_HEIGHTS.items()
    ]
    return (
        f"**Beside heights alone**, the cheap opponent, by exact masks, in {len(tested)} groups, "
        f"both together have more {'; more '.join(counted)}. Shares are compared as they are, "
        "whether or not chance explains the difference; *heights alone* leaves out vertebrae "
        "whose heights are not measured. What networks add is seen where "
        "[masks are wrong](masks.md), and by centers alone."
    )


def _larger(tested: dict[str, Any], key: str, one: str, other: str) -> int:
    """Return in how many groups one has the larger share."""
    return sum(share(group[one][key]) > share(group[other][key]) for group in tested.values())
