"""The page of the dissection experiments, from their stored results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

HEAD = """# Dissection on phantoms

Written by `scripts/dissection_experiments.py` from [dissection.json](dissection.json); no figure
is typed by hand. How to dissect your own model: [Dissect a model](how-to/dissect.md).

On phantoms the true evidence of every fracture is known, so it can be checked whether dissection
finds it. All vertebrae are synthetic; nothing here says anything about patients.
"""


def page_of(found: dict[str, Any]) -> str:
    """Write the page; experiments that have not been run are left out."""
    parts = [HEAD]
    for name, write in SECTIONS.items():
        if name in found:
            parts.append(write(found[name]))
    return "\n".join(parts)


def _overlap(found: dict[str, Any]) -> str:
    facts, effect, top = found["facts"], found["effect"], found["top_effect"]
    rows = [
        ["all units", _spread(found["trained"]), _spread(found["random"]), _delta(effect)],
        [
            "ten units most tied to fracture",
            _spread(found["top_trained"]),
            _spread(found["top_random"]),
            _delta(top),
        ],
    ]
    difference = found["difference"]
    random_tied = ", ".join(str(count) for count in found["tied_random"])
    return "\n".join(
        [
            "## Do units lie on the fracture?\n",
            f"`{found['model']}`, last map of the trunk ({found['units']} units), on the cohort "
            f"`{found['cohort']}`: {facts['samples']} vertebrae, {facts['positives']} of them with "
            "a planted moderate or severe fracture. Intersection over union of each unit's mask "
            "and the planted evidence; mean, and quartiles. Random: the same architecture with "
            f"fresh weights, {found['random_networks']} networks, normalization set by the same "
            "vertebrae. Cliff's delta: how much more often a trained unit lies better than a "
            "random one than worse; bootstrap over units.\n",
            _table(["", "trained", "random weights", "Cliff's delta (95 %)"], rows),
            f"Tied to fracture (q < 0.05, more often in fractured): {found['tied']} of "
            f"{found['units']} trained units; {random_tied} in the random networks.\n",
            "## Which ranking finds them?\n",
            "The ten first units by contrast (how much more often a unit is enabled in fractured "
            "than in healthy vertebrae) and by eq. 1 as printed (in fractured alone):\n",
            _table(
                ["ranked by", "overlap with the true evidence"],
                [["contrast", _spread(found["ours"])], ["eq. 1", _spread(found["eq1"])]],
            ),
            f"Difference {difference['mean']:+.3f} (95 % {difference['low']:+.3f} to "
            f"{difference['high']:+.3f}, vertebrae resampled and units ranked anew); "
            f"{found['shared']} units are in both lists. The ten by contrast fall into "
            f"{found['clusters_of_top']} clusters of units that light up together.\n",
        ]
    )


def _quantile(found: dict[str, Any]) -> str:
    rows = [
        [
            f"{row['quantile']:g}",
            f"{row['c_positive']:.2f}",
            f"{row['c_negative']:.2f}",
            f"{100 * row['saturated']:.0f} %",
            f"{row['ours_evidence']:.3f}",
            f"{row['eq1_evidence']:.3f}",
            f"{row['eq1_rank_against_contrast']:+.2f}",
        ]
        for row in found["rows"]
    ]
    head = [
        "quantile",
        "enabled in fractured (median unit)",
        "in healthy",
        "units enabled in over 90 % of fractured",
        "evidence, ten by contrast",
        "evidence, ten by eq. 1",
        "rank correlation of eq. 1 and contrast",
    ]
    return "\n".join(
        [
            "## The level of the threshold\n",
            "The paper prints 0.995; its released code takes 0.99.\n",
            _table(head, rows),
            f"Of the ten first units {found['same_in_top_ours']} are the same at both levels by "
            f"contrast, {found['same_in_top_eq1']} by eq. 1.\n",
        ]
    )


def _shortcut(found: dict[str, Any]) -> str:
    rows = [
        [
            name,
            f"{row['auc']['shortcut']:.2f}",
            f"{row['auc']['balanced']:.2f}",
            f"{row['marked_in_top']} of 10",
            "none" if row["first_rank"] is None else str(row["first_rank"]),
            f"{row['best_lift_in_top']:.0f} ×",
        ]
        for name, row in found.items()
    ]
    names = {"shortcut": "with marks", "balanced": "without marks"}
    for row in rows:
        row[0] = names[row[0]]
    return "\n".join(
        [
            "## A planted shortcut\n",
            "Two small classifiers, the same but for their training sheets: in one set nine of "
            "ten fractured vertebrae and one of twenty healthy ones have a bright mark (preset "
            "`shortcut`), in the other none has. Both are dissected with marked sheets neither has "
            "seen. A unit is *on the mark* where at least six times as much of its mask lies there "
            "as by chance.\n",
            _table(
                [
                    "trained on sheets",
                    "AUC, marked test sheets",
                    "AUC, sheets without marks",
                    "first ten units on the mark",
                    "best rank of one",
                    "strongest in the first ten",
                ],
                rows,
            ),
            "On sheets like those it learned from, accuracy does not tell that the network looks "
            "at the mark. Its units do.\n",
        ]
    )


def _batch(found: dict[str, Any]) -> str:
    change = found["threshold_change"]
    return "\n".join(
        [
            "## Batch statistics in evaluation\n",
            "The released network normalizes by its batch even in evaluation, collects thresholds "
            "ten samples at a time and applies them to one. Two convolutions with random weights "
            f"and that normalization, {found['units']} units, 20 noise boxes of varying level: "
            f"thresholds from batches of one and of ten differ by {100 * change['mean']:.0f} % on "
            f"average (quartiles {100 * change['low']:.0f} to {100 * change['high']:.0f} %), and "
            f"{100 * found['decisions_changed']:.0f} % of the decisions whether a unit is enabled "
            "change with what else is in the batch. With running statistics, the default here, "
            "nothing changes.\n",
        ]
    )


SECTIONS = {
    "overlap": _overlap,
    "quantile": _quantile,
    "shortcut": _shortcut,
    "batch": _batch,
}


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def _spread(values: dict[str, float]) -> str:
    return f"{values['mean']:.3f} ({values['low']:.3f} to {values['high']:.3f})"


def _delta(values: dict[str, float]) -> str:
    return f"{values['delta']:+.2f} ({values['low']:+.2f} to {values['high']:+.2f})"
