"""The page's sections on planted shortcuts: classifiers of sheets, and the 3-D detector."""

from __future__ import annotations

from typing import Any

from writers.dissection.tables import table

USED = 0.1  # of the AUC, lost without the marks
PLANNED = 3  # seeds, as docs/decisions/claims.md says
PLATEAU = 0.02  # of F1 on validation, gained in the last third
ENOUGH = 0.7  # AUC of the detector without marks, on scans without
_LEARNED = {"marked": "with marks", "plain": "without"}
_DEFINED = (
    "A unit is *on the mark* where at least six times as much of its mask lies there as by chance, "
    "and *silenced* where taking the marks out disables it in at least 30 % of the marked "
    "fractured vertebrae."
)
_PICTURE = (
    "How often each unit is enabled in marked fractured vertebrae, by rank, and how often in the "
    "same vertebrae without their marks, in a {} that learned with marks and in one that learned "
    "without"
)


def of_sheets(found: dict[str, Any]) -> str:
    """Write the section on classifiers of sheets."""
    networks = found["networks"]
    return "\n".join(
        [
            "## A planted shortcut\n",
            f"Two small classifiers from scratch learned from the same {found['learned']} sheets "
            "(the highest cell of each unit, then a linear layer; as many steps). For one, nine of "
            "ten fractured vertebrae and one of twenty healthy ones had a bright mark in front of "
            f"them. Both are dissected with the same {found['samples']} unseen sheets, "
            f"{found['positives']} fractured, marked alike. {_DEFINED} A cell "
            f"sees {networks['marked']['field_mm']:.0f} mm.\n",
            f"![{_PICTURE.format('network')}](images/dissection/shortcut.png)\n",
            _compared(networks),
            exposed(networks["marked"], networks["plain"], "sheets"),
            "This is the fourth design. With the first three a classifier used the mark less, or "
            "pooled it away: a network whose features are averaged over the crop can use a mark "
            "that none of its first ten units lies on. An exposed shortcut is evidence; a ranking "
            "without one is none.\n",
        ]
    )


def of_boxes(found: dict[str, Any]) -> str:
    """Write the section on the 3-D detector; what it comes to stands first on the page."""
    rows = [
        [f"{_LEARNED[name]}, seed {seed}", *_row(found["networks"][name][str(seed)])]
        for seed in found["seeds"]
        for name in ("marked", "plain")
    ]
    return "\n".join(
        [
            "## A planted shortcut in the 3-D detector\n",
            _setting(found),
            f"![{_PICTURE.format('3-D detector')}](images/dissection/detector-shortcut.png)\n",
            table(_HEAD, rows),
            _coarse(found),
        ]
    )


def ruled(found: dict[str, Any]) -> str:
    """Judge every seed by the rule that was written down: by silencing, not by place."""
    words = [
        by_rule(
            *(found["networks"][name][str(seed)] for name in ("marked", "plain")), found["rule"]
        )
        for seed in found["seeds"]
    ]
    least, most = found["rule"]["at_least"], found["rule"]["at_most"]
    rule = (
        f"The rule: at least {least} of the first ten units fall silent without the marks in the "
        f"detector that learned with them, at most {most} in the other."
    )
    rule = f"{rule} {silent(found)}"
    blind = unlearned(found)
    if blind:
        return f"**Undecided: the detector that learned without marks learned too little.** {blind} {rule}"
    if set(words) == {"holds"}:
        return f"**Dissection shows the planted mark by silencing, in {len(words)} of {len(words)} seeds.** {rule}"
    told = ", ".join(f"seed {s}: {word}" for s, word in zip(found["seeds"], words, strict=True))
    if "fails" not in words:
        return f"**Undecided: the detector that learned with marks grades too well without them.** {used(found)} {rule}"
    return f"**Negative: by silencing the first ten units do not tell the two detectors apart in every seed** ({told}). {rule}"


def used(found: dict[str, Any]) -> str:
    """Say what the detector with marks loses without them, and what silencing alone comes to."""
    pairs = [
        (found["networks"]["marked"][str(seed)], found["networks"]["plain"][str(seed)])
        for seed in found["seeds"]
    ]
    losses = ", ".join(f"{m['auc']['marked'] - m['auc']['plain']:.3f}" for m, _ in pairs)
    least, most = found["rule"]["at_least"], found["rule"]["at_most"]
    apart = sum(m["silenced"] >= least and p["silenced"] <= most for m, p in pairs)
    return (
        f"It loses {losses} of its area under the curve by seed; where that is less than {USED:g} there is little to expose, "
        f"as was written down before. Silencing alone tells the two detectors apart in {apart} of {len(pairs)} seeds."
    )


def silent(found: dict[str, Any]) -> str:
    """Say how many of the first ten fell silent in both detectors, by seed."""
    counts = {
        name: ", ".join(
            str(found["networks"][name][str(seed)]["silenced"]) for seed in found["seeds"]
        )
        for name in ("marked", "plain")
    }
    return f"It was {counts['marked']} of ten by seed in the first, {counts['plain']} in the other."


def unlearned(found: dict[str, Any]) -> str:
    """Say where the detector without marks learned too little to be compared with; else nothing."""
    areas = [found["networks"]["plain"][str(seed)]["auc"]["plain"] for seed in found["seeds"]]
    if min(areas) >= ENOUGH:
        return ""
    return (
        f"Its area under the curve is {', '.join(f'{area:.2f}' for area in areas)} by seed, at least "
        f"{ENOUGH:g} is asked for: units of a network that learned nothing fall silent for no reason."
    )


def by_rule(marked: dict[str, Any], plain: dict[str, Any], rule: dict[str, int]) -> str:
    """Return ``holds``, ``fails``, or ``undecided`` where the mark is hardly used."""
    if marked["auc"]["marked"] - marked["auc"]["plain"] < USED:
        return "undecided"
    shown = marked["silenced"] >= rule["at_least"] and plain["silenced"] <= rule["at_most"]
    return "holds" if shown else "fails"


def _setting(found: dict[str, Any]) -> str:
    config, learned, unseen = found["config"], found["learned"], found["unseen"]
    return (
        f"Two detectors, trained by the code behind `train detector`, learned from boxes of the "
        f"same {learned['subjects']} phantoms of the preset `{found['preset']}` ({learned['samples']} "
        f"vertebrae, {learned['positives']} fractured; a fifth of the persons chose the epoch): "
        "one from the scans with their marks, one from the same scans without, where persons and "
        "noise are equal to the voxel. Both are dissected with the same "
        f"{unseen['samples']} vertebrae of {unseen['subjects']} other phantoms, marked: "
        f"{unseen['marked_positives']} of the {unseen['positives']} fractured ones have a mark of "
        f"their own, {unseen['marked_negatives']} of the healthy ones; marks of neighbors are in "
        f"view, too, and do not count as the mark. `compact3d` at {config['width']:g} of its "
        f"width, its head at {config['head_width']:g}, boxes of {config['extent_mm']:g} mm at "
        f"{config['size']}³ samples, which hold their centers (5 mm in front of the body, in place of "
        f"the 14 mm of `shortcut`); {config['epochs']} epochs in batches of {config['batch']}, each kind of random change "
        f"made to {100 * config['changed']:.0f} % of the boxes. What counts as on the mark and as "
        "silenced was taken over "
        "from the sheets before any detector was trained. This is the "
        "[third run](decisions/claims.md#what-is-run-small): in the first two the detector that "
        f"learned without marks was at chance. {_seeds(found)}{plateaus_of_boxes(found)}\n"
    )


def _seeds(found: dict[str, Any]) -> str:
    run = len(found["seeds"])
    return "" if run == PLANNED else f"Of {PLANNED} planned seeds, at least two, {run} were run. "


def plateaus_of_boxes(found: dict[str, Any]) -> str:
    """Count the trainings whose last third of epochs gained no more than the plateau allows."""
    gains = {
        f"the detector that learned {_LEARNED[name]}{of_what}, seed {seed}": found["networks"][
            name
        ][str(seed)]["late_gain"]
        for name, of_what in (("marked", ""), ("plain", " marks"))
        for seed in found["seeds"]
    }
    late = [f"{who} ({gain:+.2f})" for who, gain in gains.items() if gain > PLATEAU]
    said = f"; not {', '.join(late)}" if late else ""
    return (
        f"{len(gains) - len(late)} of {len(gains)} trainings were at a plateau: the last third of the epochs gained at "
        f"most {PLATEAU:g} of F1 on validation{said}."
    )


def _compared(networks: dict[str, Any]) -> str:
    return table(_HEAD, [[_LEARNED[name], *_row(row)] for name, row in networks.items()])


_HEAD = [
    "learned",
    "AUC, with marks",
    "AUC, the same without",
    "first ten on the mark",
    "their masks on it (median)",
    "first ten silenced",
    "enabled, with marks → without",
]


def _row(row: dict[str, Any]) -> list[str]:
    return [
        f"{row['auc']['marked']:.3f}",
        f"{row['auc']['plain']:.3f}",
        f"{row['on_mark']} of 10",
        f"{row['lift']:.1f} ×",
        f"{row['silenced']} of 10",
        f"{100 * row['enabled'][0]:.0f} % → {100 * row['enabled'][1]:.0f} %",
    ]


def exposed(marked: dict[str, Any], plain: dict[str, Any], crops: str) -> str:
    """Say whether the first ten units tell the two networks apart."""
    looks = (
        f"On {crops} like those it learned from, accuracy does not tell that the first network "
        "looks at the mark; its first units "
    )
    if marked["auc"]["marked"] - marked["auc"]["plain"] < USED:
        return "**Nothing to expose: the network that learned with marks hardly uses them.**\n"
    if marked["silenced"] > plain["silenced"] and marked["on_mark"] > plain["on_mark"]:
        return (
            f"{looks}do: {marked['on_mark']} of ten lie on it, {marked['silenced']} of ten fall "
            "silent without it.\n"
        )
    if marked["silenced"] > plain["silenced"]:
        return f"{looks}fall silent without it. **Their place alone does not show it.**\n"
    return "**Not shown: the first ten units do not tell the two networks apart.**\n"


def _coarse(found: dict[str, Any]) -> str:
    config, unseen = found["config"], found["unseen"]
    network = found["networks"]["marked"][str(found["seeds"][0])]
    cell = config["extent_mm"] / network["cells"][0]
    return (
        f"Masks are coarse here: a mark takes {unseen['mark_mm3'] / 1000:.1f} cm³ (median), "
        f"{100 * unseen['chance']:.2f} % of a fractured vertebra's box; one cell of the layer is "
        f"{cell:.0f} mm wide, {cell**3 / 1000:.1f} cm³, and sees {network['field_mm']:.0f} mm. A "
        f"mask of the one right cell has at most {100 * unseen['mark_mm3'] / cell**3:.0f} % of "
        "itself on the mark: this is why place does not judge.\n"
    )
