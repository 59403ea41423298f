"""Writes docs/transfer.md from docs/results/transfer.json, where every figure comes from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.localizer.manifest import read_manifest
from spinexplain.localizer.networks import shipped_folder
from writers.stored import stored
from writers.transfer.limits import limits_of
from writers.transfer.parts import Facts, figure, percent, table, verdict
from writers.transfer.real import real_ct, simulated_fractures

TARGETS = {"specificity": 0.99, "G2": 0.90, "G3": 0.97}

HEAD = """# Transfer: what the shipped model is worth elsewhere

This page is written by `make transfer` from [transfer.json](results/transfer.json); no figure is typed by hand.
The shipped model, its thresholds and its opponents were chosen on other phantoms. Nothing on this page
chose anything, and nothing here is a patient with a known fracture: **phantoms are synthetic, and
fractures in real CTs are simulated**. None of it is a claim about patients.

*Called fractured* means graded G2 or G3. *Specificity* counts vertebrae without a planted fracture, look-alikes
included; *clear* leaves out those that by nature, short height or a pit are 20 % or more below what a reader
expects. Intervals are 95 %, over drawn persons; where all or none are right they shrink to a point, which
overstates what is known. Every scan went the way of `spinexplain grade`: CT and mask (or body centers) in, quality
flags and refusals included.
"""


NOTHING_YET = """# Transfer: what the shipped model is worth elsewhere

Not measured yet for the model that is shipped now. `make transfer` draws whole phantom spines, simulates fractures
in the repository's real CTs, grades them all and writes this page; it takes about 30 CPU minutes and can be
interrupted.
"""


def written(before: str, results: Path) -> str:
    """Write the page from stored figures, or say that there are none."""
    there = (results / "transfer.json").is_file()
    return page(stored(results, "transfer.json")) if there else NOTHING_YET


def page(facts: Facts) -> str:
    """Write the whole page."""
    parts = [
        HEAD,
        _model(facts),
        _populations(facts),
        _opponents(facts),
        _look_alikes(facts),
        _where(facts),
        _scanners(facts),
        real_ct(facts["real"]),
        simulated_fractures(facts["real"], facts["pictures"], facts.get("simulated_seeds", 2)),
        limits_of(facts["limits"]),
        _errors(facts["pictures"]),
        _making(facts),
    ]
    return "\n".join(parts)


NETWORK_ALONE = (
    "This is the network alone, on one sheet a vertebra, with its highest score as the grade. Reports give a "
    "[verdict](verdict.md), which weighs it on seven sheets and together with heights.\n"
)


def _model(facts: Facts) -> str:
    model = facts["model"]
    text = (
        f"Model: `{model['name']}` {model['version']}, bundle `{model['sha256'][:12]}`. "
        f"{model['trained_on']}\n{_settled_by(facts)}"
    )
    if model["name"] == DEFAULT_MODEL:
        return f"{text}\n{NETWORK_ALONE}"
    return (
        f"{text}\n**This is the former default.** `{DEFAULT_MODEL}`, which grades where no model is named, "
        "is not measured here yet; what it finds in real CT stands in "
        "[version 4](decisions/grounded-prototypes.md#version-4), what it is worth with heights beside it in "
        "[verdict](verdict.md).\n"
    )


def _settled_by(facts: Facts) -> str:
    """Say which localizer moved given centers onto bodies where no mask was given."""
    shipped = read_manifest(shipped_folder()).version
    now = "" if facts["localizer"] == shipped else f"; version {shipped} ships"
    return (
        "\nCenters without a mask were settled on bodies that version "
        f"{facts['localizer']} of the [localizer](localizer.md) painted{now}.\n"
    )


def _populations(facts: Facts) -> str:
    head = ["whole spines of preset", *facts["populations"], "target"]
    found = facts["populations"].values()
    rows = [
        ["spines, vertebrae", *(f"{f['spines']}, {f['vertebrae']}" for f in found), ""],
        [
            "specificity",
            *(verdict(f["specificity"], TARGETS["specificity"]) for f in found),
            "≥ 99 %",
        ],
        ["specificity, clear", *(figure(f["specificity_clear"]) for f in found), ""],
        ["sensitivity G2", *(verdict(f["G2"], TARGETS["G2"]) for f in found), "≥ 90 %"],
        ["sensitivity G3", *(verdict(f["G3"], TARGETS["G3"]) for f in found), "≥ 97 %"],
        ["G1 called fractured", *(figure(f["G1"]) for f in found), ""],
        ["G2 called G2", *(figure(f["same_grade"]["G2"]) for f in found), ""],
        ["G3 called G3", *(figure(f["same_grade"]["G3"]) for f in found), ""],
        ["area under the curve, G2 and G3", *(_aucs(f["auc"]) for f in found), ""],
        [
            "normal spines with a false fracture",
            *(_false_spines(f["normal_spines"]) for f in found),
            "≤ 10 of 100",
        ],
        [
            "spines with G2 or G3 that are noticed",
            *(figure(f["fractured_spines"]) for f in found),
            "",
        ],
        ["not assessable", *(figure(f["not_assessable"]["share"]) for f in found), ""],
    ]
    return "\n".join(["## Held-out phantom spines\n", table(head, rows), _reasons(facts)])


def _false_spines(share: Facts) -> str:
    return f"{figure(share)}{'' if (share['value'] or 0) <= 0.10 else ' – missed'}"


def _aucs(auc: Facts) -> str:
    return ", ".join("–" if value is None else f"{value:.3f}" for value in auc.values())


def _reasons(facts: Facts) -> str:
    lines = []
    for name, found in facts["populations"].items():
        reasons = found["not_assessable"]["reasons"]
        said = "; ".join(f"{reason}: {n}" for reason, n in reasons.items()) or "none"
        lines.append(f"- not assessable in {name}: {said}")
    return "\n".join(lines) + "\n"


def _opponents(facts: Facts) -> str:
    parts = ["## Beside simpler means\n"]
    chosen = facts["opponents_chosen"]
    parts.append(
        "On the same vertebrae: those the model graded and heights could be measured in. "
        "*Heights* is the loss from the mask, as `spinexplain measure` reports it; the threshold was "
        f"chosen on {chosen['heights_spines']} `balanced` spines ({percent(chosen['heights_loss'])} %). "
        "A phantom's mask is exact, which no segmentation is, and the true grade is made of heights: for "
        "heights this bench is the best case. *Pixels* is a logistic regression on the crop averaged to "
        f"14 x 14, fitted on {chosen['pixel_sheets']} training sheets, strength and threshold chosen on "
        "held-out sheets.\n"
    )
    for preset, rows in facts["opponents"].items():
        head = [
            f"{preset}, {rows[0]['vertebrae']} vertebrae",
            "specificity",
            "G2",
            "G3",
            "area G2, G3",
        ]
        head.append("normal spines with a false fracture")
        cells = [
            [
                row["name"],
                *(figure(row[key]) for key in ("specificity", "G2", "G3")),
                _aucs(row["auc"]),
                figure(row["normal_spines"]),
            ]
            for row in rows
        ]
        parts.append(table(head, cells))
    return "\n".join(parts)


def _look_alikes(facts: Facts) -> str:
    rows = [
        [kind["name"], figure(kind["spines"]), figure(kind["specificity"])]
        for kind in facts["look_alikes"]
    ]
    head = ["every person has", "spines with a false fracture", "specificity per vertebra"]
    text = (
        "Spines of preset verse-like without any fracture, one look-alike switched on at a time.\n"
    )
    parts = ["## Look-alikes\n", text, table(head, rows)]
    parts.append("Vertebrae without a fracture, by what the truth names as misleading in them:\n")
    names = [row["name"] for row in _first(facts)["by_look_alike"]]
    head = ["", *facts["populations"]]
    rows = [
        [name.replace("_", " "), *(_named(f["by_look_alike"], name) for f in _all(facts))]
        for name in names
    ]
    return "\n".join([*parts, table(head, rows)])


def _first(facts: Facts) -> Facts:
    return next(iter(facts["populations"].values()))


def _all(facts: Facts) -> list[Facts]:
    return list(facts["populations"].values())


def _named(rows: Sequence[Facts], name: str) -> str:
    return next((figure(row) for row in rows if row["name"] == name), "–")


def _where(facts: Facts) -> str:
    head = ["", *(f"{name}: specificity, G2 and G3" for name in facts["populations"])]
    rows = []
    for at, row in enumerate(_first(facts)["by_region"]):
        cells = [_short(found["by_region"][at]) for found in _all(facts)]
        rows.append([row["name"], *cells])
    shapes = []
    for at, row in enumerate(_first(facts)["by_shape"]):
        shapes.append([row["name"], *(_two(found["by_shape"][at]) for found in _all(facts))])
    return "\n".join(
        [
            "## Where it fails\n",
            "![Found by height loss](images/transfer/found-by-loss.png)\n",
            "*Planted fractures called G2 or G3, by their true height loss; grades change at the gray lines.*\n",
            table(head, rows),
            table(["shape", *(f"{name}: G2, G3 found" for name in facts["populations"])], shapes),
        ]
    )


def _short(row: Facts) -> str:
    broken = [row["G2"], row["G3"]]
    found = f"{sum(b['hits'] for b in broken)}/{sum(b['n'] for b in broken)}"
    clean = row["specificity"]
    return f"{percent(clean['value'])} % ({clean['hits']}/{clean['n']}), {found}"


def _two(row: Facts) -> str:
    return ", ".join(f"{row[k]['hits']}/{row[k]['n']}" for k in ("G2", "G3"))


def _scanners(facts: Facts) -> str:
    head = ["shifted-scanner is lower than", "specificity", "G2", "G3"]
    rows = [
        [_reference(name), *(_points(row) for row in found)]
        for name, found in facts["shifted_lower_by"].items()
    ]
    text = (
        "The preset `shifted-scanner` has kernels, noise and slices outside the ranges that training "
        "sheets are drawn from; the random noise, kernels and slices that training adds to its crops "
        "reach part of the way. The fairest reference is the same persons, scanned as in training. "
        "Percentage points, target at most 5:\n"
    )
    return "\n".join(["## Other scanners\n", text, table(head, rows)])


def _reference(name: str) -> str:
    return "the same persons in the training's scanners" if name.startswith("familiar") else name


def _points(row: Facts) -> str:
    said = f"{100 * row['value']:.1f}"
    if row["low"] is not None:
        said += f" ({100 * row['low']:.1f} to {100 * row['high']:.1f})"
    return said + (" – missed" if row["value"] > 0.05 else "")


def _errors(pictures: Sequence[str]) -> str:
    lines = [
        "## The worst errors\n",
        "Same window (-500 to 1300 HU), surest errors first: level, true height loss, model score of "
        "a fracture, what misleads.\n",
    ]
    for name in pictures:
        if name in ("simulated-missed.png", "found-by-loss.png"):
            continue
        title = name.removesuffix(".png").replace("-", " ")
        lines.append(f"![{title}](images/transfer/{name})\n\n*{title[0].upper()}{title[1:]}.*\n")
    return "\n".join(lines)


def _making(facts: Facts) -> str:
    check = facts["same_as_users"]
    seeds = ", ".join(f"{name} {seed}" for name, seed in facts["seeds"].items())
    return (
        "## How it was measured\n\n"
        f"`make transfer` draws the spines (seeds {seeds}; {_trained(facts)}), "
        "takes each to the model's door, stores that and grades it. Stored and graded later is the same as "
        f"graded by `spinexplain.grade`: {check['same']} of {check['vertebrae']} vertebrae on the real "
        f"scans and a phantom, compared in the same run. {_planned(facts)}"
        "Bootstrap: 1000 draws of persons, seed 0.\n"
    )


def _trained(facts: Facts) -> str:
    if "plan" in facts:
        return "no shipped model was trained or chosen on any of them"
    return "training uses 1 and 2, choosing 980 and 990"


def _planned(facts: Facts) -> str:
    """Say how many spines were planned; results that were stored before do not."""
    if "plan" not in facts:
        return ""
    most = max(facts["plan"].values())
    return (
        f"How many are drawn, at most {most} spines a preset, was written down before this model graded "
        "any of them; the former default was measured on more. "
    )
