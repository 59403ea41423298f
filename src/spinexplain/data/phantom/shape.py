"""The shape of one vertebral body: two endplates, a wall, and what a fracture does to them.

A body lives in its own frame, in mm: ``u`` towards the patient's right, ``v`` anterior,
``w`` cranial, origin at the centre of the unfractured body. Endplates are height fields
over ``t`` (0 at the posterior, 1 at the anterior wall) and ``l`` (-1 to 1, left to right).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Notch:
    """A rounded pit in an endplate (Schmorl's node): depth and widths in mm, place in t, l."""

    depth: float
    t: float
    lateral: float
    sigma_t: float
    sigma_l: float


@dataclass(frozen=True, eq=False)
class Collapse:
    """How far a fracture displaces an endplate towards the middle of the body, mm.

    Parameters
    ----------
    posterior, middle, anterior : float
        Displacement at t = 0, 0.5 and 1.
    exponent, skew : float
        Sharpness and place of the middle bump.
    tilt : float
        Relative change from left to right (a lateral fracture).
    knee : float
        Where, along t, the anterior part begins to sink.
    waves : ndarray, shape (n, 4)
        Roughness: amplitude in mm, cycles along t and l, phase.
    step_t, step_mm : float
        A break of the endplate at ``step_t``.
    """

    posterior: float
    middle: float
    anterior: float
    exponent: float = 2.0
    skew: float = 0.0
    tilt: float = 0.0
    knee: float = 0.0
    waves: np.ndarray | None = None
    step_t: float = 0.5
    step_mm: float = 0.0

    def depth(self, t: np.ndarray, lateral: np.ndarray) -> np.ndarray:
        """Return the displacement in mm at endplate coordinates, never negative."""
        ramp = np.clip((t - self.knee) / (0.92 - self.knee), 0, 1)
        linear = self.posterior + (self.anterior - self.posterior) * ramp
        bump = self.middle - (self.anterior + self.posterior) / 2
        reach = np.clip(1 - np.abs(2 * t - 1 - self.skew) ** self.exponent, 0, 1)
        depth = (linear + bump * reach) * (1 + self.tilt * lateral)
        most = max(self.posterior, self.middle, self.anterior, 1e-6)
        share = np.clip(depth / most, 0, 1)
        if self.step_mm:
            depth = depth + 0.5 * self.step_mm * share * np.tanh((t - self.step_t) / 0.03)
        if self.waves is not None:
            for amplitude, along, across, phase in self.waves:
                depth = depth + amplitude * share * np.sin(along * t + across * lateral + phase)
        return np.maximum(depth, 0)


@dataclass(frozen=True, eq=False)
class Endplate:
    """One endplate: half heights at its two ends, bowl, rim, pits, and its collapse.

    ``cant`` is the relative change of height from the middle to the right side.
    """

    posterior: float
    anterior: float
    concavity: float
    skew: float = 0.0
    exponent: float = 2.2
    rim: float = 0.0
    cant: float = 0.0
    notches: tuple[Notch, ...] = ()
    collapse: Collapse | None = None

    def healthy(self, t: np.ndarray, lateral: np.ndarray) -> np.ndarray:
        """Return the distance of the unfractured endplate from the body's middle, mm."""
        away = np.abs(2 * t - 1 - self.skew)
        bowl = np.clip(1 - away**self.exponent, 0, 1) * (1 - 0.7 * np.clip(lateral**2, 0, 1))
        height = self.posterior + (self.anterior - self.posterior) * t - self.concavity * bowl
        if self.cant:
            height = height * (1 + self.cant * lateral)
        if self.rim:
            height = height + self.rim * np.exp(-(((np.abs(2 * t - 1) - 0.93) / 0.12) ** 2))
        for pit in self.notches:
            where = ((t - pit.t) / pit.sigma_t) ** 2 + ((lateral - pit.lateral) / pit.sigma_l) ** 2
            height = height - pit.depth * np.exp(-where)
        return height

    def displacement(self, t: np.ndarray, lateral: np.ndarray) -> np.ndarray:
        """Return how far the fracture moved the endplate, mm; 0 without a fracture."""
        if self.collapse is None:
            return np.zeros(np.broadcast(t, lateral).shape, np.float32)
        return self.collapse.depth(t, lateral)


@dataclass(frozen=True, eq=False)
class Body:
    """One vertebral body: size, endplates, wall and what it is made of.

    Lengths in mm, densities in HU. ``lip`` is (anterior cranial, anterior caudal,
    posterior cranial, posterior caudal) overhang of the rims.
    """

    name: str
    code: int
    depth: float
    width: float
    upper: Endplate
    lower: Endplate
    waist: float
    rounding: float
    lip: tuple[float, float, float, float]
    lip_reach: float
    bulge_front: float
    bulge_back: float
    cortex_hu: float
    cortex_mm: tuple[float, float, float, float]  # upper, lower, front, back
    gaps: float
    trabecular_hu: float
    texture_hu: float
    texture_kind: int
    basivertebral: float
    impaction_hu: float
    impaction_mm: float
    sclerosis_hu: tuple[float, float]
    cleft_hu: float
    lesion: tuple[float, float, float, float] | None = None  # v, w, radius, HU
    hollow_mm: float = 0.0  # how far the back corners stand behind the middle of the back wall
    round_front: float = 0.0  # outline of the front from above: 0 a rounded box, 1 an ellipse
    band_floor: float = 0.25  # share of an impaction band under an endplate that did not move
    buckle_mm: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)  # as ``lip``, 4 mm inside
    evidence_share: float = 0.0  # displacements under this share of the largest are no evidence


PROFILE_T = np.linspace(0.0, 1.0, 41)
_WINDOWS = {"posterior": (0.08, 0.17), "middle": (0.42, 0.58), "anterior": (0.83, 0.92)}


def _between(t: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.logical_and(t >= low, t <= high)


def heights_mm(body: Body, fractured: bool = True) -> tuple[float, float, float]:
    """Measure anterior, middle and posterior height of a body in its mid-sagittal plane.

    Notes
    -----
    Means over bands of the depth (8-17 %, 42-58 %, 83-92 %), inside the rounded
    rims, the bands :mod:`spinexplain.spine.morphometry` measures in.
    """
    middle = np.zeros_like(PROFILE_T)
    height = body.upper.healthy(PROFILE_T, middle) + body.lower.healthy(PROFILE_T, middle)
    if fractured:
        height = height - body.upper.displacement(PROFILE_T, middle)
        height = height - body.lower.displacement(PROFILE_T, middle)
    picks = {k: _between(PROFILE_T, a, b) for k, (a, b) in _WINDOWS.items()}
    a, m, p = (float(height[picks[k]].mean()) for k in ("anterior", "middle", "posterior"))
    return a, m, p


def plain_body(depth: float, width: float, heights: tuple[float, float, float]) -> Body:
    """Return an unremarkable body with given anterior, middle and posterior height (mm)."""
    anterior, middle, posterior = heights
    # A bowl of exponent 2 has 44 % of its depth at 12.5 and 87.5 % of the body's depth.
    bowl = ((anterior + posterior) / 2 - middle) / 0.5625
    slope = (anterior - posterior) / 0.75
    back = posterior + 0.4375 * bowl - slope / 8
    plate = Endplate(back / 2, (back + slope) / 2, bowl / 2, exponent=2.0)
    return Body(
        name="",
        code=0,
        depth=depth,
        width=width,
        upper=plate,
        lower=plate,
        waist=0.0,
        rounding=1.0,
        lip=(0.0, 0.0, 0.0, 0.0),
        lip_reach=2.0,
        bulge_front=0.0,
        bulge_back=0.0,
        cortex_hu=600.0,
        cortex_mm=(0.6, 0.6, 0.6, 0.6),
        gaps=0.0,
        trabecular_hu=150.0,
        texture_hu=0.0,
        texture_kind=0,
        basivertebral=0.0,
        impaction_hu=0.0,
        impaction_mm=2.0,
        sclerosis_hu=(0.0, 0.0),
        cleft_hu=0.0,
    )
