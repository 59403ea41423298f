"""The transfer page on what a model should refuse."""

from __future__ import annotations

from collections.abc import Sequence

from writers.transfer.parts import Facts, table


def limits_of(limits: Facts) -> str:
    parts = [
        "## Not assessable, or graded all the same\n",
        "Vertebrae without a fracture that are cut, coarse, odd or full of metal. A wrong grade "
        "(**bold**) is worse than a refusal.\n",
        "The border of a real scan comes near one body (L2, L4, T6, T9); distance from its center:\n",
        _cuts(limits["cuts"]),
        "Phantom spines at 1 mm, slices averaged; the same persons in every row:\n",
        _slices(limits["slices"]),
        "Foreign material and odd input:\n",
        _odd(limits),
    ]
    return "\n".join(parts)


def _cuts(rows: Sequence[Facts]) -> str:
    borders = sorted({row["border_mm"] for row in rows}, reverse=True)
    ways = list(dict.fromkeys((row["way"], row["side"]) for row in rows))
    at = {(r["way"], r["side"], r["border_mm"]): outcome(r) for r in rows}
    cells = [
        [f"{side}, {'by mask' if way == 'mask' else 'by centers alone'}"]
        + [at.get((way, side, mm), "–") for mm in borders]
        for way, side in ways
    ]
    return table(["border", *(f"{mm} mm" for mm in borders)], cells)


def _slices(rows: Sequence[Facts]) -> str:
    if not rows:
        return "Not measured yet.\n"
    cells = [
        [
            f"{row['slices']}, {row['thickness_mm']} mm",
            outcome(row["normal"]),
            f"{row['fractures_found']}/{row['fractures']}"
            + (f" ({row['fractures_refused']} refused)" if row["fractures_refused"] else ""),
            row["normal"]["flagged"],
        ]
        for row in rows
    ]
    return table(["slices", "normal", "G2 and G3 found", "normal ones graded with a flag"], cells)


def _odd(limits: Facts) -> str:
    rows = [("screws, cement or cage in or below the level", limits["metal"]["foreign"])]
    rows += [("other normal levels of these spines", limits["metal"]["beside"])]
    rows += [(f"real scans, {row['variant']}", row) for row in limits["odd"]]
    cells = [
        [
            what,
            found["n"],
            outcome(found),
            "; ".join(f"{r}: {n}" for r, n in found["reasons"].items()),
        ]
        for what, found in rows
    ]
    return table(["case", "vertebrae", "outcome", "reasons"], cells)


def outcome(found: Facts) -> str:
    said = [f"{found['kept']} G0"] if found["kept"] else []
    said += [f"**{found['called_fractured']} fractured**"] if found["called_fractured"] else []
    said += [f"{found['refused']} not assessable"] if found["refused"] else []
    return ", ".join(said) or "–"
