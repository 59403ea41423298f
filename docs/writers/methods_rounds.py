# ruff: noqa: E501  (prose)
"""What the three methods looked like after fewer rounds: a paragraph of docs/methods.md."""

from __future__ import annotations

from typing import Any

from writers.methods_reading import METHODS

PAIRS = ("protoverse - baseline", "protopnet - baseline", "protoverse - protopnet")


def earlier_words(content: dict[str, Any]) -> str:
    """Say what the rule would have read off the same trainings, had they ended earlier."""
    earlier = content.get("after_fewer_rounds", {})
    return " ".join(_after(rounds, found) for rounds, found in earlier.items()) + (
        f" {_now(content)}" if earlier else ""
    )


def _after(rounds: str, found: dict[str, Any]) -> str:
    told = [
        f"on `{test}` {', '.join(_shown(pair, found[pair][test]) for pair in PAIRS)}"
        for test in found[PAIRS[0]]
    ]
    clear = [
        f"{_named(pair)} on `{test}`"
        for pair in PAIRS
        for test, one in found[pair].items()
        if one["low"] * one["high"] > 0
    ]
    said = f"intervals without 0: {'; '.join(clear)}" if clear else "every interval holds 0"
    beyond = [
        f"{_named(pair)} on `{test}`"
        for pair in PAIRS
        for test, one in found[pair].items()
        if one["low"] * one["high"] > 0 and abs(one["value"]) > one["floor"]
    ]
    more = f"; larger than what two trainings differ by, too: {'; '.join(beyond) or 'none'}"
    return f"After {rounds} rounds of these trainings: {'; '.join(told)} ({said}{more if clear else ''})."


def _now(content: dict[str, Any]) -> str:
    clear = [
        _named(pair)
        for pair in PAIRS
        if any(one["low"] * one["high"] > 0 for one in content["differences"][pair].values())
    ]
    said = f"still without 0: {', '.join(clear)}" if clear else "every interval holds 0"
    end = "" if clear else ": **what looked like a ranking may have been one of speed**"
    return f"After {content['rounds']['all']} {said}{end}."


def _shown(pair: str, one: dict[str, float]) -> str:
    value, low, high = (
        f"{100 * one[key]:+.1f}".replace("-", "−") for key in ("value", "low", "high")
    )
    return f"{_named(pair)} {value} ({low} to {high})"


def _named(pair: str) -> str:
    one, other = pair.split(" - ")
    return f"{METHODS[one]} − {METHODS[other]}"
