# ruff: noqa: E501  (prose)
"""The part of docs/verdict.md on how often sets hold the true grade."""

from __future__ import annotations

from typing import Any

from writers.counts import share_of, wilson

COVERED = {
    "sets": "sets as given",
    "not_widened": "not widened",
    "by_score": "network's score, to 90 %",
    "constant": "always G0",
}
PROMISED = 90
"""True grades held, of 100."""


def coverage_tables(content: dict[str, Any]) -> list[str]:
    """Write how often sets hold the true grade, class by class, beside their opponents."""
    if "coverage" not in content:
        return [
            "Not measured with the fit that is stored: `make verdict` calibrates the sets and "
            "fills this table. Until then reports show no set."
        ]
    point = content["calibration"]["operating_point"]
    lines = [
        f"The score is fitted on {_spines(point['sets_fitted_on'])}, the ranges are calibrated on "
        f"{_spines(point['calibrated_on'])}. With under 19 vertebrae of a middle grade, or 9 of an "
        "outer one, a range stays open at that end: sets are then wide, and still hold the "
        "promise.",
        "",
    ]
    if "scales" not in content["calibration"]:
        lines += [
            "**These sets do not ship**: from so few spines they are too wide to be of use. "
            "Reports show none until `make verdict` has calibrated them on all planned spines.",
            "",
        ]
    lines += [missed_words(content["coverage"]), "", *_unlike_line(content["coverage"])]
    for group, found in content["coverage"].items():
        terms = ", ".join(f"{k} {v}" for k, v in found["terms"].items() if v)
        why = f" (by {terms})" if terms else ""
        beyond = found["beyond"] or "none"
        lines += [
            f"**{group}**, {found['vertebrae']} vertebrae, {beyond} of them unlike the scans of "
            f"the fit{why}",
            "",
            "| true grade held | " + " | ".join(COVERED.values()) + " |",
            "|---|---|---|---|---|",
        ]
        for grade in ("G0", "G1", "G2", "G3"):
            cells = [share_of(found[name]["covered"][grade]) for name in COVERED]
            lines.append(f"| {grade} | {' | '.join(cells)} |")
        sizes = [_mean_size(found[name]["sizes"]) for name in COVERED]
        lines += [f"| grades in a set, mean | {' | '.join(sizes)} |", ""]
    return lines[:-1]


def missed_words(coverage: dict[str, Any]) -> str:
    """Name the grades whose sets hold less often than was promised, group by group."""
    cells = [
        (group, grade, pair)
        for group, found in coverage.items()
        for grade, pair in found["sets"]["covered"].items()
        if pair[1]
    ]
    below = [one for one in cells if 100 * one[2][0] < PROMISED * one[2][1]]
    if not below:
        return (
            f"**All {len(cells)} pairs of group and grade are held in {PROMISED} of 100 or more.**"
        )
    sure = [one for one in below if 100 * wilson(*one[2])[1] < PROMISED]
    words = f" By more than chance explains: {_by_group(sure)}." if sure else ""
    return (
        f"**{len(below)} of {len(cells)} pairs of group and grade are held in fewer than {PROMISED} of 100**: "
        f"{_by_group(below)}. Were the promise just held, half would be.{words}"
    )


def _by_group(cells: list[tuple[str, str, list[int]]]) -> str:
    groups: dict[str, list[str]] = {}
    for group, grade, (held, of) in cells:
        groups.setdefault(group, []).append(f"{grade} {held}/{of}")
    return "; ".join(f"`{group}` {', '.join(said)}" for group, said in groups.items())


def _unlike_line(coverage: dict[str, Any]) -> list[str]:
    """Say what the widening of sets is worth where the scanner is another one."""
    if "shifted-scanner" not in coverage:
        return []
    found = coverage["shifted-scanner"]
    given, plain = (_held(found[name]["covered"]) for name in ("sets", "not_widened"))
    gained = given[0] - plain[0]
    known = found["beyond"]
    share = (
        f"{known} of {found['vertebrae']} vertebrae of `shifted-scanner` are found to be unlike; "
        f"widened sets hold {gained} true grades more ({share_of(given)} against "
        f"{share_of(plain)}), of {plain[1] - plain[0]} that were not held."
    )
    lost = plain[1] - plain[0]
    repairs = lost > 0 and gained >= 0.5 * lost
    head = "do" if repairs else "do not"
    return [f"**The six terms {head} repair coverage on another scanner**: {share}", ""]


def _held(covered: dict[str, list[int]]) -> list[int]:
    return [sum(pair[k] for pair in covered.values()) for k in (0, 1)]


def _spines(counts: dict[str, Any]) -> str:
    grades = ", ".join(f"G{k} {v}" for k, v in sorted(counts["grades"].items()))
    presets = " and ".join(counts["presets"])
    return f"{counts['vertebrae']} vertebrae ({grades}) of {counts['spines']} spines of {presets}"


def _mean_size(sizes: dict[str, int]) -> str:
    count = sum(sizes.values())
    return f"{sum(int(k) * v for k, v in sizes.items()) / count:.2f}" if count else "–"
