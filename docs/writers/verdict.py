"""The tables of docs/verdict.md: how the verdict is weighed, and what it is worth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from writers.counts import share_of
from writers.markers import replaced
from writers.stored import stored

ROWS = {
    "false_alarm_spines": "normal spines with a suspected fracture",
    "g2_suspected": "moderate fractures suspected",
    "g2_noticed": "moderate fractures suspected or borderline",
    "g3_suspected": "severe fractures suspected",
    "g3_noticed": "severe fractures suspected or borderline",
    "middle_of_normal": "normal vertebrae borderline, mild or deformed",
    "mild_unsuspicious": "mild fractures without suspicion",
}
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
BESIDE_HEIGHTS = {
    "g2_suspected": "moderate fractures suspected",
    "g3_suspected": "severe fractures suspected",
    "false_alarm_spines": "normal spines with a suspected fracture",
    "middle_of_normal": "normal vertebrae borderline, mild or deformed",
}
_FEWER = (
    ("network", "g2_suspected"),
    ("together", "g2_suspected"),
    ("together", "false_alarm_spines"),
)
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
            cells = [share_of(figures[key]) for _, figures in columns]
            bar, side = targets_of(group).get(key, (None, ""))
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
            sum(_share(a[way][key]) < _share(b[way][key]) for a, b in pairs) for way, key in _FEWER
        )
        said.append(
            f"than `{name}`, alone in {alone} and with heights in {together}, and fewer normal "
            f"spines, with heights, in {spines}"
        )
    return (
        f"Of {len(own['tested'])} groups, `{default}` suspects fewer moderate fractures "
        f"{'; '.join(said)}. It is the default for what its evidence shows, not for its grades."
    )


def targets_of(group: str) -> dict[str, tuple[int, str]]:
    """Return what a group's figures are held to: new persons to the targets of their preset."""
    return TARGETS.get(NEW_PERSONS.get(group, group), {})


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


def bars(content: dict[str, Any]) -> list[str]:
    """List which targets are met and which are missed, and what has none yet."""
    met, missed = [], []
    for group, figures in content["tested"].items():
        for key, (bar, side) in targets_of(group).items():
            line = f"{group}: {ROWS[key]} {share_of(figures['together'][key])}, at {side} {bar} %"
            (missed if "missed" in _target(group, key, figures) else met).append(line)
    shifted = content["tested"]["shifted-scanner"]["together"]["g3_suspected"]
    familiar = content["tested"]["familiar-scanner"]["together"]["g3_suspected"]
    apart = 100 * abs(shifted[0] / shifted[1] - familiar[0] / familiar[1])
    line = f"shifted-scanner: severe fractures suspected {apart:.0f} points from the same persons"
    (met if apart <= 5 else missed).append(f"{line} in familiar scanners, at most 5")
    return [
        f"**Met ({len(met)}):**",
        "",
        *(f"* {one}" for one in met),
        "",
        f"**Missed ({len(missed)}):**",
        "",
        *(f"* {one}" for one in missed),
        "",
        beside_heights(content["tested"]),
        "",
        bars_of_opponents(content["tested"]),
    ]


def bars_of_opponents(tested: dict[str, Any]) -> str:
    """Count the bars of single groups that each witness meets alone."""
    counts = {name: _bars_met(tested, name) for name in ("together", "heights", "network")}
    of = counts["together"][1]
    return (
        f"Of the {of} bars within one group both together meet {counts['together'][0]}, heights "
        f"alone {counts['heights'][0]}, the network alone {counts['network'][0]}."
    )


def _bars_met(tested: dict[str, Any], name: str) -> tuple[int, int]:
    met = []
    for group, figures in tested.items():
        for key, (bar, side) in targets_of(group).items():
            percent = 100 * _share(figures[name][key])
            met.append(percent <= bar if side == "most" else percent >= bar)
    return sum(met), len(met)


def beside_heights(tested: dict[str, Any]) -> str:
    """Count in how many groups both together do better, or worse, than the cheap opponent."""
    counted = [
        f"{words} in {_larger(tested, key, 'together', 'heights')}, fewer in "
        f"{_larger(tested, key, 'heights', 'together')}"
        for key, words in BESIDE_HEIGHTS.items()
    ]
    return (
        f"**Beside heights alone**, the cheap opponent, by exact masks, in {len(tested)} groups, "
        f"both together have more {'; more '.join(counted)}. Shares are compared as they are, "
        "whether or not chance explains the difference; *heights alone* leaves out vertebrae "
        "whose heights are not measured. What networks add is seen where "
        "[masks are wrong](masks.md), and by centers alone."
    )


def _larger(tested: dict[str, Any], key: str, one: str, other: str) -> int:
    """Return in how many groups one has the larger share."""
    return sum(_share(group[one][key]) > _share(group[other][key]) for group in tested.values())


def _share(pair: list[int]) -> float:
    return pair[0] / pair[1] if pair[1] else 0.0


COVERED = {
    "sets": "sets as given",
    "not_widened": "not widened",
    "by_score": "network's score, to 90 %",
    "constant": "always G0",
}


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
    lines += _unlike_line(content["coverage"])
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
        cells = [share_of(figures[name][key]) for name in there]
        lines.append(f"| {words} | {' | '.join(cells)} | {_target(group, key, figures)} |")
    return lines


def _target(group: str, key: str, figures: dict[str, Any]) -> str:
    if key not in targets_of(group):
        return ""
    bar, side = targets_of(group)[key]
    count, of = figures["together"][key]
    percent = 100 * count / of if of else float("nan")
    kept = percent <= bar if side == "most" else percent >= bar
    return f"at {side} {bar} %{'' if kept else ': missed'}"
