"""Further measures of every map, and how steady prototypes are, for docs/explanations.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MEASURES = {
    "pointing_game": "highest point on the evidence",
    "energy_inside": "energy on the evidence",
    "matched_iou": "IoU at matched area",
    "precision_recall_area": "area under precision and recall",
}
HEAD = (
    "model",
    "explainer",
    *MEASURES.values(),
    "top 2 % in the body",
    "warns of false alarms, AUC (the probability's own)",
    "false alarms as convincing as the median fracture",
)
Row = Mapping[str, Any]


def measures(contents: Sequence[Row], names: Mapping[str, str]) -> list[str]:
    """List further measures of every map, then say what every model's prototypes are as a set."""
    rows = [row for content in contents for row in content["rows"]]
    ranked = sorted(rows, key=lambda row: -row["placement"]["endplate"]["value"])
    named = [(names.get(row["model"], row["model"]), *measured(row)) for row in ranked]
    cells = [HEAD, ("---",) * len(HEAD), *named, *blind(contents)]
    ours = contents[0]["rows"][0]
    sets = {name: one for content in contents for name, one in content["prototypes"].items() if one}
    return [
        *((shortfalls(ours, contents), "") if ours["explainer"] == "prototypes" else ()),
        *(f"| {' | '.join(line)} |" for line in cells),
        "",
        *(f"* {names.get(name, name)}: {steadiness(one)}" for name, one in sets.items()),
    ]


def measured(row: Row) -> tuple[str, ...]:
    """Write the measures of one map."""
    useful = row.get("usefulness") or {}
    return (
        row["explainer"],
        *(with_interval(row["localization"].get(name)) for name in MEASURES),
        number((row.get("regions") or {}).get("body", {}).get("top_share")),
        warning(useful),
        convincing(useful),
    )


def blind(contents: Sequence[Row]) -> list[tuple[str, ...]]:
    """Write, by every measure, the best map of sheets that never saw the image."""
    best = best_blind(contents)
    cells = [with_interval(best.get(name)) for name in MEASURES]
    return [("no model", "best image-blind map", *cells, "–", "–", "–")] if best else []


def best_blind(contents: Sequence[Row]) -> dict[str, Row]:
    """Return the best figure of a map that never saw the image, by measure."""
    priors = [
        prior["localization"]
        for content in contents[:1]
        for facts in content["benches"].values()
        for prior in facts["priors"]
    ]
    found = {}
    for name in MEASURES:
        if figures := [prior[name] for prior in priors if name in prior]:
            found[name] = max(figures, key=lambda one: one["value"])
    return found


def shortfalls(ours: Row, contents: Sequence[Row]) -> str:
    """Say by which measures the default's prototypes are no better than a cheaper opponent.

    Opponents are the best map that never saw the image and, for false alarms, the
    probability itself.
    """
    best, useful = best_blind(contents), ours.get("usefulness") or {}
    found = [
        f"{MEASURES[name]} {with_interval(ours['localization'][name])} against "
        f"{with_interval(prior)} of the best image-blind map"
        for name, prior in best.items()
        if ours["localization"][name]["low"] <= prior["high"]
    ]
    if "error_auc" in useful and useful["error_auc"]["value"] <= useful["confidence_auc"]["value"]:
        found.append(
            f"warning of false alarms {with_interval(useful['error_auc'])} against "
            f"{with_interval(useful['confidence_auc'])} of the probability"
        )
    return f"The default's prototypes are not better by: {'; '.join(found)}." if found else ""


def warning(useful: Row) -> str:
    """Write how well weak evidence, and how well the probability, betrays a false alarm.

    Examples
    --------
    >>> one = {"value": 0.81, "low": 0.7, "high": 0.9}
    >>> warning({"error_auc": one, "confidence_auc": {**one, "value": 0.87}})
    '0.81 (0.70 to 0.90); (0.87)'
    >>> warning({})
    '–'
    """
    if "error_auc" not in useful:
        return "–"
    return f"{with_interval(useful['error_auc'])}; ({number(useful['confidence_auc']['value'])})"


def convincing(useful: Row) -> str:
    """Write the share of false alarms that look like the median fracture, and of how many.

    Examples
    --------
    >>> convincing({"equally_convincing": 0.5, "false_alarms": 8})
    '0.50 of 8'
    """
    share = useful.get("equally_convincing")
    return "–" if share is None else f"{share:.2f} of {useful['false_alarms']}"


def steadiness(found: Row) -> str:
    """Say how consistent, steady and pure a model's prototypes are.

    Examples
    --------
    >>> steadiness({"consistency": 0.0, "stability": 0.9, "purity": 0.75})
    'consistency 0.00, stability 0.90, purity 0.75.'
    """
    each = [f"{name} {number(found[name])}" for name in ("consistency", "stability", "purity")]
    return f"{', '.join(each)}."


def with_interval(found: Row | None) -> str:
    """Write a share with its interval, where it has one."""
    if not found or found["value"] is None:
        return "–"
    if found["low"] is None:
        return number(found["value"])
    return f"{found['value']:.2f} ({found['low']:.2f} to {found['high']:.2f})"


def number(value: float | None) -> str:
    """Write a share with two digits."""
    return "–" if value is None else f"{value:.2f}"
