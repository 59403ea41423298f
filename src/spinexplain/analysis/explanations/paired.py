"""Two explainers on the same fractures: how much better one is, person by person."""

from __future__ import annotations

from typing import Any

import numpy as np

from spinexplain.analysis.explanations.figures import Scoring, interval_json
from spinexplain.errors import ShapeError
from spinexplain.evaluate.explanations.localization import top_share
from spinexplain.evaluate.explanations.placement import chosen_parts, region_strengths
from spinexplain.evaluate.explanations.skill import placement_skill, skill


def paired_differences(scoring: Scoring, ours: np.ndarray, theirs: np.ndarray) -> dict[str, Any]:
    """Return our figures minus theirs on the same fractures.

    Parameters
    ----------
    scoring : Scoring
    ours, theirs : ndarray, shape (n, *R)
        Maps of all vertebrae of the bench, in its order.

    Returns
    -------
    dict
        JSON-ready: ``value``, ``low`` and ``high`` of every question of place and of
        ``top_share`` (highest 2 % on the evidence). Persons are drawn again, and both
        explainers are asked about the same ones in every draw.

    Raises
    ------
    ShapeError
        If a set of maps is not of this bench's vertebrae.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> scoring = SimpleNamespace(bench=range(3))
    >>> paired_differences(scoring, np.zeros((2, 4)), np.zeros((3, 4)))
    Traceback (most recent call last):
    ...
    spinexplain.errors.ShapeError: our maps are of 2 vertebrae; expected the 3 of the bench. \
Score both explainers on one cohort.
    """
    for whose, maps in (("our", ours), ("their", theirs)):
        if len(maps) != len(scoring.bench):
            raise ShapeError(
                f"{whose} maps are of {len(maps)} vertebrae; expected the {len(scoring.bench)} of "
                "the bench. Score both explainers on one cohort."
            )
    found = {
        question: _placement_difference(scoring, question, ours, theirs)
        for question in scoring.regions
    }
    return {**found, "top_share": _top_difference(scoring, ours, theirs)}


def _placement_difference(
    scoring: Scoring, question: str, ours: np.ndarray, theirs: np.ndarray
) -> dict[str, Any]:
    truth, regions = scoring.bench.truth[question], scoring.regions[question]
    asked = np.flatnonzero(truth >= 0)
    own, other = (
        chosen_parts(region_strengths(maps[asked], regions[asked])) for maps in (ours, theirs)
    )
    whose = scoring.bench.subjects[asked]
    found = placement_skill(own, other, truth[asked], whose, scoring.seed, scoring.draws)
    return interval_json(found.gain)


def _top_difference(scoring: Scoring, ours: np.ndarray, theirs: np.ndarray) -> dict[str, Any]:
    rows = scoring.opponents.rows
    masks, whose = scoring.bench.masks["evidence"][rows], scoring.bench.subjects[rows]
    own, other = (top_share(maps[rows], masks) for maps in (ours, theirs))
    found = skill(own, {"theirs": other}, whose, scoring.seed, scoring.draws)
    return interval_json(found.gain)
