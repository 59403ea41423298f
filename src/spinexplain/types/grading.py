"""What is measured of a vertebra, and what a model says about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spinexplain.config.tasks import Task
from spinexplain.errors import ShapeError
from spinexplain.types.scan import Vertebra

HEIGHT_NAMES = ("anterior", "middle", "posterior")
"""The three heights of a body, in the order of every array of three."""


@dataclass(frozen=True, eq=False)
class Heights:
    """Heights of one vertebral body, and what they say about height loss.

    Parameters
    ----------
    anterior_mm, middle_mm, posterior_mm : float
        Body heights in the mid-sagittal third.
    expected_mm : tuple of 3 floats
        Anterior, middle and posterior height expected from the nearest unfractured
        levels and the published norms of each level.
    loss : float
        Largest relative height loss, 0 to 1 (negative when taller than expected).
    loss_interval : tuple of 2 floats
        95 % interval of ``loss``: voxel size, landmark spread, references, natural variation.
    height_loss_class : int
        0 under 20 %, 1 from 20 to under 25 %, 2 from 25 to 40 %, 3 over 40 %. Named so
        because a Genant grade is a visual reading.
    class_range : tuple of 2 ints
        Classes at the two ends of ``loss_interval``.
    shape : str
        ``"none"``, ``"wedge"``, ``"biconcave"`` or ``"crush"``.
    own_posterior_loss : float
        The same loss with the own posterior height as the only reference.
    thirds_mm : mapping
        ``"left"``, ``"middle"``, ``"right"`` -> (anterior, middle, posterior) in mm.
    landmarks_mm : ndarray, shape (3, 2, 3)
        RAS+ mm of the mid-sagittal landmarks: (anterior, middle, posterior) x
        (cranial, caudal) x (x, y, z).
    broad_loss : float or None
        Largest loss that at least two of the three thirds show, against the spine's tallest
        bodies: a pit in one third leaves it alone. None where the thirds are unknown.
    """

    anterior_mm: float
    middle_mm: float
    posterior_mm: float
    expected_mm: tuple[float, float, float]
    loss: float
    loss_interval: tuple[float, float]
    height_loss_class: int
    class_range: tuple[int, int]
    shape: str
    own_posterior_loss: float
    thirds_mm: Mapping[str, tuple[float, float, float]]
    landmarks_mm: np.ndarray
    broad_loss: float | None = None


@dataclass(frozen=True)
class Grading:
    """What one model says about one vertebra.

    Parameters
    ----------
    vertebra : Vertebra
    task : Task
        Names the columns, e.g. G0, G2 and G3, and says what they stand for.
    probabilities : tuple of float
        Model score per class, sums to 1; uncalibrated unless the model card says so.
    """

    vertebra: Vertebra
    task: Task
    probabilities: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.classes) != len(self.probabilities):
            raise ShapeError(
                f"Grading needs one probability per class {self.classes}; "
                f"got {len(self.probabilities)}."
            )

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self.task.classes

    @property
    def grade(self) -> str:
        """The class with the highest probability."""
        return self.classes[int(np.argmax(self.probabilities))]

    @property
    def is_fracture(self) -> bool:
        """Whether that class is a fracture."""
        return self.grade != self.task.healthy
