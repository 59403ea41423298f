# ruff: noqa: E501  (prose, and one line a row of a table)
"""The part of docs/verdict.md on a detector beside the sheets: its weights, and whether it helps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from writers.counts import share_of
from writers.markers import replaced
from writers.stored import stored
from writers.verdict_targets import ROWS

RESULTS = "verdict-detector.json"
COLUMNS = {
    "together": "sheets, detector, heights",
    "without": "sheets, heights",
    "shipped": "sheets, heights as shipped",
    "heights": "heights alone",
    "detector": "detector alone",
    "detector+heights": "detector, heights",
}
DECIDING = ("false_alarm_spines", "g2_suspected", "g2_noticed", "g3_suspected", "g3_noticed")
MIDDLE = "middle_of_normal"
FEWER_IS_BETTER = ("false_alarm_spines", MIDDLE, "mild_unsuspicious")
BESIDE = "mild_unsuspicious"
"""Shown, though it was not among the figures written down before."""
AREA = "area under the curve, moderate and severe against normal"


def written(page: str, results: Path) -> str:
    """Return the page with the part on the detector."""
    if not (results / RESULTS).is_file():
        return replaced(page, "detector", "Not measured: `spinexplain reproduce verdict-detector`.")
    return replaced(page, "detector", "\n".join(part(stored(results, RESULTS))))


def part(content: dict[str, Any]) -> list[str]:
    """Write the whole part: the answer first, then what it rests on."""
    return [
        headline(content["differences"]["without"]["both"]),
        "",
        *_basis(content),
        "",
        *weights_table(content),
        "",
        *lines_table(content["lines"]),
        "",
        *tested_tables(content["tested"]),
        "",
        *differences_table(content["differences"]),
    ]


def headline(differences: dict[str, Any]) -> str:
    """Say first whether the detector helps: figures whose interval leaves 0 out.

    Examples
    --------
    >>> none = {"difference": 0.0, "low": -0.1, "high": 0.1}
    >>> headline(dict.fromkeys((*DECIDING, MIDDLE, "area"), none))[:32]
    '**It is not shown that the detec'
    """
    better, worse = [], []
    for name in (*DECIDING, MIDDLE, "area"):
        one = differences[name]
        if one["low"] is None or one["low"] <= 0 <= one["high"]:
            continue
        rises = one["low"] > 0
        (worse if rises == (name in FEWER_IS_BETTER) else better).append(_words(name))
    if not better and not worse:
        return (
            "**It is not shown that the detector helps.** Beside sheets and heights it changes no figure "
            "by more than chance, on the same spines and with weights from the same spines."
        )
    said = [
        f"**It {verb}: {', '.join(n)}.**" for verb, n in (("helps", better), ("harms", worse)) if n
    ]
    return " ".join(said) + " All other figures differ by no more than chance."


def _words(name: str) -> str:
    return ROWS.get(name, AREA)


def _basis(content: dict[str, Any]) -> list[str]:
    run, planned, fitted = content["run"], content["planned"], content["fitted_on"]
    spines = ", ".join(
        f"`{name}` {sum(run.get(name, [0, 0]))} of {sum(pair)}" for name, pair in planned.items()
    )
    grades = ", ".join(f"G{k} {v}" for k, v in sorted(fitted["grades"].items()))
    networks = " and ".join(f"`{m['name']} {m['version']}`" for m in content["models"].values())
    lines = [
        f"Networks {networks}. Spines run of those planned: {spines}. Fitted on {fitted['vertebrae']} "
        f"vertebrae ({grades}) of {fitted['spines']} spines, {fitted['normal_spines']} of them normal: "
        "fewer than the sets without a detector.",
    ]
    if not content["calibration"]["sets"]:
        lines += [
            "",
            f"**These weights do not ship**: with fewer than {content['least_normal']} normal spines the rule of 5 of 100 "
            "allows none at all. Reports give a detector beside sheets no say, and say that it was not calibrated.",
        ]
    return lines


def weights_table(content: dict[str, Any]) -> list[str]:
    """List the sets with a detector, whether they ship or not."""
    lines = [
        "| witnesses | base | sheets | detector, per unit of log odds | heights, per unit | suspected from | "
        "borderline from |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, one in content["compared_sets"].items():
        if "detector" not in name:
            continue
        weights = [one["weights"].get(k) for k in ("prototypes", "detector")]
        weights.append(one["weights"].get("heights_broad", one["weights"].get("heights")))
        cells = ["–" if w is None else f"{w:.2f}" for w in weights]
        lines.append(
            f"| {name.replace('+', ', ')} | {one['base']:+.2f} | {' | '.join(cells)} "
            f"| {one['suspected']:+.2f} | {one['borderline']:+.2f} |"
        )
    return lines


def lines_table(lines: dict[str, Any]) -> list[str]:
    """Write how far each upper line moves when the normal spines are drawn again."""
    rows = [
        "How sure the upper line is: 95 % of lines chosen on resampled normal spines, and held-out normal spines "
        "suspected by the lowest, the given and the highest of them.",
        "",
        "| witnesses | suspected from | chosen on these spines | 95 % of lines | normal spines | at the lowest "
        "| at the given | at the highest |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, one in lines.items():
        words = COLUMNS["shipped"] if name == "shipped" else name.replace("+", ", ")
        alarms = " | ".join(share_of(pair) for pair in one["alarms"])
        rows.append(
            f"| {words} | {one['line']:+.2f} | {one['again']:+.2f} | {one['low']:+.2f} to "
            f"{one['high']:+.2f} | {one['normal_spines']} | {alarms} |"
        )
    return rows


def tested_tables(tested: dict[str, Any]) -> list[str]:
    """Write the figures of every way to the verdict, each preset and both together."""
    lines: list[str] = []
    for group, figures in tested.items():
        words = "both together" if group == "both" else group
        lines += [
            f"**{words}**, {figures['together']['spines']} spines",
            "",
            f"| | {' | '.join(COLUMNS.values())} |",
            "|---" * (len(COLUMNS) + 1) + "|",
        ]
        for key, row in ROWS.items():
            cells = [share_of(figures[name][key]) for name in COLUMNS]
            lines.append(f"| {row} | {' | '.join(cells)} |")
        lines.append("")
    return lines[:-1]


def differences_table(differences: dict[str, Any]) -> list[str]:
    """Write what the detector adds, in points, against each opponent on the same spines."""
    lines = [
        "What all three witnesses gain or lose on both presets together, in points, paired, with 95 % intervals over "
        "spines:",
        "",
        f"| | against {' | against '.join(COLUMNS[name] for name in differences)} |",
        "|---" * (len(differences) + 1) + "|",
    ]
    for name in (*DECIDING, MIDDLE, "area", BESIDE):
        cells = [_points(one["both"][name]) for one in differences.values()]
        words = _words(name) + (" (not among those written down before)" if name == BESIDE else "")
        lines.append(f"| {words} | {' | '.join(cells)} |")
    return lines


def _points(one: dict[str, float | None]) -> str:
    if one["difference"] is None:
        return "–"
    middle, low, high = (100 * one[key] for key in ("difference", "low", "high"))
    return f"{middle:+.1f} ({low:+.1f} to {high:+.1f})"
