"""What of the stored comparisons still stands: the rest is taken down, and the page says why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from spinexplain.experiment.stored import Results, Stored

UNTRAINED, WEIGHTING = "protopnet", "loss.class_weights"


def standing(found: Results) -> Results:
    """Return the results without the untrained ProtoPNet and without the schemes of weights."""
    kinds = dict(found.by_kind)
    kinds["crossval"] = tuple(_shown(item) for item in kinds.get("crossval", ()))
    kinds["evaluation"] = tuple(
        item for item in kinds.get("evaluation", ()) if item.path.parent.name != f"test-{UNTRAINED}"
    )
    return Results(kinds)


def _shown(item: Stored) -> Stored:
    if item.path.parent.name == "comparison":
        return _without(item, {UNTRAINED})
    if WEIGHTING in item.content.get("factors", {}).get("keys", []):
        return _without_weighting(item)
    return item


def _without(item: Stored, names: set[str]) -> Stored:
    content = item.content
    return replace(
        item,
        content={
            **content,
            "entries": [one for one in content["entries"] if one["name"] not in names],
            "comparisons": [
                pair
                for pair in content["comparisons"]
                if not names & {pair["first"], pair["second"]}
            ],
        },
    )


def _without_weighting(item: Stored) -> Stored:
    factors: dict[str, Any] = item.content["factors"]
    base = factors["base"][WEIGHTING]
    gone = {name for name, point in factors["settings"].items() if point[WEIGHTING] != base}
    kept = {name: point for name, point in factors["settings"].items() if name not in gone}
    left = [key for key in factors["keys"] if key != WEIGHTING]
    shown = _without(item, gone)
    return replace(
        shown, content={**shown.content, "factors": {**factors, "keys": left, "settings": kept}}
    )
