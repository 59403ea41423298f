"""How tall a vertebral body should be, from the levels and the distances of its neighbors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.spine.norms import norm_heights_mm
from spinexplain.types import Vertebra

# Height of the disc below each level, mm: common anatomy, rounded. An error that all levels
# share scales every crop alike and so changes nothing between them.
_DISCS_MM = {
    **{"T1": 4.2, "T2": 3.8, "T3": 3.5, "T4": 3.5, "T5": 3.6, "T6": 3.8, "T7": 4.2, "T8": 4.6},
    **{"T9": 5.0, "T10": 5.4, "T11": 6.0, "T12": 6.8, "L1": 8.0, "L2": 9.0, "L3": 10.0, "L4": 10.5},
}
_NEXT = dict(pairwise([*_DISCS_MM, "L5"]))
_NEIGHBORS = 6
_LEAST, _LARGEST = 0.75, 1.3


def expected_body_heights_mm(vertebrae: Sequence[Vertebra]) -> dict[VertebraLevel, float]:
    """Return the height each body should have, from centroids alone.

    Parameters
    ----------
    vertebrae : sequence of Vertebra
        Of one scan, in any order; a single one gets the published height of its level.

    Returns
    -------
    dict of VertebraLevel to float
        Mean of anterior and posterior height, mm. Cervical levels are taken as T1.

    Notes
    -----
    Published height of the level times the size of this person there: the median over the
    six nearest pairs of neighboring levels of their distance divided by the published one
    (half of both bodies and the disc between them), kept between 0.75 and 1.3. A crushed
    body shortens two of these distances by a quarter of its height at most; the median
    passes that over, so that the crush is not scaled away.

    Examples
    --------
    >>> pair = [Vertebra(VertebraLevel.L2, (0, 0, 0)), Vertebra(VertebraLevel.L3, (0, 0, -33))]
    >>> {level.value: round(mm, 1) for level, mm in expected_body_heights_mm(pair).items()}
    {'L2': 24.0, 'L3': 23.9}
    """
    found = {vertebra.level.value: np.asarray(vertebra.centroid_mm) for vertebra in vertebrae}
    # Where T13 lies between, T12 and L1 are no neighbors.
    pairs = [(a, b) for a, b in _NEXT.items() if a in found and b in found]
    if "T13" in found:
        pairs = [(a, b) for a, b in pairs if a != "T12"]
    places = np.array([VertebraLevel(a).order + 0.5 for a, _ in pairs])
    sizes = np.array(
        [float(np.linalg.norm(found[a] - found[b])) / _published_step_mm(a, b) for a, b in pairs]
    )
    return {
        vertebra.level: _published_mm(vertebra.level) * _size_at(vertebra.level, places, sizes)
        for vertebra in vertebrae
    }


def _published_mm(level: VertebraLevel) -> float:
    heights = norm_heights_mm(level)
    if heights is None:
        heights = norm_heights_mm(VertebraLevel.T1)
    assert heights is not None
    return float(heights[0] + heights[2]) / 2


def _published_step_mm(above: str, below: str) -> float:
    bodies = [_published_mm(VertebraLevel(name)) for name in (above, below)]
    return sum(bodies) / 2 + _DISCS_MM[above]


def _size_at(level: VertebraLevel, places: np.ndarray, sizes: np.ndarray) -> float:
    if not len(sizes):
        return 1.0
    nearest = np.argsort(np.abs(places - level.order), kind="stable")[:_NEIGHBORS]
    return float(np.clip(np.median(sizes[nearest]), _LEAST, _LARGEST))
