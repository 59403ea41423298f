# ruff: noqa: E501  (prose, and one line a row of a table)
"""The part of docs/verdict.md on what the same witnesses could reach, and what makes middle states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from writers import verdict
from writers.counts import share_of
from writers.markers import replaced
from writers.stored import stored
from writers.verdict_reasons import RULES
from writers.verdict_targets import targets_of

UNMEASURED = "Not measured with the fit that is stored: `make verdict-refit` fills this table."
WAYS = {
    "as_shipped": "as it ships",
    "best_line": "best line, the weights that ship",
    "fitted": "best line, weights of these very spines",
    "heights": "best line, heights alone",
}
MIDDLE_WAYS = {"all_rules": "by all rules", "without_undecided": "without *in two minds*"}
LOOK_ALIKES = ("short_vertebral_height", "endplate_pit", "osteophyte", "bridging_osteophyte")


def written(page: str, results: Path) -> str:
    """Return the page with all tables of the study: those of the verdict, then the bounds."""
    content = stored(results, "verdict.json")
    lines = lines_of(content) if "bounds" in content else [UNMEASURED]
    return replaced(verdict.written(page, results), "bounds", "\n".join(lines))


def lines_of(content: dict[str, Any]) -> list[str]:
    """Say first which bars no line meets, then show both bounds and what makes middle states."""
    held = {name: found for name, found in content["bounds"].items() if targets_of(name)}
    return [
        headline(held),
        "",
        *ceilings_table(held),
        "",
        *lines_table(held),
        "",
        *least_table(content, held),
        "",
        *reasons_table(content["bounds"]),
    ]


def headline(held: dict[str, Any]) -> str:
    """Name the bars that even the best line misses."""
    missed = [group for group, found in held.items() if not _meets(group, found, "best_line")]
    fitted = [group for group in missed if not _meets(group, held[group], "fitted")]
    middle = [
        group
        for group, found in held.items()
        if not _few(group, found["least_middle"]["without_undecided"])
    ]
    said = [
        f"**Moderate fractures suspected: on {_listed(missed)} no line on the weights that ship meets this bar together with that of normal spines**"
        if missed
        else "**Moderate fractures suspected: on every group some line meets this bar together with that of normal spines**"
    ]
    if missed:
        with_own = _listed(fitted) if fitted else "none of them"
        said.append(
            f", and with weights fitted to the very spines it is still missed on {with_own}"
        )
    said.append(
        ". The other misses could be the line's: it is chosen on other presets, by few normal spines. "
    )
    if middle:
        said.append(
            f"**Normal vertebrae in a middle state: no lower line that notices enough meets the bar on {_listed(middle)}**, "
            "with the rule on a network in two minds or without."
        )
    return "".join(said)


def _listed(names: list[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def _meets(group: str, found: dict[str, Any], way: str) -> bool:
    count, of = found["ceilings"][way]["suspected"]
    return 100 * count >= targets_of(group)["g2_suspected"][0] * of


def _few(group: str, found: dict[str, Any]) -> bool:
    count, of = found["middle_of_normal"]
    noticed, among = found["g2_noticed"]
    targets = targets_of(group)
    enough = 100 * noticed >= targets["g2_noticed"][0] * among
    return enough and 100 * count <= targets["middle_of_normal"][0] * of


def ceilings_table(held: dict[str, Any]) -> list[str]:
    """Write the moderate fractures suspected with the best line for each group."""
    lines = [
        "Moderate fractures suspected, with the line chosen on the group itself: as many normal spines suspected as the bar allows. "
        "Each line is the best one for its weights, and never ships; in brackets the normal spines suspected. Weights fitted to a group "
        f"make its grades likely, and are not chosen for the bar{_worse(held)}: a bar missed by them could be met by others.{_narrow(held)}",
        "",
        f"| | {' | '.join(WAYS.values())} | bar |",
        "|---" * (len(WAYS) + 2) + "|",
    ]
    for group, found in held.items():
        bar = targets_of(group)["g2_suspected"][0]
        cells = [
            f"{share_of(one['suspected'], bar)} [{one['alarms'][0]}/{one['alarms'][1]}]"
            for one in (found["ceilings"][way] for way in WAYS)
        ]
        lines.append(f"| {group} | {' | '.join(cells)} | {bar} % |")
    return lines


def _worse(held: dict[str, Any]) -> str:
    """Name the groups where weights of their own do worse than those that ship."""
    names = [
        group
        for group, found in held.items()
        if found["ceilings"]["fitted"]["suspected"][0]
        < found["ceilings"]["best_line"]["suspected"][0]
    ]
    return f" (on {_listed(names)} they do worse than those that ship)" if names else ""


def _narrow(held: dict[str, Any]) -> str:
    """Say which bars hang on one fracture, or on one normal spine."""
    said = []
    for group, found in held.items():
        bar, allowed = (targets_of(group)[key][0] for key in ("g2_suspected", "false_alarm_spines"))
        count, of = found["ceilings"]["best_line"]["suspected"]
        if 0 <= count - bar * of / 100 < 1:
            said.append(f"On `{group}` the best line meets the bar by less than one fracture.")
        spines = found["ceilings"]["best_line"]["alarms"][1]
        if allowed * spines < 100:
            said.append(
                f"On `{group}` one suspected spine of {spines} already breaks the bar of normal spines."
            )
    return "".join(f" {one}" for one in said)


def lines_table(held: dict[str, Any]) -> list[str]:
    """Write what lines chosen on other normal spines of the same kind would suspect."""
    first = next(iter(held.values()))["other_lines"]
    ends = " to ".join(f"{first[name]['line']:+.2f}" for name in ("low", "high"))
    lines = [
        f"How much of this is chance: chosen on resampled normal spines of the fit, 95 % of lines lie from {ends}. Moderate fractures "
        "suspected there; in brackets the normal spines suspected.",
        "",
        "| | at the lowest | as it ships | at the highest | bar |",
        "|---|---|---|---|---|",
    ]
    for group, found in held.items():
        others = found["other_lines"]
        places = (others["low"], found["ceilings"]["as_shipped"], others["high"])
        bar = targets_of(group)["g2_suspected"][0]
        cells = [
            f"{share_of(one['suspected'], bar)} [{one['alarms'][0]}/{one['alarms'][1]}]"
            for one in places
        ]
        lines.append(f"| {group} | {' | '.join(cells)} | {bar} % |")
    return lines


def least_table(content: dict[str, Any], held: dict[str, Any]) -> list[str]:
    """Write how few normal vertebrae the highest good lower line leaves in a middle state."""
    lines = [
        "Normal vertebrae in a middle state, with the highest lower line that still notices as many moderate fractures as the bar "
        "wants; in brackets those noticed.",
        "",
        f"| | as it ships | {' | '.join(MIDDLE_WAYS.values())} | bar |",
        "|---|---|---|---|---|",
    ]
    for group, found in held.items():
        own = content["tested"][group]["together"]
        bar = targets_of(group)["middle_of_normal"][0]
        cells = [
            f"{share_of(one['middle_of_normal'], bar)} [{one['g2_noticed'][0]}/{one['g2_noticed'][1]}]"
            for one in (own, *(found["least_middle"][way] for way in MIDDLE_WAYS))
        ]
        lines.append(f"| {group} | {' | '.join(cells)} | {bar} % |")
    return lines


def reasons_table(bounds: dict[str, Any]) -> list[str]:
    """Write which rule made the middle states, and the look-alikes of those vertebrae."""
    rules = list(dict.fromkeys(rule for one in bounds.values() for rule in one["middle_reasons"]))
    kinds = [
        kind
        for kind in LOOK_ALIKES
        if any(kind in one["middle_look_alikes"] for one in bounds.values())
    ]
    heads = [
        *(_rule(rule) for rule in rules),
        *(kind.replace("_", " ") for kind in [*kinds, "none"]),
    ]
    lines = [
        "Which rule put normal vertebrae there, and how many of all that bear a look-alike are there; a vertebra with several counts in each.",
        "",
        f"| | {' | '.join(heads)} |",
        "|---" * (len(heads) + 1) + "|",
    ]
    for group, one in bounds.items():
        by_rule = [str(one["middle_reasons"].get(rule, {}).get("all", 0)) for rule in rules]
        by_kind = [_of(one["middle_look_alikes"].get(kind)) for kind in [*kinds, "none"]]
        lines.append(f"| {group} | {' | '.join([*by_rule, *by_kind])} |")
    return lines


def _of(pair: list[int] | None) -> str:
    return "–" if pair is None else f"{pair[0]}/{pair[1]}"


def _rule(name: str) -> str:
    if name.startswith("deformity."):
        return "asks for a deformity"
    return RULES.get(name, name.replace("_", " "))
