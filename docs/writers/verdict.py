"""The tables of docs/verdict.md: how the verdict is weighed, and what it is worth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from writers.counts import share_of
from writers.markers import replaced
from writers.stored import stored
from writers.verdict_bars import bars
from writers.verdict_coverage import coverage_tables
from writers.verdict_targets import ROWS, share, target_words, targets_of

WITNESSES = {
    "together": "together",
    "earlier": "together, heights of the middle third",
    "network": "network alone",
    "heights": "heights alone",
}
ROUTES = {
    "labels": "mask",
    "centroids": "centers alone, bodies painted",
    "both": "mask and centers",
}
_FEWER = (
    ("network", "g2_suspected"),
    ("together", "g2_suspected"),
    ("together", "false_alarm_spines"),
)


def written(page: str, results: Path) -> str:
    """Return the page with its tables between the markers."""
    content = stored(results, "verdict.json")
    page = replaced(page, "weights", "\n".join(weights_table(content)))
    page = replaced(page, "bars", "\n".join(bars(content)))
    page = replaced(page, "limits", "\n".join(limits_table(content)))
    page = replaced(page, "coverage", "\n".join(coverage_tables(content)))
    page = replaced(page, "compared", "\n".join(compared_table(content)))
    return replaced(page, "tested", "\n".join(tested_tables(content)))


def compared_table(content: dict[str, Any]) -> list[str]:
    """Put the shipped networks side by side under the verdict, each with weights of its own."""
    models = content.get("compared", {})
    if len(models) < 2:
        return ["Not measured with the fit that is stored: `make verdict` fills this table."]
    lines = [compared_words(models), ""]
    for group in content["tested"]:
        columns = [
            (
                f"{one['model']['name']} {one['model']['version']}, {words}",
                one["tested"][group][key],
            )
            for one in models.values()
            for key, words in (("network", "alone"), ("together", "with heights"))
        ]
        columns.append(("heights alone", content["tested"][group]["heights"]))
        lines += [
            f"**{group}**",
            "",
            f"| | {' | '.join(name for name, _ in columns)} | target |",
            "|---" * (len(columns) + 2) + "|",
        ]
        for key, words in ROWS.items():
            bar, side = targets_of(group).get(key, (None, ""))
            cells = [share_of(figures[key], bar) for _, figures in columns]
            target = "" if bar is None else f"at {side} {bar} %"
            lines.append(f"| {words} | {' | '.join(cells)} | {target} |")
        lines.append("")
    return lines[:-1]


def compared_words(models: dict[str, Any]) -> str:
    """Count in how many groups the default suspects fewer fractures than each other network."""
    (default, own), *others = models.items()
    said = []
    for name, other in others:
        pairs = [(own["tested"][group], other["tested"][group]) for group in own["tested"]]
        alone, together, spines = (
            sum(share(a[way][key]) < share(b[way][key]) for a, b in pairs) for way, key in _FEWER
        )
        said.append(
            f"than `{name}`, alone in {alone} and with heights in {together}, and fewer normal "
            f"spines, with heights, in {spines}"
        )
    return (
        f"Of {len(own['tested'])} groups, `{default}` suspects fewer moderate fractures "
        f"{'; '.join(said)}. It is the default for what its evidence shows, not for its grades."
    )


def limits_table(content: dict[str, Any]) -> list[str]:
    """Say what the misses and false alarms are, and what the true loss would reach."""
    if "limits" not in content:
        return ["Not measured with the fit that is stored: `make verdict` fills this table."]
    line = next(iter(content["limits"].values()))["oracle_line"]
    lines = [
        "| | moderate fractures missed that lost under 30 % | of those suspected "
        "| unfractured vertebrae suspected, by what is drawn on them "
        "| who knows the true loss: normal spines suspected | moderate fractures suspected |",
        "|---|---|---|---|---|---|",
    ]
    for group, found in content["limits"].items():
        alike = sorted(found["alarm_look_alikes"].items(), key=lambda pair: -pair[1])
        words = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in alike if n) or "–"
        lines.append(
            f"| {group} | {share_of(found['missed_near'])} | {share_of(found['found_near'])} "
            f"| {found['false_alarms']}: {words} | {share_of(found['oracle_false_alarm_spines'])} "
            f"| {share_of(found['oracle_g2_suspected'])} |"
        )
    return [
        f"The line on the true loss, chosen by the same rule on the same spines, is {line:.3f}.",
        "",
        *lines,
    ]


def weights_table(content: dict[str, Any]) -> list[str]:
    """List the additive model of every set of witnesses."""
    fitted = content["fitted_on"]
    grades = ", ".join(f"G{k} {v}" for k, v in sorted(fitted["grades"].items()))
    lines = [
        f"Fitted on {fitted['vertebrae']} vertebrae ({grades}) of {fitted['spines']} spines, "
        f"{fitted['normal_spines']} of them normal, of the presets "
        f"{' and '.join(fitted['presets'])}; model {content['model']['name']} "
        f"{content['model']['version']}.",
        "",
        "| witnesses | base | network, per unit of log odds | heights, per unit | suspected from "
        "| borderline from |",
        "|---|---|---|---|---|---|",
    ]
    for name, one in content["calibration"]["sets"].items():
        heights = one["weights"].get("heights_broad", one["weights"].get("heights"))
        weights = [one["weights"].get("prototypes"), heights]
        cells = ["–" if w is None else f"{w:.2f}" for w in weights]
        lines.append(
            f"| {name.replace('+', ' and ')} | {one['base']:+.2f} | {cells[0]} | {cells[1]} "
            f"| {one['suspected']:+.2f} | {one['borderline']:+.2f} |"
        )
    return lines


def tested_tables(content: dict[str, Any]) -> list[str]:
    """Write a table for every group, the witnesses side by side."""
    lines: list[str] = []
    for group, figures in content["tested"].items():
        spines = figures["together"]["spines"]
        lines += [f"**{group}**, {spines} spines", "", *_table(group, figures), ""]
        same = figures.get("same_by_every_route")
        if same is None:
            continue
        lines += [
            f"The same verdict by mask, centers and both: {share_of(same['together'])}; by the "
            f"network alone: {share_of(same['network'])}.",
            "",
        ]
        if "by_route" in figures:
            lines += [*by_route(figures["by_route"]), ""]
    return lines[:-1]


def by_route(figures: dict[str, Any]) -> list[str]:
    """Write what the verdict is worth by each route, on the same persons."""
    keys = [key for key in ROWS if key != "mild_unsuspicious"]
    lines = [
        f"| the {figures['labels']['spines']} of them taken by every route | "
        + " | ".join(ROWS[key] for key in keys)
        + " |",
        "|---" * (len(keys) + 1) + "|",
    ]
    for route, words in ROUTES.items():
        cells = [f"{figures[route][key][0]}/{figures[route][key][1]}" for key in keys]
        lines.append(f"| {words} | {' | '.join(cells)} |")
    return lines


def _table(group: str, figures: dict[str, Any]) -> list[str]:
    there = {name: words for name, words in WITNESSES.items() if name in figures}
    lines = [f"| | {' | '.join(there.values())} | target |", "|---" * (len(there) + 2) + "|"]
    for key, words in ROWS.items():
        bar = targets_of(group).get(key, (None, ""))[0]
        cells = [share_of(figures[name][key], bar) for name in there]
        lines.append(f"| {words} | {' | '.join(cells)} | {target_words(group, key, figures)} |")
    return lines
