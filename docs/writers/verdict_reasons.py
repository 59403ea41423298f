# ruff: noqa: E501  (prose, and one line a row of a table)
"""The part of docs/masks.md on which rule of the verdict catches the network's mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from writers.markers import replaced
from writers.stored import stored

KINDS = {
    "false_alarm": "false alarms",
    "right_healthy": "healthy, rightly graded",
    "missed": "fractures missed",
    "found": "fractures found",
}
RULES = {
    "over_the_line": "over the line",
    "spread_crosses_the_line": "its spread crosses the line",
    "near_the_line": "near the line",
    "network_undecided": "the network is in two minds",
    "moderate_loss": "a loss of 25 % or more",
    "under_the_line": "under the lines",
    "mild_loss": "a loss of 20 % or more",
    "no_witness": "no witness",
}


def written(page: str, results: Path) -> str:
    """Return the page with the counts between its markers; as it is where none are stored."""
    if not (results / "verdict-reasons.json").is_file():
        return page
    content = stored(results, "verdict-reasons.json")
    return replaced(page, "reasons", "\n".join(lines_of(content)))


def lines_of(content: dict[str, Any]) -> list[str]:
    """Say what is caught and what it costs, then by which rule, then by look-alike."""
    kinds, caught, model = content["kinds"], content["caught"], content["model"]
    return [
        "## Which rule of the verdict catches the network's mistakes",
        "",
        f"**The verdict {_doubted(content)}, and notices {caught['missed']} of {kinds['missed']} fractures that it misses.** The price: "
        f"{caught['found']} of {kinds['found']} fractures that the network finds are no longer *suspected*, and "
        f"{caught['right_healthy']} of {kinds['right_healthy']} healthy vertebrae become *borderline* or worse. "
        f"{_denied(content)}",
        "",
        _beside(content),
        "",
        f"`{model['name']} {model['version']}` with the verdict's weights that were fitted to it, {content['spines']} spines of "
        f"`{content['group']}` (seed {content['seed']}) by their exact masks; mild fractures and refused vertebrae "
        "are left out.",
        "",
        f"| verdict, and the rule that decided | {' | '.join(KINDS.values())} |",
        "|---" * (1 + len(KINDS)) + "|",
        *(
            f"| {_rule(name)} | {' | '.join(str(row[kind]) for kind in KINDS)} |"
            for name, row in content["reasons"].items()
        ),
        "",
        "By look-alike, mistakes of the network that the verdict catches; a vertebra with several counts in each:",
        "",
        "| look-alike | false alarms taken back | misses noticed |",
        "|---|---|---|",
        *(
            f"| {kind} | {row['false_alarm'][0]}/{row['false_alarm'][1]} | {row['missed'][0]}/{row['missed'][1]} |"
            for kind, row in content["look_alikes"].items()
        ),
    ]


def _doubted(content: dict[str, Any]) -> str:
    doubted = sum(
        row["false_alarm"]
        for name, row in content["reasons"].items()
        if name.startswith("borderline")
    )
    dismissed = content["caught"]["false_alarm"] - doubted
    return f"doubts {doubted} of the network's {content['kinds']['false_alarm']} false alarms, dismisses {dismissed}"


def _beside(content: dict[str, Any]) -> str:
    """Say what simpler rules catch, and whether the verdict catches more than heights do."""
    kinds, mine = content["kinds"], content["caught"]
    alone = content["opponents"]["heights alone"]["caught"]
    differ = content["opponents"]["doubt where they differ"]["caught"]
    doubted = alone["false_alarm"] - content["opponents"]["heights alone"]["dismissed"]
    more = [kind for kind in ("false_alarm", "missed") if alone[kind] >= mine[kind]]
    dearer = [kind for kind in ("found", "right_healthy") if alone[kind] > mine[kind]]
    return (
        f"{_judged(more, dearer)} Heights alone, by their own lines, would doubt {doubted} of {kinds['false_alarm']} false "
        f"alarms, dismiss (neither *suspected* nor *borderline*) {content['opponents']['heights alone']['dismissed']}, and notice {alone['missed']} of "
        f"{kinds['missed']} misses; {_price(alone, kinds)}. Calling everything *borderline* on which network and heights, by "
        f"their upper line, differ would doubt {differ['false_alarm']} and notice {differ['missed']}; {_price(differ, kinds)}. The masks are exact, "
        "which flatters heights."
    )


def _judged(more: list[str], dearer: list[str]) -> str:
    if len(more) == 2:
        return "**Heights alone catch as many mistakes or more" + (
            ", at a higher price.**" if dearer else ", at no higher price.**"
        )
    if more:
        return "**Heights alone catch as many of one kind of mistake.**"
    return "**Heights alone catch fewer.**"


def _price(caught: dict[str, int], kinds: dict[str, int]) -> str:
    return (
        f"the price is {caught['found']} of {kinds['found']} fractures found and {caught['right_healthy']} of "
        f"{kinds['right_healthy']} healthy vertebrae"
    )


def _denied(content: dict[str, Any]) -> str:
    row = next(iter(content["heights_deny"].values()), dict.fromkeys(KINDS, 0))
    kinds = content["kinds"]
    return (
        f"The measured heights speak against a fracture in {row['false_alarm']} of {kinds['false_alarm']} false alarms "
        f"and in {row['found']} of {kinds['found']} fractures found."
    )


def _rule(name: str) -> str:
    state, _, reason = name.partition(": ")
    return f"*{state}*: {RULES.get(reason, reason.replace('.', ', '))}"
