"""The page of the dissection experiments, from their stored results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from writers.dissection.detector_presets import judged, of_presets
from writers.dissection.shortcut import of_boxes, of_sheets, ruled
from writers.dissection.tables import table
from writers.dissection.training_size import of_sizes, reservations, verdict
from writers.stored import stored

HEAD = """# Dissection on phantoms

Written by `spinexplain reproduce dissection` from [dissection.json](results/dissection.json); no figure
is typed by hand. How to dissect your own model: [Dissect a model](how-to/dissect.md).

On phantoms the true evidence of every fracture is known, so it can be checked whether dissection
finds it. All vertebrae are synthetic; nothing here says anything about patients. Intervals are
95 %, by resampling subjects.
"""


def written(before: str, results: Path) -> str:
    """Write the page from stored results."""
    return page_of(read(results))


def read(results: Path) -> dict[str, Any]:
    """Read the experiments of the study, and those that are studies of their own, if stored."""
    found = dict(stored(results, "dissection.json"))
    for name in OWN_STUDIES:
        if (results / f"{name}.json").is_file():
            found[name] = stored(results, f"{name}.json")
    return found


def page_of(found: dict[str, Any]) -> str:
    """Write the page; experiments that have not been run are left out."""
    parts = [HEAD, *first_words(found)]
    for name, write in SECTIONS.items():
        if name in found:
            parts.append(write(found[name]))
    return "\n".join(parts)


def first_words(found: dict[str, Any]) -> list[str]:
    """Say first what the claims come to that were tested by a rule of their own."""
    words = []
    if "training-size" in found:
        words.append(
            f"*Patterns only from a large cohort?* {verdict(found['training-size'])}{reservations(found['training-size'])}\n"
        )
    if "detector-presets" in found:
        words.append(
            f"*As published, as released and as here?* {judged(found['detector-presets'])}\n"
        )
    if "detector-shortcut" in found:
        words.append(f"*A planted mark in 3-D?* {ruled(found['detector-shortcut'])}\n")
    return words


def _detector(found: dict[str, Any]) -> str:
    counts = found["counts"]
    known = (
        f"`{found['model']}` (weights `{found['weights']}`), layer `{found['layer']}`: "
        f"{found['units']} units on {' × '.join(map(str, found['cells']))} cells, dissected with "
        f"`{found['cohort']}`: {counts['samples']} vertebrae of {counts['subjects']} phantoms, "
        f"{counts['positives']} with a planted moderate or severe fracture (AUC of the detector "
        f"there {found['auc']:.2f}).\n"
    )
    return "\n".join(
        [
            _against_random(found["against_random"], known),
            _against_eq1(found["against_eq1"], found["against_random"]["chance"]),
            *([_use(found["use"])] if "use" in found else []),
            _quantile(found["quantile"]),
        ]
    )


def _against_random(found: dict[str, Any], known: str) -> str:
    rows = [
        [
            f"{_GROUPS[row['top']]}: {_MEASURES[row['what']]}",
            _spread(row["trained"]),
            _spread(row["random"]),
            _interval(row["delta"], 2),
        ]
        for row in found["rows"]
    ]
    random_tied = ", ".join(str(count) for count in found["tied_random"])
    return "\n".join(
        [
            "## Do units lie on the fracture?\n",
            known,
            "![Share of each unit's mask on the planted fracture: all units of the trained and of "
            "untrained networks, and the first ten units by contrast and by eq. 1]"
            "(images/dissection/overlap.png)\n",
            "Mean, and quartiles. Untrained: the same architecture with fresh weights, "
            f"{found['networks']} networks, normalization set by the same vertebrae. Cliff's "
            "delta: how much more often a trained unit lies better than an untrained one than "
            "worse; the first ten are chosen anew in each draw.\n",
            table(["", "trained", "untrained", "Cliff's delta (95 %)"], rows),
            f"The evidence is {100 * found['chance']:.1f} % of a fractured vertebra's crop: what a "
            "mask thrown anywhere would have on it. Tied to fracture (q < 0.05, more often enabled "
            f"in fractured): {found['tied']} trained units; {random_tied} in the untrained "
            f"networks. {_verdict(found['rows'])} The share of the mask was added after the overlap "
            "had shown no difference: read it as exploration, not as a test.\n",
        ]
    )


_GROUPS = {False: "all units", True: "the first ten"}
_MEASURES = {"share": "share of the mask on the fracture", "iou": "intersection over union"}


def _verdict(rows: list[dict[str, Any]]) -> str:
    held = [row for row in rows if row["delta"]["low"] > 0]
    named = [f"{_GROUPS[row['top']]} by {_MEASURES[row['what']]}" for row in held]
    if len(held) == len(rows):
        return "Trained units lie on the fracture more than untrained ones by every measure."
    shown = f"Shown for {' and '.join(named)}; " if named else ""
    return f"{shown}**not shown {'otherwise' if named else 'here'}: the interval holds 0.**"


def _against_eq1(found: dict[str, Any], chance: float) -> str:
    del chance
    difference = found["difference"]
    rows = [
        [
            title,
            _spread(found[by]),
            f"{100 * found[f'share_{by}']:.0f} %",
            f"{100 * healthy:.0f} %",
        ]
        for by, title, healthy in (
            ("contrast", "contrast", found["enabled_in_healthy"][0]),
            ("eq1", "eq. 1 as printed", found["enabled_in_healthy"][1]),
        )
    ]
    holds = difference["low"] > 0
    said = "" if holds else " **The interval holds 0: not shown on this cohort.**"
    return "\n".join(
        [
            "## Which ranking finds them?\n",
            "The ten first units by contrast (how much more often a unit is enabled in fractured "
            "than in healthy vertebrae) and by eq. 1 as printed (in fractured alone):\n",
            table(
                [
                    "ranked by",
                    "overlap with the true evidence",
                    "of the mask on it",
                    "enabled in healthy",
                ],
                rows,
            ),
            f"Difference of the overlap {_interval(difference, 3)}, units ranked anew in each "
            f"draw.{said} {found['shared']} units are in both lists. The ten by contrast fall into "
            f"{found['clusters_of_top']} clusters of units that light up together.\n",
        ]
    )


def _use(found: dict[str, Any]) -> str:
    titles = {
        "contrast": "the first ten by contrast",
        "eq1": "the first ten by eq. 1",
        "random": f"ten others at random, {found['groups']} times",
    }
    rows = [["none", f"{found['auc']:.2f}", "–", "–"]] + [
        [
            title,
            f"{found[by]['auc']:.2f}",
            f"{round(found[by]['fractured'], 2) + 0:+.2f}",
            f"{round(found[by]['healthy'], 2) + 0:+.2f}",
        ]
        for by, title in titles.items()
    ]
    lost = {by: _interval(value, 2) for by, value in found["difference"].items()}
    return "\n".join(
        [
            "## Does the network use them?\n",
            "A unit that is tied to fracture need not matter for the grade. Silenced units are "
            "held at their mean in all cells, so that they tell no vertebra and no place from "
            "another, and everything after the layer is left to the network. (Holding them down "
            "to their thresholds, which was tried first, changes next to nothing: the half "
            "percent of cells above them is the least of what a network uses.)\n",
            table(["silenced", "AUC", "log odds lost, fractured", "log odds lost, healthy"], rows),
            f"Fractured vertebrae lose {lost['random']} more log odds of fracture without the first "
            f"ten by contrast than without ten others, and {lost['eq1']} more than without the "
            f"first ten by eq. 1. {_used(found)}\n",
        ]
    )


def _used(found: dict[str, Any]) -> str:
    if found["difference"]["random"]["low"] <= 0:
        return (
            "**Not shown: the interval holds 0.** What one group of units says, others say again; "
            "that a unit goes with fracture is no proof that the grade hangs on it."
        )
    said = "The network uses the units that go with fracture more than others"
    kept = found["contrast"]["auc"] > found["auc"] - 0.01
    if kept:
        said += ", but does not hang on them: without them it tells fractures as well"
    if kept and found["contrast"]["healthy"] >= found["contrast"]["fractured"]:
        said += ", and healthy vertebrae lose as much"
    return f"{said}."


def _quantile(found: dict[str, Any]) -> str:
    rows = [
        [
            level,
            f"{row['c_positive']:.2f}",
            f"{row['c_negative']:.2f}",
            f"{100 * row['saturated']:.0f} %",
            f"{row['ours_evidence']:.3f}",
            f"{row['eq1_evidence']:.3f}",
            f"{row['rank_correlation']:+.2f}",
        ]
        for level, row in found.items()
        if isinstance(row, dict)
    ]
    head = [
        "quantile",
        "enabled in fractured (median unit)",
        "in healthy",
        "units enabled in over 90 % of fractured",
        "overlap, ten by contrast",
        "overlap, ten by eq. 1",
        "rank correlation of eq. 1 and contrast",
    ]
    return "\n".join(
        [
            "## The level of the threshold\n",
            "The paper prints 0.995; its released code takes 0.99.\n",
            table(head, rows),
            f"Of the ten first units {found['same_contrast']} are the same at both levels by "
            f"contrast, {found['same_eq1']} by eq. 1.\n",
        ]
    )


def _sizes(found: dict[str, Any]) -> str:
    rows = [[str(row["vertebrae"]), str(row["fractures"]), *_size(row)] for row in found["rows"]]
    first = found["rows"][0]
    return "\n".join(
        [
            "## Learned from few sheets, learned from many\n",
            "The same small classifier of sheets, as many steps, from fewer or "
            f"more vertebrae; all dissected with the same {first['samples']} unseen ones "
            f"(`{found['cohort']}`, {first['positives']} fractured; chance "
            f"{100 * first['chance']:.1f} %).\n",
            table(["trained on", "fractured", *_SIZE_HEAD], rows),
            "One seed each. The sizes were raised once: with 50, 200 and 800 sheets no network "
            "learned anything to dissect.\n",
            "`dissect` warns of a network that learned from fewer than 1,000 fractures.\n",
        ]
    )


def _detector_sizes(found: dict[str, Any]) -> str:
    rows = [
        [row["name"], str(row["vertebrae"] or "–"), str(row["fractures"] or "–"), *_size(row)]
        for row in found["rows"]
    ]
    chances = " and ".join(f"{100 * row['chance']:.1f}" for row in found["rows"])
    return "\n".join(
        [
            "3-D detectors that learned from cohorts of two sizes, dissected with "
            f"`{found['cohort']}` (chance {chances} %). They differ in boxes, presets and epochs, "
            "too, so this is no measure of size alone, and by the paper's measure both cohorts "
            "are small:\n",
            table(["detector", "trained on", "fractured", *_SIZE_HEAD], rows),
        ]
    )


_SIZE_HEAD = [
    "AUC",
    "units tied to fracture",
    "contrast, first ten",
    "overlap, first ten",
    "of their masks on the fracture",
]


def _size(row: dict[str, Any]) -> list[str]:
    return [
        f"{row['auc']:.2f}",
        f"{row['tied']} of {row['units']}",
        f"{row['contrast_top']:.2f}",
        f"{row['iou_top']:.3f}",
        f"{100 * row['share_top']:.0f} %",
    ]


def _readings(found: dict[str, Any]) -> str:
    pictures, batch = found["pictures"], found["batch"]
    change = batch["threshold_change"]
    return "\n".join(
        [
            "## The released code's readings\n",
            "What each does to this detector alone is measured in "
            "[Discrepancies](discrepancies.md#the-twelve-points-of-the-released-code). Choosing a "
            f"unit's {pictures['of']} pictures by mean activation, as released, instead of eq. 2 "
            f"keeps {pictures['same']:.0f} of them on average over the first ten units; "
            f"{100 * pictures['not_enabled']:.0f} % of the pictures so chosen do not enable the "
            "unit at all.\n",
            "## Batch statistics in evaluation\n",
            "The released network normalizes by its batch even in evaluation, collects thresholds "
            "ten samples at a time and applies them to one. This detector with that normalization, "
            f"{batch['vertebrae']} vertebrae: thresholds from batches of one and of ten differ by "
            f"{100 * change['mean']:.0f} % on average (quartiles {100 * change['low']:.0f} to "
            f"{100 * change['high']:.0f} %), and {100 * batch['decisions_changed']:.0f} % of the "
            "decisions whether a unit is enabled change with what else is in the batch. With "
            "running statistics, the default here, nothing changes.\n",
        ]
    )


OWN_STUDIES = ("training-size", "detector-presets", "detector-shortcut")

SECTIONS = {
    "detector": _detector,
    "training-size": of_sizes,
    "detector-presets": of_presets,
    "sizes": _sizes,
    "detector-sizes": _detector_sizes,
    "shortcut": of_sheets,
    "detector-shortcut": of_boxes,
    "readings": _readings,
}


def _spread(values: dict[str, float]) -> str:
    return f"{values['mean']:.3f} ({values['low']:.3f} to {values['high']:.3f})"


def _interval(values: dict[str, float], digits: int) -> str:
    mean, low, high = (f"{values[name]:+.{digits}f}" for name in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})".replace("-", "−")
