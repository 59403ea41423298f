"""Figures of the cases that should come out as not assessable, or be graded rightly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from spinexplain.reproduce.transfer.tally import without_share

Row = Mapping[str, Any]


def outcomes(rows: Iterable[Row]) -> dict[str, Any]:
    """Count what came out of vertebrae without a fracture: refused, kept, called fractured."""
    rows = list(rows)
    graded = [row for row in rows if not row["reason"]]
    return {
        "n": len(rows),
        "refused": len(rows) - len(graded),
        "kept": sum(row["called"] == "G0" for row in graded),
        "called_fractured": sum(row["called"] != "G0" for row in graded),
        "flagged": sum(bool(row["flags"]) for row in graded),
        "reasons": dict(Counter(without_share(row["reason"]) for row in rows if row["reason"])),
    }


def grouped(rows: Iterable[Row], key: Callable[[Row], tuple]) -> dict[tuple, list[Row]]:
    """Collect rows of equal key, in the order they come in."""
    groups: dict[tuple, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def cuts(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """By way, side and distance of the scan's border from the center of the body."""
    found = grouped(
        (row for row in rows if row["case"] == "cut"),
        lambda row: (row["way"], row["side"], row["border_mm"]),
    )
    return [
        {"way": way, "side": side, "border_mm": mm, **outcomes(part)}
        for (way, side, mm), part in found.items()
    ]


def odd(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """By what is odd about a real scan; the Schmorl's node at T11 is left out."""
    found = grouped(
        (row for row in rows if row["case"] == "odd" and row["level"] != "T11"),
        lambda row: (row["variant"],),
    )
    return [{"variant": variant, **outcomes(part)} for (variant,), part in found.items()]


def slices(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """By orientation and thickness: normal ones kept, G2 and G3 found, on the same persons."""
    found = grouped(
        (row for row in rows if row["case"] == "slices"),
        lambda row: (row["slices"], row["thickness_mm"]),
    )
    result = []
    for (name, thickness), part in found.items():
        truth = [row for row in part if not row["truth"]["foreign_material"]]
        normal = [r for r in truth if r["truth"]["shape"] == "none"]
        broken = [r for r in truth if r["truth"]["shape"] != "none" and r["truth"]["grade"] >= 2]
        fractured = outcomes(broken)
        result.append(
            {
                "slices": name,
                "thickness_mm": thickness,
                "normal": outcomes(normal),
                "fractures": len(broken),
                "fractures_refused": fractured["refused"],
                "fractures_found": fractured["called_fractured"],
            }
        )
    return result


def metal(rows: Sequence[Row]) -> dict[str, Any]:
    """Levels with screws, cement or a cage below, and the normal levels beside them."""
    all_metal = [row for row in rows if row["case"] == "metal"]
    foreign = [row for row in all_metal if row["truth"]["foreign_material"]]
    normal = [
        row
        for row in all_metal
        if not row["truth"]["foreign_material"] and row["truth"]["shape"] == "none"
    ]
    return {"foreign": outcomes(foreign), "beside": outcomes(normal)}


def all_cases(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the figures of all cases."""
    return {"cuts": cuts(rows), "slices": slices(rows), "metal": metal(rows), "odd": odd(rows)}
