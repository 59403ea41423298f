"""How figures are written on the transfer page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Facts = Mapping[str, Any]


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def figure(share: Facts) -> str:
    """Write a share as "97.3 % (95.1 to 98.9; 412/423)"."""
    if not share["n"]:
        return "–"
    counts = f"{share['hits']}/{share['n']}"
    if share["low"] is None:
        return f"{percent(share['value'])} % ({counts})"
    span = f"{percent(share['low'])} to {percent(share['high'])}"
    return f"{percent(share['value'])} % ({span}; {counts})"


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in lines) + "\n"


def verdict(share: Facts, target: float) -> str:
    return f"{figure(share)}{'' if (share['value'] or 0) >= target else ' – missed'}"
