"""What a detector must beat: heights in the true mask, and what sees no image."""

from __future__ import annotations

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.explainers.dissection.samples import Samples
from spinexplain.reproduce.dissection.training_size import Persons
from spinexplain.reproduce.mask_heights import third_heights, third_loss

HEIGHTS, LEVEL, CONSTANT = "heights in the mask", "level alone", "constant"
_SLICES = 5  # to either side of the middle


def opponents(persons: Persons) -> dict[str, np.ndarray]:
    """Return a score for every unseen vertebra by each of the three, (N,)."""
    unseen = persons.unseen
    return {
        HEIGHTS: mask_heights(unseen),
        LEVEL: level_shares(persons),
        CONSTANT: np.zeros(len(unseen)),
    }


def mask_heights(samples: Samples) -> np.ndarray:
    """Return the height loss read off the true masks: against the body itself and its neighbors.

    Of the middle of every body, eleven sagittal slices wide. Neighbors are bodies of the same
    person one level up or down, graded or not.
    """
    index, side = samples.cohort.index, samples.side
    levels, persons = index["level"].to_numpy(str), index["subject"].to_numpy(str)
    thirds = np.zeros((len(index), 3))
    for row in range(len(index)):
        mask = samples.cohort.read("body_3d", [row], missing=0)
        body = own_bodies(mask, levels[[row]])[0]
        start, middle = (body.shape[1] - side) // 2, body.shape[2] // 2
        inner = slice(start, start + side)
        slices = np.moveaxis(body[inner, inner, middle - _SLICES : middle + _SLICES + 1], 2, 0)
        thirds[row] = np.mean([third_heights(one) for one in slices], axis=0)
    place = np.array([VertebraLevel(level).verse_label for level in levels])
    losses = []
    for row in samples.rows:
        beside = (persons == persons[row]) & (abs(place - place[row]) == 1)
        losses.append(third_loss(thirds[row], float(thirds[beside].max(initial=0.0))))
    return np.array(losses)


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
