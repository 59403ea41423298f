"""The leaderboard of docs/explanations.md: all models side by side, and what it comes to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from spinexplain.config.shipped import DEFAULT_MODEL
from writers import explanations
from writers.explanations import MASK, explainer_row, found_in
from writers.explanations_measures import measures
from writers.explanations_paired import CLASS_MAP, meaning, paired_in, pairwise
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
    contents = found_in(results)
    rows = [row for content in contents for row in content["rows"]]
    paired = paired_in(results)
    points = (same_truth(rows, paired), off_the_mask(rows, results), edges(contents, rows))
    said = "\n* ".join([conclusion(rows, paired), *(point.strip() for point in points if point)])
    page = replaced(explanations.written(page, results), "conclusion", said)
    page = replaced(page, "measures", "\n".join(measures(contents, MODELS)))
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


def conclusion(rows: Sequence[Row], paired: Sequence[Row] = ()) -> str:
    """Say how the default's prototypes do beside the best map of every opponent.

    Opponents are the other models' maps and the default's own other maps; not the former
    defaults, and none of too few fractures for intervals.
    """
    (ours,) = [row for row in rows if is_ours(row)]
    others = [row for row in rows if not is_ours(row) and row["model"] not in FORMER]
    judged = [row for row in others if endplate(row)["low"] is not None]
    models = dict.fromkeys(row["model"] for row in judged)
    each = [beside([row for row in judged if row["model"] == model]) for model in models]
    return (
        f"{headline(ours, judged, paired)}\n\n"
        f"* The default's prototypes choose the right endplate in {interval(endplate(ours))} of "
        f"{fractures(ours)} fractures, and {signed(skill(ours))} more of the highest 2 % of their "
        "map lies on the evidence than of the best map that never saw the image. The best of each "
        f"opponent, by the same two: {'; '.join(each)}.{former(rows)}"
    )


def headline(ours: Row, judged: Sequence[Row], paired: Sequence[Row]) -> str:
    """Say in the first sentence what the strongest opponents leave of a lead.

    The classifier that learns the same truth is compared pair by pair where that was measured;
    intervals that overlap say less than the interval of a difference.
    """
    rest = [row for row in judged if not paired or row["model"] != SUPERVISED]
    first, second = best(rest, endplate), best(rest, skill)
    words = f"{pairwise(paired)} Of the maps of all other opponents: w" if paired else "W"
    return (
        f"**{words}hich endplate broke: {standing(endplate(ours), endplate(first), first)} "
        f"Where the evidence lies: {standing(skill(ours), skill(second), second)}**"
    )


def former(rows: Sequence[Row]) -> str:
    """Write the figures of the last default's prototypes, which are no opponent."""
    found = [row for row in rows if (row["model"], row["explainer"]) == (FORMER[-1], "prototypes")]
    return "".join(
        f" The default before it, {named(row)} (no opponent): "
        f"{interval(endplate(row))}, {signed(skill(row))}."
        for row in found
    )


def same_truth(rows: Sequence[Row], paired: Sequence[Row] = ()) -> str:
    """Say how the classifier that was given the default's truth does beside its prototypes."""
    (ours,) = [row for row in rows if is_ours(row)]
    theirs = {row["explainer"]: row for row in rows if row["model"] == SUPERVISED}
    if CLASS_MAP not in theirs:
        return ""
    asked = theirs[CLASS_MAP]
    return (
        " The supervised classifier learns in training where fractures lie, as the default does; "
        f"its {CLASS_MAP} was asked to show it. That map chooses the endplate in "
        f"{interval(endplate(asked))}, and {signed(skill(asked))} more of its top lies on the "
        f"evidence. {meaning(paired)}{on_twins(ours, asked)}{unmeasured(rows)}"
    )


def on_twins(ours: Row, other: Row) -> str:
    """Say in which share of pairs either map is weaker on the healthy twin.

    Examples
    --------
    >>> on_twins({"twin": {"falls": 0.99}}, {"twin": {"falls": 0.94}})
    ' On the healthy twin the prototypes are weaker in 99 % of pairs, the class map in 94 %.'
    """
    if not (ours.get("twin") and other.get("twin")):
        return ""
    own, theirs = (f"{100 * row['twin']['falls']:.0f} %" for row in (ours, other))
    return (
        f" On the healthy twin the prototypes are weaker in {own} of pairs, the {CLASS_MAP} in "
        f"{theirs}."
    )


def unmeasured(rows: Sequence[Row]) -> str:
    """Name maps of the plain classifier that were not measured of the supervised one."""
    plain = [row for row in rows if row["model"] == "control-plain-classifier"]
    bare = {row["explainer"] for row in plain}
    missing = sorted(bare - {row["explainer"] for row in rows if row["model"] == SUPERVISED})
    if not missing:
        return ""
    strong = {best(plain, of)["explainer"]: of for of in (endplate, skill)}
    open_ = [name for name in missing if name in strong]
    among = f", among them the plain classifier's best ({', '.join(open_)})" if open_ else ""
    return f" Not measured of it: {', '.join(missing)}{among}."


def rank(ours: Row, other: Row) -> str:
    """Say where another map stands against the prototypes, by values and intervals.

    Examples
    --------
    >>> ours = {"value": 0.9, "low": 0.85, "high": 0.95}
    >>> rank(ours, {"value": 0.8, "low": 0.7, "high": 0.84})
    'behind the prototypes'
    >>> rank(ours, {"value": 0.8, "low": 0.7, "high": 0.87})
    'lower by estimate, within overlapping intervals'
    >>> rank(ours, {"value": 0.98, "low": 0.96, "high": 1.0})
    'ahead of the prototypes'
    """
    if other["low"] > ours["high"]:
        return "ahead of the prototypes"
    if other["high"] < ours["low"]:
        return "behind the prototypes"
    side = "lower" if other["value"] < ours["value"] else "as high or higher"
    return f"{side} by estimate, within overlapping intervals"


def off_the_mask(rows: Sequence[Row], results: Path) -> str:
    """Say what is read off the true mask without any network, where it was measured."""
    if not (results / MASK).is_file():
        return ""
    (ours,) = [row for row in rows if is_ours(row)]
    readings = stored(results, MASK)["rows"]
    found = max(readings, key=lambda row: endplate(row)["value"])
    third = found["placement"]["third"]
    return (
        " Without a network, from the true mask of the sheet: walls and discs, read "
        f"{found['reading']}, give the right endplate in {interval(endplate(found))}, "
        f"{rank(endplate(ours), endplate(found))}, and the right third in {interval(third)}, "
        f"{rank(ours['placement']['third'], third)} "
        f"({interval(ours['placement']['third'])}).{by_hand(readings)} The mask is exact, which "
        "flatters it; grading has none like it."
    )


def by_hand(readings: Sequence[Row]) -> str:
    """Say what the reading without any learning gives."""
    for row in readings:
        if row["reading"] == "by hand":
            third = interval(row["placement"]["third"])
            return (
                f" The third needs no learning: by hand {third}; the endplate by hand "
                f"{interval(endplate(row))}."
            )
    return ""


def edges(contents: Sequence[Mapping[str, Any]], rows: Sequence[Row]) -> str:
    """Name maps above chance that choose the endplate less often than the image's edges."""
    priors = [
        prior for one in contents[:1] for b in one["benches"].values() for prior in b["priors"]
    ]
    found = [prior["placement"]["endplate"] for prior in priors if prior["prior"] == "edge map"]
    if not found:
        return ""
    current = [row for row in rows if row["model"] not in FORMER]
    behind = [row for row in current if above_chance(row) and endplate(row)["value"] < found[0]]
    names = ", ".join(f"{row['explainer']} of {named(row)}" for row in behind)
    less = f" Better than chance, but less often right than that: {names}." if behind else ""
    return (
        f" A map of the image's edges, which no network made, chooses the right endplate in "
        f"{found[0]:.2f}.{less}"
    )


def above_chance(row: Row) -> bool:
    """Whether a map chooses the endplate better than the same maps exchanged."""
    found = endplate(row).get("gain") or {}
    return found.get("low") is not None and found["low"] > 0


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
