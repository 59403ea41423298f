"""Words for the default's prototypes minus another map, on the same fractures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from writers.stored import stored

PAIRED = "explanations-paired.json"
CLASS_MAP = "class map"
ASKED_MAP = "spinexplain.explainers.class_map:explain_class_map"
QUESTIONS = {
    "endplate": "which endplate",
    "third": "which third",
    "top_share": "highest 2 % on the evidence",
}
Row = Mapping[str, Any]


def paired_in(results: Path) -> list[Row]:
    """Return the stored differences from the map that was asked in training; often none.

    Its other maps are compared too, but the comparison at equal truth is with this one.
    """
    if not (results / PAIRED).is_file():
        return []
    return [row for row in stored(results, PAIRED)["rows"] if row["explainer"] == ASKED_MAP]


def pairwise(paired: Sequence[Row]) -> str:
    """Say of every question whether the prototypes differ from the class map.

    Examples
    --------
    >>> one = {"value": 0.03, "low": -0.02, "high": 0.08}
    >>> print(pairwise([{"endplate": one, "third": one, "top_share": one}]).split(";")[0])
    Default's prototypes minus the supervised classifier's class map, on the same fractures: \
which endplate +0.03 (−0.02 to +0.08), no difference seen
    """
    (row,) = paired
    each = [f"{words} {signed(row[key])}, {sense(row[key])}" for key, words in QUESTIONS.items()]
    return (
        "Default's prototypes minus the supervised classifier's class map, on the same fractures: "
        f"{'; '.join(each)}."
    )


def sense(found: Row) -> str:
    """Say what the interval of a difference leaves.

    Examples
    --------
    >>> sense({"low": 0.01, "high": 0.2}), sense({"low": -0.2, "high": -0.01})
    ('the prototypes are ahead', 'the class map is ahead')
    """
    if found["low"] > 0:
        return "the prototypes are ahead"
    return "the class map is ahead" if found["high"] < 0 else "no difference seen"


def meaning(paired: Sequence[Row]) -> str:
    """Say what the comparison at equal truth means for parts and prototypes.

    Examples
    --------
    >>> meaning([])
    'The two were not compared pair by pair.'
    """
    if not paired:
        return "The two were not compared pair by pair."
    ahead = [words for key, words in QUESTIONS.items() if paired[0][key]["low"] > 0]
    behind = [words for key, words in QUESTIONS.items() if paired[0][key]["high"] < 0]
    if ahead or behind:
        return (
            "Pair by pair: "
            + "; ".join(
                f"{who} ahead at {', '.join(asked)}"
                for who, asked in (("the prototypes are", ahead), (f"the {CLASS_MAP} is", behind))
                if asked
            )
            + ". One training each."
        )
    return (
        "So the lead over the plain classifier, which learns no such truth, comes from that truth; "
        "that parts and prototypes place evidence better is not shown. One training each."
    )


def signed(found: Row) -> str:
    """Write a difference with its interval."""
    return f"{found['value']:+.2f} ({found['low']:+.2f} to {found['high']:+.2f})".replace("-", "−")
