"""What the verdict is held to, group by group."""

from __future__ import annotations

from typing import Any

ROWS = {
    "false_alarm_spines": "normal spines with a suspected fracture",
    "g2_suspected": "moderate fractures suspected",
    "g2_noticed": "moderate fractures suspected or borderline",
    "g3_suspected": "severe fractures suspected",
    "g3_noticed": "severe fractures suspected or borderline",
    "middle_of_normal": "normal vertebrae borderline, mild or deformed",
    "mild_unsuspicious": "mild fractures without suspicion",
}
NEW_PERSONS = {"hard-new": "hard", "verse-like-new": "verse-like"}
"""Group -> the preset whose targets it is held to."""
TARGETS = {
    "hard": {
        "false_alarm_spines": (10, "most"),
        "g2_suspected": (75, "least"),
        "g2_noticed": (90, "least"),
        "g3_suspected": (93, "least"),
        "g3_noticed": (97, "least"),
        "middle_of_normal": (6, "most"),
    },
    "verse-like": {
        "false_alarm_spines": (5, "most"),
        "g2_suspected": (85, "least"),
        "g2_noticed": (93, "least"),
        "g3_suspected": (97, "least"),
        "g3_noticed": (99, "least"),
        "middle_of_normal": (6, "most"),
    },
}


def targets_of(group: str) -> dict[str, tuple[int, str]]:
    """Return what a group's figures are held to: new persons to the targets of their preset."""
    return TARGETS.get(NEW_PERSONS.get(group, group), {})


def share(pair: list[int]) -> float:
    return pair[0] / pair[1] if pair[1] else 0.0


def target_words(group: str, key: str, figures: dict[str, Any]) -> str:
    if key not in targets_of(group):
        return ""
    bar, side = targets_of(group)[key]
    count, of = figures["together"][key]
    percent = 100 * count / of if of else float("nan")
    kept = percent <= bar if side == "most" else percent >= bar
    return f"at {side} {bar} %{'' if kept else ': missed'}"
