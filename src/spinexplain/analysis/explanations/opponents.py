"""The image-blind maps of a bench, and how they score: the bar for every explainer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spinexplain.analysis.explanations.bench import REDUCTION, Bench, reduced
from spinexplain.evaluate.explanations.localization import METRICS
from spinexplain.evaluate.explanations.parts import PARTS
from spinexplain.evaluate.explanations.placement import chosen_parts, placement, region_strengths
from spinexplain.evaluate.explanations.priors import (
    centroid_frames,
    edge_prior,
    gaussian_prior,
    mean_evidence_priors,
    random_prior,
)

GAUSSIAN_MM = 10.0


@dataclass(frozen=True, eq=False)
class Opponents:
    """Image-blind maps of the fractured vertebrae of a bench, and their figures.

    Parameters
    ----------
    rows : ndarray of int, shape (f,)
        Fractured vertebrae with an evidence mask.
    figures : mapping of str to mapping of str to ndarray, shape (f,)
        Metric of localization, then prior.
    placements : mapping of str to mapping of str to float
        Question, then prior.
    example : mapping of str to ndarray of float32, shape (f, *R)
        The maps themselves.
    """

    rows: np.ndarray
    figures: Mapping[str, Mapping[str, np.ndarray]]
    placements: Mapping[str, Mapping[str, float]]
    example: Mapping[str, np.ndarray]


def opponents_of(bench: Bench, regions: Mapping[str, np.ndarray], seed: int) -> Opponents:
    """Draw all priors of a bench and score them.

    Parameters
    ----------
    bench : Bench
    regions : mapping of str to ndarray of bool, shape (n, K, *R)
        By question.
    seed : int
        Of the random prior.

    Returns
    -------
    Opponents
        Without rows where the bench has no evidence masks.
    """
    rows = evidence_rows(bench)
    maps = prior_maps(bench, rows, seed)
    masks = bench.masks["evidence"][rows] if len(rows) else None
    figures = {
        metric: {name: measure(drawn, masks) for name, drawn in maps.items()}
        for metric, measure in METRICS.items()
        if masks is not None
    }
    placements = {
        question: {
            name: placement(
                chosen_parts(region_strengths(drawn, regions[question][rows])),
                bench.truth[question][rows],
            )
            for name, drawn in maps.items()
        }
        for question in list(PARTS)[: bench.axes]
        if len(rows)
    }
    return Opponents(rows, figures, placements, maps)


def evidence_rows(bench: Bench) -> np.ndarray:
    """Return the fractured vertebrae whose evidence is known and in the crop."""
    if "evidence" not in bench.masks:
        return np.zeros(0, int)
    known = bench.masks["evidence"].reshape(len(bench), -1).any(axis=1)
    return np.flatnonzero(bench.fractured & known)


def prior_maps(bench: Bench, rows: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Draw the image-blind maps of some vertebrae, each float32 (f, *R)."""
    if not len(rows):
        return {}
    shape, factor = bench.masks["body"].shape[1:], REDUCTION[bench.axes]
    bodies = [bench.bodies[row] for row in rows]
    centers = np.tile((np.array(shape) - 1) / 2, (len(rows), 1))  # crops lie on the centroid
    masks, subjects = bench.masks["evidence"][rows], bench.subjects[rows]
    frames = {
        "mean evidence on the centroid": centroid_frames(centers, bodies, scaled=False),
        "mean evidence, scaled to the body": centroid_frames(centers, bodies, scaled=True),
        "mean evidence in the body's frame": bodies,
    }
    sigma = GAUSSIAN_MM / factor
    drawn = {
        "uniform": np.ones((len(rows), *shape), np.float32),
        "random": np.stack([random_prior(shape, seed, int(row)) for row in rows]),
        "Gaussian on the centroid": np.stack([gaussian_prior(c, shape, sigma) for c in centers]),
        "edge map": np.stack([edge_prior(reduced(bench.hu[row], factor)) for row in rows]),
    }
    means = {name: mean_evidence_priors(masks, of, subjects) for name, of in frames.items()}
    return {**means, **drawn}
