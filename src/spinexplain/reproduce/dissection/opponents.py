"""What a detector must beat: heights in the true mask, and what sees no image."""

from __future__ import annotations

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.explainers.dissection.samples import Samples
from spinexplain.reproduce.dissection.training_size import Persons
from spinexplain.reproduce.methods import column_loss

HEIGHTS, LEVEL, CONSTANT = "heights in the mask", "level alone", "constant"


def opponents(persons: Persons) -> dict[str, np.ndarray]:
    """Return a score for every unseen vertebra by each of the three, (N,)."""
    unseen = persons.unseen
    return {
        HEIGHTS: mask_heights(unseen),
        LEVEL: level_shares(persons),
        CONSTANT: np.zeros(len(unseen)),
    }


def mask_heights(samples: Samples) -> np.ndarray:
    """Return the height loss read off the middle sagittal slice of the true mask of each body."""
    side = samples.side
    masks = samples.cohort.read("body_3d", samples.rows, missing=0)
    own = own_bodies(masks, samples.column("level"))
    start = (own.shape[1] - side) // 2
    middle = own.shape[3] // 2
    inner = slice(start, start + side)
    return np.array([column_loss(body[inner, inner, middle]) for body in own])


def own_bodies(masks: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Keep of every box the body of its own vertebra, bool."""
    codes = np.array([VertebraLevel(level).verse_label for level in levels])
    return masks == codes[:, None, None, None]


def level_shares(persons: Persons) -> np.ndarray:
    """Return how often the level of each unseen vertebra was fractured among those learned from.

    One healthy and one fractured vertebra are added to every level, so that a rare one is no
    certainty.
    """
    learned = persons.learning
    levels = learned.levels
    share = {
        level: (1 + (learned.grades[levels == level] > 0).sum()) / (2 + (levels == level).sum())
        for level in np.unique(levels)
    }
    return np.array([share.get(level, 0.5) for level in persons.unseen.column("level")])
