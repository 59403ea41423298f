"""The dissection paper's table 2 from a stored dissection: what the first units respond to."""

from __future__ import annotations

from typing import Any

import numpy as np

from spinexplain.experiment.stored import Stored
from spinexplain.explainers.dissection.names import Consensus, consensus, read_names
from spinexplain.explainers.dissection.overlap import Overlap
from spinexplain.explainers.dissection.suggest import suggested_regions

_SHOWN = 10


def unit_rows(item: Stored) -> list[tuple[str, str]]:
    """Say of the ten units most tied to fracture what readers call them.

    Parameters
    ----------
    item : Stored
        A ``dissection.json``; the names are read from ``names.json`` beside it.

    Returns
    -------
    list of (str, str)
        Rank, and what the unit responds to in the readers' words; without any, what its
        overlap with anatomy suggests. Units that were set aside have no rank.

    Raises
    ------
    ConfigError
        If the names beside it are of another model or layer.
    """
    units = item.content["units"]
    raters = read_names(item.path.parent, str(item.content.get("key", "")))
    order = sorted((rank, unit) for unit, rank in enumerate(units["rank"]) if rank)
    overlap = _overlap(item.content)
    return [
        (str(rank), _words(unit, consensus(raters, unit), overlap)) for rank, unit in order[:_SHOWN]
    ]


def _words(unit: int, said: Consensus, overlap: Overlap) -> str:
    judged = said.meaningful + said.meaningless
    if said.name:
        verdict = f"meaningful to {said.meaningful} of {judged}" if judged else "no verdict"
        return f"unit {unit}: {said.name} ({verdict})"
    if judged and not said.meaningful:
        return f"unit {unit}: no pattern (to {judged} of {judged})"
    regions = [region.replace("_", " ") for region in suggested_regions(overlap, unit)]
    return f"unit {unit}" + (f", suggested: {' and '.join(regions)}" if regions else "")


def _overlap(content: dict[str, Any]) -> Overlap:
    units, regions = content["units"], tuple(content["regions"])
    shares = [
        np.array([units[f"{what}_{region}"] for region in regions], float).T
        for what in ("iou", "inside", "lift")
    ]
    return Overlap(regions, *shares)
