"""The page's section on the three presets of the paper's detector, side by side."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from writers.dissection.tables import table
from writers.dissection.training_size import CHANCE_ENTROPY, JUDGED, PLATEAU, Value, at_chance

NAMES = {
    "detector-as-published": "as published",
    "detector-as-released": "as released",
    "detector": "`detector`",
}
PAIRS = tuple(combinations(NAMES, 2))
HEIGHTS, LEVEL, CONSTANT = "heights in the mask", "level alone", "constant"
FEWEST = 2  # seeds
NO_LOSS = 0.01  # of the area under the curve


def of_presets(found: dict[str, Any]) -> str:
    """Write the section; what it comes to stands first on the page."""
    counts, seeds = found["counts"], seeds_of(found)
    return "\n".join(
        [
            "## As published, as released and as here\n",
            f"Three presets of the paper's detector learned from the same {found['learning'][1]} `{found['preset']}` phantoms, "
            f"{len(seeds)} trainings each; the epoch was chosen on {found['validation'][1]} other persons, all were graded and "
            f"dissected on the same {counts['subjects']} unseen ones: {counts['samples']} vertebrae, {counts['positives']} "
            "fractured. The rule was [written down](decisions/claims.md#what-is-run-small) before any was measured; boxes and samples "
            "were chosen by short trainings of `detector` alone, which favors it. What a "
            "preset sets stays; boxes, encoders, batches and steps are smaller for all alike:\n",
            table(_SETTINGS, [_settings_row(found, name) for name in NAMES]),
            f"Encoders at {found['width']:g} of their width, batches of {found['batch']}, {found['precision']}. The full "
            "presets take up to 1000 epochs with early stopping, and are meant to start from Models Genesis' weights, as the released code does: nothing here is about the published figures.\n",
            table(
                _HEAD, [*(_row(found, name) for name in NAMES), *map(_opponent(found), OPPONENTS)]
            ),
            "Area under the curve with a 95 % interval over persons and trainings; the rest mean (least to most). Each "
            "vertebra is graded alone, as in a report; *changed in batches* are grades that change where "
            f"{found['batch']} vertebrae are graded together. *Silencing* as above. *On the evidence*: share of the first ten "
            "units' masks there, against what a mask thrown anywhere would have; the boxes differ, so it is not judged.\n",
            table(_PAIRS, [_pair_row(found, pair) for pair in PAIRS]),
            f"Nine questions, uncorrected. {trainings(found)}\n",
        ]
    )


def seeds_of(found: dict[str, Any]) -> list[str]:
    """Return the seeds that every preset is done for."""
    runs = found["runs"]
    return [seed for seed in runs["detector"] if all(seed in runs[name] for name in NAMES)]


def values(found: dict[str, Any], name: str, value: Value) -> np.ndarray:
    """Return a figure of every seed."""
    return np.array([value(found["runs"][name][seed]) for seed in seeds_of(found)])


def graded(found: dict[str, Any], one: str, other: str) -> str:
    """Return ``better``, ``worse`` or ``undecided`` for the grades of one against another."""
    clear = clear_difference(found, one, other)
    if any(still_gains(found, name) for name in (one, other) if name in NAMES):
        return "undecided"
    return clear


def clear_difference(found: dict[str, Any], one: str, other: str) -> str:
    """Return which way two areas differ beyond interval and noise, plateau or not."""
    difference = found["areas"]["differences"][f"{one} - {other}"]
    if abs(difference["mean"]) <= difference["floor"]:
        return "undecided"
    if difference["low"] > 0:
        return "better"
    return "worse" if difference["high"] < 0 else "undecided"


def more(found: dict[str, Any], one: str, other: str, value: Value) -> str:
    """Return ``more``, ``less`` or ``undecided`` for what dissection finds in one against another."""
    if blind(found, one) or blind(found, other):
        return "undecided"
    first, second = (values(found, name, value) for name in (one, other))
    apart = abs(first.mean() - second.mean()) > max(np.ptp(first), np.ptp(second))
    if apart and (first > second).all():
        return "more"
    return "less" if apart and (first < second).all() else "undecided"


def blind(found: dict[str, Any], name: str) -> list[str]:
    """Return the seeds of a preset whose training is at chance."""
    return [seed for seed in seeds_of(found) if at_chance(found["runs"][name][seed])]


def still_gains(found: dict[str, Any], name: str) -> bool:
    """Whether half of a preset's trainings or more were not at a plateau."""
    late = values(found, name, lambda run: float(run["late_gain"] > PLATEAU))
    return bool(late.mean() >= 0.5)


def judged(found: dict[str, Any]) -> str:
    """Say first what the comparison comes to, by the rule that was written down."""
    seeds = seeds_of(found)
    if len(seeds) < FEWEST:
        return f"**Not decided: {len(seeds)} of at least {FEWEST} seeds are done**, too few for the rule. {_areas(found)}"
    words = {pair: graded(found, *pair) for pair in PAIRS}
    held = [_said(pair, word) for pair, word in words.items() if word != "undecided"]
    first = (
        f"**By the rule {'; '.join(held)}.**"
        if held
        else "**Undecided: by the rule no preset grades better than another.**"
    )
    parts = [first, _beaten(found), _areas(found), _speed(found), _at_chance(found), _units(found)]
    return " ".join(part for part in parts if part)


def _areas(found: dict[str, Any]) -> str:
    each = ", ".join(f"{NAMES[name]} {_area(found, name)}" for name in NAMES)
    return f"Area under the curve: {each}."


def _speed(found: dict[str, Any]) -> str:
    """Name pairs whose areas differ while one still gains: that would rank speed."""
    pairs = [
        f"{NAMES[one]} − {NAMES[other]} {_signed(found['areas']['differences'][f'{one} - {other}']['mean'])}"
        for one, other in PAIRS
        if clear_difference(found, one, other) != "undecided" == graded(found, one, other)
    ]
    if not pairs:
        return ""
    late = [NAMES[name] for name in NAMES if still_gains(found, name)]
    return f"Differences are clear at these steps ({', '.join(pairs)}), but {_listed(late)} still gained: that ranks speed."


def _at_chance(found: dict[str, Any]) -> str:
    told = [
        f"{NAMES[name]} in {len(blind(found, name))} of {len(seeds_of(found))} trainings ({_why(found, name)})"
        for name in NAMES
        if blind(found, name)
    ]
    return (
        f"**At chance: {', '.join(told)}**; there dissection has nothing to find." if told else ""
    )


def _why(found: dict[str, Any], name: str) -> str:
    """Say how trainings at chance ended, and in boxes of what width."""
    runs = [found["runs"][name][seed] for seed in blind(found, name)]
    memorized = sum(run["cross_entropy"] < CHANCE_ENTROPY for run in runs)
    words = {0: "did not descend", len(runs): "memorized its vertebrae"}
    return (
        f"{words.get(memorized, f'{memorized} memorized, the others did not descend')} in {runs[0]['steps']} steps, boxes of "
        f"{found['settings'][name]['extent_mm']:g} mm"
    )


def _units(found: dict[str, Any]) -> str:
    told = []
    for name, value in JUDGED.items():
        words = {pair: more(found, *pair, value) for pair in PAIRS}
        held = [
            f"{NAMES[one]} {word} than {NAMES[other]}"
            for (one, other), word in words.items()
            if word != "undecided"
        ]
        told.append(f"{name}: {', '.join(held) if held else '*undecided* for all pairs'}")
    return f"Dissected: {'; '.join(told)}.{_hangs(found)}"


def _hangs(found: dict[str, Any]) -> str:
    """Say that no preset hangs on its first ten units, where that is so."""
    seen = [name for name in NAMES if not blind(found, name)]
    lost = [
        found["areas"]["means"][name]["mean"]
        - values(found, name, lambda run: run["auc_without_first"]).mean()
        for name in seen
    ]
    if not lost or max(lost) > NO_LOSS:
        return ""
    return f" None hangs on its first ten units: without them {_listed([NAMES[name] for name in seen])} grade as well."


def _beaten(found: dict[str, Any]) -> str:
    under = [NAMES[name] for name in NAMES if clear_difference(found, name, HEIGHTS) == "worse"]
    area = f"{found['areas']['means'][HEIGHTS]['mean']:.2f}"
    if not under:
        return f"Heights read off the true mask reach {area}: no preset is clearly below."
    return f"**Heights read off the true mask ({area}) do better than {_listed(under)}.**"


def trainings(found: dict[str, Any]) -> str:
    """Say how every preset's trainings ended."""
    told = []
    for name in NAMES:
        late = values(found, name, lambda run: float(run["late_gain"] > PLATEAU))
        entropy = values(found, name, lambda run: run["cross_entropy"])
        descended = int((entropy < CHANCE_ENTROPY).sum())
        told.append(
            f"{NAMES[name]}: {len(late) - int(late.sum())} of {len(late)} at a plateau, {descended} with a cross-entropy below "
            f"{CHANCE_ENTROPY:g} at the end (mean {entropy.mean():.2f})"
        )
    return f"How they ended: {'; '.join(told)}. At a plateau the last third of the epochs gained at most {PLATEAU:g} of F1 on validation."


_SETTINGS = [
    "preset",
    "encoder",
    "box",
    "head",
    "dropout",
    "changed",
    "height loss",
    "epochs",
    "steps",
    "rate",
    "quantile",
]


def _settings_row(found: dict[str, Any], name: str) -> list[str]:
    one = found["settings"][name]
    steps = next(iter(found["runs"][name].values()))["steps"]
    return [
        NAMES[name],
        f"`{one['encoder']}`",
        f"{one['extent_mm']:g} mm in {one['size']}",
        f"{one['head_width']:g}",
        f"{one['dropout']:g}",
        f"{100 * one['changed']:.0f} %",
        "yes" if one["lambda_height"] else "no",
        f"{one['epochs']} (`{one['epoch']}`)",
        str(steps),
        "cosine" if one["decay"] == "cosine" else "constant",
        f"{one['quantile']:g}",
    ]


_HEAD = [
    "",
    "AUC, unseen",
    "units tied to fracture",
    "silencing, SD",
    "AUC without the first ten",
    "on the evidence, × chance",
    "changed in batches",
]


def _row(found: dict[str, Any], name: str) -> list[str]:
    def cell(value: Value, digits: int, unit: str = "") -> str:
        made = values(found, name, value)
        text = f"{np.mean(made):.{digits}f} ({min(made):.{digits}f} to {max(made):.{digits}f})"
        return text.replace("-", "−") + unit

    return [
        NAMES[name],
        _area(found, name),
        cell(lambda run: run["tied"], 1),
        cell(lambda run: run["lost_beyond"]["mean"], 2),
        cell(lambda run: run["auc_without_first"], 2),
        cell(lambda run: run["share_top"] / run["chance"], 1),
        cell(lambda run: 100 * run["changed_in_batches"], 0, " %"),
    ]


OPPONENTS = (HEIGHTS, LEVEL, CONSTANT)


def _opponent(found: dict[str, Any]) -> Any:
    def row(name: str) -> list[str]:
        return [f"*opponent:* {name}", _area(found, name), *["–"] * (len(_HEAD) - 2)]

    return row


_PAIRS = [
    "first, second",
    "AUC, first − second",
    "two trainings differ by up to",
    "grades",
    *JUDGED,
]


def _pair_row(found: dict[str, Any], pair: tuple[str, str]) -> list[str]:
    one, other = pair
    difference = found["areas"]["differences"][f"{one} - {other}"]
    low, high = (_signed(difference[key]) for key in ("low", "high"))
    return [
        f"{NAMES[one]}, {NAMES[other]}",
        f"{_signed(difference['mean'])} ({low} to {high})",
        f"{difference['floor']:.2f}",
        f"*{graded(found, one, other)}*",
        *(f"*{more(found, one, other, value)}*" for value in JUDGED.values()),
    ]


def _area(found: dict[str, Any], name: str) -> str:
    one = found["areas"]["means"][name]
    return f"{one['mean']:.2f} ({one['low']:.2f} to {one['high']:.2f})"


def _said(pair: tuple[str, str], word: str) -> str:
    return f"{NAMES[pair[0]]} grades {word} than {NAMES[pair[1]]}"


def _signed(value: float) -> str:
    return f"{round(value, 2) + 0:+.2f}".replace("-", "−")


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
