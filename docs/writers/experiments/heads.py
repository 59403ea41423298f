# ruff: noqa: E501  (prose, and one line a row of a table)
"""The page's section on heads compared on cached features."""

from __future__ import annotations

from spinexplain.experiment.crossval_results import candidate_words, signed
from spinexplain.experiment.table import fold_cell
from writers.experiments.entries import FIGURE, finished, interval_of


def heads_section(heads: dict | None, tuned: dict | None) -> list[str]:
    """What each setting of a head is worth, on the features of one trunk that none changes."""
    if heads is None:
        return []
    base = heads["entries"][0]
    lines = [
        "## What a setting of the head is worth",
        "",
        f"{heads['vertebrae']} vertebrae, {heads['folds_planned']} folds by subject{finished(heads)}. "
        f"{heads['trunk']} The trunk is the shipped model's, which learned from other phantoms with "
        f"ProtoVerse's loss; {base['steps']} steps each, one seed. ProtoVerse's head reaches a "
        f"class-average F1 of {fold_cell(base, FIGURE)}. Differences in points, each setting changed "
        "alone; tables 5 and 6 come from the same runs. Intervals hold test sampling, not training.",
        "",
        "| setting | from → to | class-average F1 | difference (95 %) | duplicates |",
        "|---|---|---|---|---|",
    ]
    for key, start, value, entry in changed(heads):
        lines.append(
            f"| `{key}` | {start} → {value} | {fold_cell(entry, FIGURE)} | "
            f"{gap(heads, entry['name'], base['name'])} | {sum(entry['prototypes']['duplicates'])} |"
        )
    lines += ["", *cost_words(heads)]
    if tuned is not None:
        lines += ["", *tuned_words(tuned)]
    return [*lines, ""]


def changed(heads: dict) -> list[tuple]:
    """Return (key, start, value, entry) of every setting that an entry of an ablation changes."""
    told = heads["factors"]
    entries = {entry["name"]: entry for entry in heads["entries"]}
    found = []
    for name, settings in told["settings"].items():
        for key, value in settings.items():
            if value != told["base"][key]:
                found.append((key, told["base"][key], value, entries[name]))
    return found


def gap(results: dict, one: str, two: str) -> str:
    value, low, high = interval_of(results, one, two)
    return f"{signed(value)} ({signed(low)} to {signed(high)})"


PROTOPNET = {
    "loss.lambda_div": 0,
    "loss.lambda_outside": 0,
    "head.initial_prototypes": "uniform",
    "head.log_epsilon": 1e-4,
    "projection.allow_duplicates": True,
    "projection.inside_target": False,
    "last_layer.constrained": False,
}


def costs(heads: dict) -> list[tuple[float, float, float, str]]:
    """Return what each of ProtoPNet's settings changes alone, the worst first."""
    found = []
    for key, _, value, entry in changed(heads):
        if PROTOPNET.get(key) == value:
            found.append((*interval_of(heads, entry["name"], heads["entries"][0]["name"]), key))
    return sorted(found)


def cost_words(heads: dict) -> list[str]:
    worst = costs(heads)
    sure = [item for item in worst if item[2] < 0]
    ranked = ", ".join(f"`{key}` {signed(value)}" for value, _, _, key in worst)
    said = (
        f"The interval lies below 0 for {', '.join(f'`{item[3]}`' for item in sure)}"
        if sure
        else "No interval lies below 0: on a trunk that knows fractures, none of them costs anything sure"
    )
    return [
        f"Of the {len(worst)} settings in which ProtoPNet's head differs, alone: {ranked}. {said}."
    ]


def tuned_words(tuned: dict) -> list[str]:
    names = ("protopnet", "protoverse-lambda-0")
    told = "; ".join(f"protoverse − {name} {gap(tuned, 'protoverse', name)}" for name in names)
    means = ", ".join(f"{e['name']} {fold_cell(e, FIGURE)}" for e in tuned["entries"])
    return [
        f"**With an equal tuning budget**, all of ProtoPNet's settings together, "
        f"{tuned['entries'][0]['steps']} steps{finished(tuned)}: class-average F1 {means}. {told}. "
        f"{candidate_words(tuned)}."
    ]
