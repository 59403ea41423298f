"""Writes docs/transfer.md from docs/transfer.json: every figure on the page comes from there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .real import ABOUT

Facts = Mapping[str, Any]
TARGETS = {"specificity": 0.99, "G2": 0.90, "G3": 0.97}

HEAD = """# Transfer: what the shipped model is worth elsewhere

This page is written by `make transfer` from [transfer.json](transfer.json); no figure is typed by hand.
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
in the repository's real CTs, grades them all and writes this page; it takes about 45 CPU minutes and can be
interrupted.
"""


def written(path: Path) -> str:
    """Write the page from stored figures, or say that there are none."""
    return page(json.loads(path.read_text())) if path.exists() else NOTHING_YET


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def figure(share: Facts) -> str:
    """Write a share as "97.3 % (95.1 to 98.9; 412/423)"."""
    if not share["n"]:
        return "–"
    counts = f"{share['hits']}/{share['n']}"
    if share["low"] is None:
        return f"{percent(share['value'])} % ({counts})"
    span = f"{percent(share['low'])} to {percent(share['high'])}"
    return f"{percent(share['value'])} % ({span}; {counts})"


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in lines) + "\n"


def verdict(share: Facts, target: float) -> str:
    return f"{figure(share)}{'' if (share['value'] or 0) >= target else ' – missed'}"


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
        _real(facts["real"]),
        _simulated(facts["real"]["simulated"], facts["pictures"]),
        _limits(facts["limits"]),
        _errors(facts["pictures"]),
        _making(facts),
    ]
    return "\n".join(parts)


def _model(facts: Facts) -> str:
    model = facts["model"]
    return (
        f"Model: `{model['name']}` {model['version']}, bundle `{model['sha256'][:12]}`. "
        f"{model['trained_on']}\n"
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
        "The preset `shifted-scanner` has kernels, noise and slices outside the training ranges. The "
        "fairest reference is the same persons, scanned as in training. Percentage points, target at "
        "most 5:\n"
    )
    return "\n".join(["## Other scanners\n", text, table(head, rows)])


def _reference(name: str) -> str:
    return "the same persons in the training's scanners" if name.startswith("familiar") else name


def _points(row: Facts) -> str:
    said = f"{100 * row['value']:.1f}"
    if row["low"] is not None:
        said += f" ({100 * row['low']:.1f} to {100 * row['high']:.1f})"
    return said + (" – missed" if row["value"] > 0.05 else "")


def _real(real: Facts) -> str:
    rows = [
        [
            row["source"],
            row["level"],
            row["called"] or "not assessable",
            "–" if row["scores"] is None else f"{1 - row['scores'][0]:.2f}",
            "; ".join(said for said in (row["reason"], row["note"]) if said),
        ]
        for row in real["as_is"]
    ]
    graded = [row for row in real["as_is"] if row["called"]]
    kept = sum(row["called"] == "G0" for row in graded)
    scans = "; ".join(f"*{name}*: {what}" for name, what in ABOUT.items())
    text = (
        f"No fracture is known in any of these. Of {len(rows)} whole levels {len(graded)} are assessable, "
        f"{kept} of them are called G0. {scans}.\n"
    )
    head = ["scan", "level", "grade", "score of a fracture", ""]
    return "\n".join(["## Real CT as it is\n", text, table(head, rows)])


def _simulated(found: Facts, pictures: Sequence[str]) -> str:
    refused = "; ".join(
        f"{row['source']} {row['level']} ({row['n']}): {row['reason']}"
        for row in found["not_assessable"]
    )
    head = ["", "G2 (loss 30, 35 %)", "G3 (loss 48, 55 %)"]
    rows = [
        [
            "simulated fractures called fractured",
            *(figure(found["found"][k]) for k in ("G2", "G3")),
        ],
        ["given that very grade", *(figure(found["same_grade"][k]) for k in ("G2", "G3"))],
        [
            "scans noticed (refused counts as missed)",
            *(figure(f) for f in found["scans_found"].values()),
        ],
    ]
    kept = found["neighbors_kept"]
    changed = ", ".join(
        f"{row['source']} {row['level']} beside {row['beside']} ({row['n']})"
        for row in kept["changed"]
    )
    lines = [
        "## Simulated fractures in real CT\n",
        "Real bone, bent by the phantom's fracture model: every assessable level with a mask, four shapes, "
        "four losses, two seeds. Texture and edges are the patient's own; callus, edema and hemorrhage are "
        "missing. Intervals are over levels, of which there are few: they are too narrow.\n",
        table(head, rows),
        f"- not assessable: {refused or 'none'}",
        f"- other levels, G0 before, still G0 beside a simulated fracture: {figure(kept)}"
        + (f"; not: {changed}" if changed else ""),
        *(
            f"- two adjacent crushes of {row['loss']:.0%}: both found in {row['both']} of {row['scans']} scans"
            for row in found["adjacent"]["rows"]
        ),
        f"- missed of these: {_missed(found['adjacent']['missed'])}; "
        f"refused: {found['adjacent']['refused']}",
        f"- missed single fractures: {_missed(found['missed'])}\n",
        *_by_shape_and_level(found),
    ]
    if "simulated-missed.png" in pictures:
        lines += ["![Missed simulated fractures](images/transfer/simulated-missed.png)\n"]
    return "\n".join(lines)


def _missed(rows: Sequence[Facts]) -> str:
    said = [f"{r['source']} {r['level']} {r['shape']} {r['loss']:.0%}" for r in rows]
    return ", ".join(said) or "none"


def _by_shape_and_level(found: Facts) -> list[str]:
    losses = sorted({row["loss"] for row in found["by_shape"]})
    shapes = list(dict.fromkeys(row["shape"] for row in found["by_shape"]))
    at = {(r["shape"], r["loss"]): f"{r['hits']}/{r['n']}" for r in found["by_shape"]}
    first = table(
        ["called fractured", *(f"loss {loss:.0%}" for loss in losses)],
        [[shape, *(at.get((shape, loss), "–") for loss in losses)] for shape in shapes],
    )
    levels = list(dict.fromkeys((r["source"], r["level"]) for r in found["by_level"]))
    by = {(r["source"], r["level"], r["grade"]): f"{r['hits']}/{r['n']}" for r in found["by_level"]}
    second = table(
        ["called fractured", "G2", "G3"],
        [[f"{s} {lv}", *(by.get((s, lv, k), "–") for k in (2, 3))] for s, lv in levels],
    )
    return [first, second]


def _outcome(found: Facts) -> str:
    said = [f"{found['kept']} G0"] if found["kept"] else []
    said += [f"**{found['called_fractured']} fractured**"] if found["called_fractured"] else []
    said += [f"{found['refused']} not assessable"] if found["refused"] else []
    return ", ".join(said) or "–"


def _limits(limits: Facts) -> str:
    parts = [
        "## Not assessable, or graded all the same\n",
        "Vertebrae without a fracture that are cut, coarse, odd or full of metal. A wrong grade "
        "(**bold**) is worse than a refusal.\n",
        "The border of a real scan comes near one body (L2, L4, T6, T9); distance from its center:\n",
        _cuts(limits["cuts"]),
        "Phantom spines at 1 mm, slices averaged; the same persons in every row:\n",
        _slices(limits["slices"]),
        "Foreign material and odd input:\n",
        _odd(limits),
    ]
    return "\n".join(parts)


def _cuts(rows: Sequence[Facts]) -> str:
    borders = sorted({row["border_mm"] for row in rows}, reverse=True)
    ways = list(dict.fromkeys((row["way"], row["side"]) for row in rows))
    at = {(r["way"], r["side"], r["border_mm"]): _outcome(r) for r in rows}
    cells = [
        [f"{side}, {'by mask' if way == 'mask' else 'by centers alone'}"]
        + [at.get((way, side, mm), "–") for mm in borders]
        for way, side in ways
    ]
    return table(["border", *(f"{mm} mm" for mm in borders)], cells)


def _slices(rows: Sequence[Facts]) -> str:
    if not rows:
        return "Not measured yet.\n"
    cells = [
        [
            f"{row['slices']}, {row['thickness_mm']} mm",
            _outcome(row["normal"]),
            f"{row['fractures_found']}/{row['fractures']}"
            + (f" ({row['fractures_refused']} refused)" if row["fractures_refused"] else ""),
            row["normal"]["flagged"],
        ]
        for row in rows
    ]
    return table(["slices", "normal", "G2 and G3 found", "normal ones graded with a flag"], cells)


def _odd(limits: Facts) -> str:
    rows = [("screws, cement or cage in or below the level", limits["metal"]["foreign"])]
    rows += [("other normal levels of these spines", limits["metal"]["beside"])]
    rows += [(f"real scans, {row['variant']}", row) for row in limits["odd"]]
    cells = [
        [
            what,
            found["n"],
            _outcome(found),
            "; ".join(f"{r}: {n}" for r, n in found["reasons"].items()),
        ]
        for what, found in rows
    ]
    return table(["case", "vertebrae", "outcome", "reasons"], cells)


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
        f"`make transfer` draws the spines (seeds {seeds}; training uses 1 and 2, choosing 980 and 990), "
        "takes each to the model's door, stores that and grades it. Stored and graded later is the same as "
        f"graded by `spinexplain.grade`: {check['same']} of {check['vertebrae']} vertebrae on the real "
        "scans and a phantom, compared in the same run. Bootstrap: 1000 draws of persons, seed 0.\n"
    )
