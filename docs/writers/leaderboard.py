"""The leaderboard of docs/explanations.md: all models side by side, and what it comes to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from spinexplain.config.shipped import DEFAULT_MODEL
from writers import explanations
from writers.explanations import MASK, explainer_row, found_in
from writers.markers import replaced
from writers.stored import stored

MODELS = {
    "control-plain-classifier": "plain classifier",
    "control-supervised-classifier": "supervised classifier",
    "control-protopnet": "ProtoPNet",
    "protoverse-phantom": "ProtoVerse, version 2",
    "protoverse-phantom-3": "ProtoVerse, version 3",
    "protoverse-phantom-4": "ProtoVerse, version 4 (default)",
    "detector-phantom": "3-D detector",
}
FORMER = ("protoverse-phantom", "protoverse-phantom-3")
ASKED = ("endplate", "third", "side")
HEAD = (
    "model",
    "explainer",
    "fractures",
    "which endplate (chance 1/2)",
    "which third (chance 1/3)",
    "which side (chance 1/2)",
    "which of two neighbors (chance 1/2)",
    "top 2 % on the evidence",
    "minus the best image-blind map",
    "weaker on the twin; AUC",
    "deleted, minus shown",
    "like random weights; labels",
    "CPU s",
)
SUPERVISED = "control-supervised-classifier"
CONTROLS = (
    "The plain classifier and ProtoPNet are controls of version 4: the same trunk to start "
    "from, sheets, steps, rates and average of the weights, and nothing was chosen among "
    "their trainings (`make explanations-controls`); the classifier's grades stand beside its "
    "own in [version 4](decisions/grounded-prototypes.md#version-4). Two things are not the same. "
    "They are trained in bfloat16. And the default is told in training where its phantoms' "
    "fractures lie, these two are not: next to them the table says what parts, prototypes and that "
    "truth bring together, not what prototypes alone do. "
)
SAME_TRUTH = (
    "The supervised classifier is told the same: its class activation maps are asked in training "
    "to lie on the evidence, by the default's own loss of place and at its weight, with its "
    "sampling; the *class map* is the map that was asked, GradCAM weighs it by the pooling. Next "
    "to it the table says what parts and prototypes bring "
    "([how it was decided]"
    "(decisions/grounded-prototypes.md#a-classifier-that-is-given-the-same-truth)). "
)
UNTOLD = "A classifier that was told the same is not measured. "
NO_CONTROLS = (
    "A plain classifier and ProtoPNet, trained as the default was, are not measured here: the "
    "opponents are the default's own other maps. "
)
OTHERS = (
    "Of former defaults the two cheapest maps stand here, of `protoverse-phantom` before "
    "sheets came with neighbors. Of the 3-D detector one class activation map is measured, on "
    "the vertebrae of a few whole scans and with fewer steps of deletion: a box costs many "
    "times what a sheet does. That is a first look, not a result. *Dissected units* is the sum of "
    "the default's units by their relevance, from a dissection on other persons "
    "(`scripts/dissect_shipped.py`). What reports say of the default comes from here; crops that "
    "are moved are harder and stand in [version 4](decisions/grounded-prototypes.md#version-4)."
)
Row = Mapping[str, Any]


def written(page: str, results: Path) -> str:
    """Return the page with what it comes to, the leaderboard and every model's section."""
    rows = [row for content in found_in(results) for row in content["rows"]]
    said = f"{conclusion(rows)}{same_truth(rows)}{off_the_mask(rows, results)}"
    page = replaced(explanations.written(page, results), "conclusion", said)
    page = replaced(page, "compared", compared({row["model"] for row in rows}))
    return replaced(page, "leaderboard", "\n".join(leaderboard(rows)))


def compared(models: Collection[str]) -> str:
    """Say whose maps are compared, and what is not alike in how they were trained."""
    trained = {"control-plain-classifier", "control-protopnet"} <= set(models)
    controls = CONTROLS + (SAME_TRUTH if SUPERVISED in models else UNTOLD)
    return f"**Who is compared.** {controls if trained else NO_CONTROLS}{OTHERS}"


def leaderboard(rows: Sequence[Row]) -> list[str]:
    """List every map of every model, the most often right at the endplate first."""
    ranked = sorted(rows, key=lambda row: -endplate(row)["value"])
    lines = [HEAD, ("---",) * len(HEAD)]
    for row in ranked:
        lines.append(
            (
                named(row),
                row["explainer"],
                str(fractures(row)),
                *explainer_row(row, ASKED, beside=True),
            )
        )
    return [f"| {' | '.join(cells)} |" for cells in lines]


def conclusion(rows: Sequence[Row]) -> str:
    """Say how the default's prototypes do beside the best map of every opponent.

    Opponents are the other models' maps and the default's own other maps; not the former
    defaults, and none of too few fractures for intervals.
    """
    (ours,) = [row for row in rows if is_ours(row)]
    others = [row for row in rows if not is_ours(row) and row["model"] not in FORMER]
    judged = [row for row in others if endplate(row)["low"] is not None]
    first, second = best(judged, endplate), best(judged, skill)
    models = dict.fromkeys(row["model"] for row in judged)
    each = [beside([row for row in judged if row["model"] == model]) for model in models]
    return (
        f"**Which endplate broke: {standing(endplate(ours), endplate(first), first)} "
        f"Where the evidence lies: {standing(skill(ours), skill(second), second)}** "
        f"The default's prototypes choose the right endplate in {interval(endplate(ours))} of "
        f"{fractures(ours)} fractures, and {signed(skill(ours))} more of the highest 2 % of their "
        "map lies on the evidence than of the best map that never saw the image. The best of each "
        f"opponent, by the same two: {'; '.join(each)}."
    )


def same_truth(rows: Sequence[Row]) -> str:
    """Say how the classifier that was given the default's truth does beside its prototypes."""
    (ours,) = [row for row in rows if is_ours(row)]
    theirs = [row for row in rows if row["model"] == SUPERVISED]
    if not theirs:
        return ""
    first, second = best(theirs, endplate), best(theirs, skill)
    return (
        " A classifier that is told in training where fractures lie, as the default is: which "
        f"endplate, its {first['explainer']} {rank(endplate(ours), endplate(first))}; where the "
        f"evidence lies, its {second['explainer']} {rank(skill(ours), skill(second))}. "
        f"{meaning(ours, first, second)}{unmeasured(rows)}"
    )


def meaning(ours: Row, first: Row, second: Row) -> str:
    """Say what the comparison at equal truth means for parts and prototypes."""
    behind = [
        endplate(first)["high"] < endplate(ours)["low"],
        skill(second)["high"] < skill(ours)["low"],
    ]
    if all(behind):
        return "So parts and prototypes bring something beyond that truth."
    if any(behind):
        return "So parts and prototypes bring something beyond that truth in one of the two."
    return (
        "So the lead over the classifier that is not told comes from that truth; that parts and "
        "prototypes place evidence better is not shown."
    )


def unmeasured(rows: Sequence[Row]) -> str:
    """Name maps of the plain classifier that were not measured of the supervised one."""
    bare = {row["explainer"] for row in rows if row["model"] == "control-plain-classifier"}
    missing = sorted(bare - {row["explainer"] for row in rows if row["model"] == SUPERVISED})
    return f" Not measured of it: {', '.join(missing)}." if missing else ""


def rank(ours: Row, other: Row) -> str:
    """Say where another map stands against the prototypes, by values and intervals.

    Examples
    --------
    >>> ours = {"value": 0.9, "low": 0.85, "high": 0.95}
    >>> rank(ours, {"value": 0.8, "low": 0.7, "high": 0.84})
    'is behind the prototypes'
    >>> rank(ours, {"value": 0.8, "low": 0.7, "high": 0.87})
    'is lower by estimate, within overlapping intervals'
    >>> rank(ours, {"value": 0.98, "low": 0.96, "high": 1.0})
    'is ahead of the prototypes'
    """
    if other["low"] > ours["high"]:
        return "is ahead of the prototypes"
    if other["high"] < ours["low"]:
        return "is behind the prototypes"
    side = "lower" if other["value"] < ours["value"] else "as high or higher"
    return f"is {side} by estimate, within overlapping intervals"


def off_the_mask(rows: Sequence[Row], results: Path) -> str:
    """Say what is read off the true mask without any network, where it was measured."""
    if not (results / MASK).is_file():
        return ""
    (ours,) = [row for row in rows if is_ours(row)]
    found = max(stored(results, MASK)["rows"], key=lambda row: endplate(row)["value"])
    third = found["placement"]["third"]
    return (
        " Without a network, from the true mask of the sheet: walls and discs, read "
        f"{found['reading']}, give the right endplate in {interval(endplate(found))} and the right "
        f"third in {interval(third)}; {against_mask(endplate(ours), endplate(found))}"
    )


def against_mask(ours: Row, found: Row) -> str:
    """Say what a reading of the exact mask means for the maps.

    Examples
    --------
    >>> ours = {"value": 0.9, "low": 0.85, "high": 0.95}
    >>> against_mask(ours, {"value": 0.98, "low": 0.96, "high": 1.0}).split(".")[0]
    'at the endplate that is ahead of the prototypes'
    """
    return (
        f"at the endplate that {rank(ours, found)}. The mask is exact, which flatters it; grading "
        "has none like it."
    )


def is_ours(row: Row) -> bool:
    """Whether a row is of the default's prototypes."""
    return row["model"] == DEFAULT_MODEL and row["explainer"] == "prototypes"


def standing(ours: Row, other: Row, row: Row) -> str:
    """Say whether the prototypes are ahead of the best opponent, by values and intervals.

    Examples
    --------
    >>> row = {"model": "control-protopnet", "explainer": "gradcam"}
    >>> near = {"value": 0.8, "low": 0.7, "high": 0.9}
    >>> standing({"value": 0.9, "low": 0.91, "high": 0.95}, near, row)
    "the default's prototypes are ahead of every map beside them."
    >>> standing({"value": 0.85, "low": 0.8, "high": 0.9}, near, row)
    "gradcam of the ProtoPNet is near the default's prototypes: their intervals overlap."
    >>> standing({"value": 0.7, "low": 0.6, "high": 0.8}, near, row)
    "gradcam of the ProtoPNet is as good as the default's prototypes or better."
    """
    map_name = f"{row['explainer']} of the {MODELS[row['model']]}"
    if other["value"] >= ours["value"]:
        return f"{map_name} is as good as the default's prototypes or better."
    if other["high"] >= ours["low"]:
        return f"{map_name} is near the default's prototypes: their intervals overlap."
    return "the default's prototypes are ahead of every map beside them."


def beside(rows: Sequence[Row]) -> str:
    """Write a model's best map by each of the two questions."""
    first, second = best(rows, endplate), best(rows, skill)
    return (
        f"{named(first)}: {first['explainer']} {interval(endplate(first))}, "
        f"{second['explainer']} {signed(skill(second))}"
    )


def best(rows: Sequence[Row], of: Any) -> Row:
    """Return the row with the highest value."""
    return max(rows, key=lambda row: of(row)["value"])


def endplate(row: Row) -> Row:
    """Return in which share the right endplate was chosen."""
    found: Row = row["placement"]["endplate"]
    return found


def skill(row: Row) -> Row:
    """Return how much more of the map's top lies on the evidence than of the best prior's."""
    found: Row = row["localization"]["top_share"]["gain"]
    return found


def fractures(row: Row) -> int:
    """Return of how many fractures the endplate was asked."""
    return sum(endplate(row)["counts"])


def named(row: Row) -> str:
    """Return a model's name for readers."""
    return MODELS.get(row["model"], row["model"])


def interval(found: Row) -> str:
    """Write a share with its interval."""
    return f"{found['value']:.2f} ({found['low']:.2f} to {found['high']:.2f})"


def signed(found: Row) -> str:
    """Write a difference with its interval."""
    return f"{found['value']:+.2f} ({found['low']:+.2f} to {found['high']:+.2f})".replace("-", "−")
