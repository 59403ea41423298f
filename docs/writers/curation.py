"""The tables and the picture of docs/curation.md: what throwing a prototype out is worth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spinexplain.ui.plots import drawn
from spinexplain.ui.tokens import LIGHT
from writers.markers import replaced
from writers.stored import stored

WAYS = {
    "remove": "removed, last layer solved anew",
    "replace": "replaced by another patch inside the vertebra",
    "fine-tune": "replaced, trained on with forgetting",
    "remove another": "*opponent:* another fracture prototype removed",
    "replace another": "*opponent:* another fracture prototype replaced in the same way",
    "re-solve": "*opponent:* last layer solved anew, nothing removed",
    "train on": "*opponent:* trained on without decisions",
}


def written(page: str, results: Path) -> str:
    """Return the page with its tables between the markers."""
    content = stored(results, "curation.json")
    (run,) = content["runs"]
    page = replaced(page, "where", "\n".join(where_table(run)))
    page = replaced(page, "worth", "\n".join(worth_table(run)))
    page = replaced(page, "said", said(run))
    return replaced(page, "silence", "\n".join(silence_section(stored(results, "silencing.json"))))


def where_table(run: dict[str, Any]) -> list[str]:
    """List where each prototype looks."""
    lines = ["| prototype | to the mark | to the middle of the body | |", "|---|---|---|---|"]
    for one in run["prototypes"]:
        kind = "fracture" if one["fracture"] else "no fracture"
        why = "**rejected**" if one["rejected"] else ""
        lines.append(
            f"| {one['prototype']}, {kind} | {one['to_mark_mm']:.1f} mm "
            f"| {one['to_body_mm']:.1f} mm | {why} |"
        )
    return lines


def worth_table(run: dict[str, Any]) -> list[str]:
    """Lay the ways and their opponents out, on marked and on unmarked phantoms."""
    count = run["before"]["unmarked"]["vertebrae"]
    lines = [
        f"| | accuracy, marked | accuracy, unmarked ({count}) | sensitivity | specificity | AUC "
        "| gained | over its opponent |",
        "|---" * 8 + "|",
        _row("as trained", run["before"], "", ""),
    ]
    for key, name in WAYS.items():
        one = run["ways"].get(key)
        if one is not None:
            over = _interval(one["over"]) if "over" in one else ""
            many = f" (mean of {one['models']})" if one["models"] > 1 else ""
            lines.append(_row(name + many, one, _interval(one["gain"]), over))
    return lines


def _row(name: str, one: dict[str, Any], gain: str, over: str) -> str:
    plain = one["unmarked"]
    cells = [one["marked"]["accuracy"], *(plain[k] for k in ("accuracy", "sensitivity"))]
    cells += [plain["specificity"], plain["auc"]]
    shown = " | ".join(f"{value:.3f}" for value in cells)
    return f"| {name} | {shown} | {gain} | {over} |"


def _interval(one: dict[str, Any]) -> str:
    return f"{one['value']:+.3f} ({one['low']:+.3f} to {one['high']:+.3f})"


def said(run: dict[str, Any]) -> str:
    """Say which intervals lie above nothing."""
    sure = [k for k in ("remove", "replace", "fine-tune") if _above(run, k, "gain")]
    unsure = [k for k in ("remove", "replace", "fine-tune") if k in run["ways"] and k not in sure]
    beaten = [k for k in ("remove", "replace", "fine-tune") if _above(run, k, "over")]
    parts = [
        f"The gain without marks has an interval above 0 for `--{'`, `--'.join(sure)}`."
        if sure
        else "No way's gain has an interval above 0."
    ]
    if unsure:
        parts.append(f"For `--{'`, `--'.join(unsure)}` it holds 0.")
    parts.append(
        f"Over the same done without the decision it lies above 0 for `--{'`, `--'.join(beaten)}`."
        if beaten
        else "No way is better than its opponent beyond its interval."
    )
    return " ".join([*parts, _ranking(run), _trained_on(run)])


def _ranking(run: dict[str, Any]) -> str:
    """Say whether the order of the vertebrae became better, not only the line between classes."""
    before = run["before"]["unmarked"]["auc"]
    after = {k: run["ways"][k]["unmarked"]["auc"] for k in WAYS if k in run["ways"]}
    shown = ", ".join(f"`--{k}` {after[k]:.3f}" for k in ("remove", "replace", "fine-tune"))
    return (
        f"The area under the curve was {before:.3f} and is {shown}. Where it does not rise, the "
        "line between the classes became better, not the order of the vertebrae."
    )


def _trained_on(run: dict[str, Any]) -> str:
    """Say what training on alone does: the strongest of the cheap opponents."""
    plain = run["ways"]["train on"]["gain"]
    return (
        f"Training on without any decision changes accuracy by {_interval(plain)}: the small model "
        "was not trained to its end, and this opponent is not beaten."
        if plain["low"] > 0
        else f"Training on without any decision changes accuracy by {_interval(plain)}."
    )


def _above(run: dict[str, Any], way: str, key: str) -> bool:
    found = run["ways"].get(way, {}).get(key)
    return found is not None and found["low"] > 0


def silence_section(found: dict[str, Any]) -> list[str]:
    """Lay out what silencing units of a detector does, and say what follows."""
    (fold,) = found["folds"]
    lines = [
        f"Learned from {fold['learned']} boxes of every second of {found['scans']} persons "
        f"({found['extent_mm']:.0f} mm in {found['size']} samples, {found['epochs']} epochs), "
        f"tested on {found['vertebrae']} vertebrae of the others, {found['fractured']} fractured. "
        f"Of the first {found['first']} units {fold['units']} lie on the mark (times chance: "
        f"{', '.join(f'{lift:g}' for lift in fold['lift'])}).",
        "",
        "| | accuracy, marked | AUC, marked | accuracy, unmarked | sensitivity | specificity | AUC "
        "| accuracy gained, unmarked |",
        "|---" * 8 + "|",
    ]
    names = {
        "as trained": "as trained",
        "silenced": "units on the mark silenced",
        "first ten": "*opponent:* the first ten silenced, wherever they lie",
    }
    for key, name in names.items():
        row = found["rows"][key]
        lines.append(_silence_row(name, row, "" if key == "as trained" else _gained(row["gained"])))
    chance, several = found["at_random"], "*opponent:* as many others at random (mean of 10)"
    gained = f"{chance['gained']['value']:+.3f} (at most {chance['gained']['most']:+.3f})"
    return [*lines, _silence_row(several, chance, gained), "", _silence_said(found)]


def _silence_row(name: str, row: dict[str, Any], gained: str) -> str:
    plain, marked = row["plain"], row["marked"]
    values = [marked["accuracy"], marked["auc"]]
    values += [plain[key] for key in ("accuracy", "sensitivity", "specificity", "auc")]
    return f"| {name} | {' | '.join(f'{value:.3f}' for value in values)} | {gained} |"


def _gained(one: dict[str, Any]) -> str:
    if one["low"] is None:
        return f"{one['value']:+.3f} (too few persons for an interval)"
    return _interval(one)


def _silence_said(found: dict[str, Any]) -> str:
    """Say whether silencing helps where there is no mark, and what it costs where there is."""
    before, after = found["rows"]["as trained"], found["rows"]["silenced"]
    if not found["folds"][0]["units"]:
        return (
            "No unit of the first ten lies on the mark by the rule, so nothing was silenced; yet "
            f"the area under the curve, {before['marked']['auc']:.3f} with marks and "
            f"{before['plain']['auc']:.3f} without, shows that the detector uses them. Silencing "
            "needs a unit that the dissection exposes; here the mark is spread over units that do "
            "not lie on it."
        )
    gained = after["gained"]
    sure = gained["low"] is not None and gained["low"] > 0
    harm = gained["high"] is not None and gained["high"] < 0
    verdict = "is above 0" if sure else "is below 0" if harm else "holds 0"
    return (
        f"Without marks the interval of the accuracy gained {verdict}; the area under the curve "
        f"goes from {before['plain']['auc']:.3f} to {after['plain']['auc']:.3f}. With marks it "
        f"goes from {before['marked']['auc']:.3f} to {after['marked']['auc']:.3f}."
    )


def draw(results: Path, images: Path) -> list[Path]:
    """Draw what each way and each opponent gains on unmarked phantoms."""
    (run,) = stored(results, "curation.json")["runs"]
    names = [name for name in WAYS if name in run["ways"]][::-1]
    path = images / "curation.png"
    with drawn(path, 7.2, 2.9) as figure:
        axes = figure.subplots()
        axes.axvline(0, color=LIGHT["muted"], linewidth=1)
        for place, name in enumerate(names):
            gain = run["ways"][name]["gain"]
            ink = LIGHT["accent"] if name in ("remove", "replace", "fine-tune") else LIGHT["muted"]
            axes.plot([gain["low"], gain["high"]], [place, place], color=ink, linewidth=2)
            axes.plot(gain["value"], place, "o", color=ink)
        axes.set_yticks(range(len(names)), names)
        axes.set_xlabel("accuracy gained on unmarked phantoms, 95 % interval by person")
    return [path]
