"""Planted fractures: how far which part of an endplate moves, for a given height loss."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from spinexplain.data.phantom.presets import Fractures, Sites
from spinexplain.data.phantom.shape import Body, Collapse, heights_mm
from spinexplain.data.phantom.sites import Site, draw_site, is_placed, site_profile

SHAPES = ("wedge", "biconcave", "crush", "mixed")
_STEPPED = 0.7  # share of telling fractures whose endplate is broken by a step


@dataclass(frozen=True)
class FracturePlan:
    """What is to be planted in one vertebra: shape, height loss as a reader would see it, site.

    Without a site the shape decides where the vertebra gives way.
    """

    shape: str
    loss: float
    site: Site | None = None


def draw_plan(
    rng: np.random.Generator, ranges: Fractures, grade: int, sites: Sites | None = None
) -> FracturePlan:
    """Draw shape, loss and, where a preset says so, the site for a Genant grade of 1, 2 or 3."""
    if sites is not None and is_placed(sites):
        site = draw_site(rng, sites)
        low, high = (ranges.loss_1, ranges.loss_2, ranges.loss_3)[grade - 1]
        return FracturePlan(site.shape, float(rng.uniform(low, high)), site)
    shape = SHAPES[int(rng.choice(4, p=np.array(ranges.shapes) / sum(ranges.shapes)))]
    low, high = (ranges.loss_1, ranges.loss_2, ranges.loss_3)[grade - 1]
    if grade == 3 and rng.random() < ranges.plana:
        return FracturePlan("crush", float(rng.uniform(0.7, 0.85)))
    return FracturePlan(shape, float(rng.uniform(low, high)))


def genant_shape(plan: FracturePlan | None) -> str:
    """Return what Genant's scheme calls a plan.

    A wedge with a sunken middle is a wedge; where the posterior height is lost it is a crush.
    """
    if plan is None:
        return "none"
    return {"mixed": "wedge", "posterior": "crush"}.get(plan.shape, plan.shape)


def loss_profile(rng: np.random.Generator, plan: FracturePlan) -> tuple[float, float, float]:
    """Return the height loss wanted at anterior, middle and posterior, as shares."""
    loss = plan.loss
    if plan.site is not None:
        return site_profile(rng, plan.site, loss)
    if plan.shape == "wedge":
        return loss, loss * rng.uniform(0.35, 0.85), loss * rng.uniform(0.0, 0.25)
    if plan.shape == "biconcave":
        return loss * rng.uniform(0.0, 0.5), loss, loss * rng.uniform(0.0, 0.35)
    if plan.shape == "crush":
        return loss * rng.uniform(0.8, 1.0), loss, loss * rng.uniform(0.78, 1.0)
    return loss * rng.uniform(0.75, 1.0), loss, loss * rng.uniform(0.2, 0.6)


def fracture_body(
    rng: np.random.Generator,
    ranges: Fractures,
    body: Body,
    expected_mm: tuple[float, float, float],
    plan: FracturePlan,
) -> Body:
    """Return the body with collapsed endplates, so that it lost ``plan.loss`` of its height.

    Parameters
    ----------
    rng : numpy.random.Generator
    ranges : Fractures
    body : Body, unfractured
    expected_mm : tuple of 3 floats
        Anterior, middle and posterior height a reader would expect at this level.
    plan : FracturePlan

    Notes
    -----
    The displacement of each third is the body's own height less the height it is to have,
    split between the two endplates. Five rounds of measuring and scaling take up what
    roughness, steps and the bowl of the endplate add.
    """
    own = heights_mm(body, fractured=False)
    wanted = np.array(expected_mm) * (1 - np.array(loss_profile(rng, plan)))
    lost = np.maximum(np.array(own) - wanted, 0.0)
    look = _draw_look(rng, ranges, plan, float(lost.max()))
    bulge = plan.loss * 2.2
    body = replace(
        body,
        bulge_front=float(rng.uniform(*ranges.bulge_mm)) * bulge,
        bulge_back=float(rng.uniform(*ranges.bulge_mm)) * bulge
        * (1.6 if rng.random() < ranges.retropulsion else 0.3),
    )  # fmt: skip
    gain = lost.copy()
    for _ in range(5):
        body = _collapsed(body, gain, look)
        after = np.array(heights_mm(body))
        gain = np.maximum(gain + (np.array(own) - lost - after) * -1.0, 0.0)
    return _collapsed(body, gain, look)


@dataclass(frozen=True, eq=False)
class _Look:
    upper_share: float
    exponents: tuple[float, float]
    skews: tuple[float, float]
    tilt: float
    knee: float
    waves: tuple[np.ndarray, np.ndarray]
    steps: tuple[tuple[float, float], tuple[float, float]]


def _draw_look(
    rng: np.random.Generator, ranges: Fractures, plan: FracturePlan, lost: float
) -> _Look:
    kind = rng.random()
    if plan.shape == "biconcave":
        share = rng.uniform(0.3, 0.7) if kind < 0.6 else rng.uniform(0.7, 1.0)
    else:
        share = rng.uniform(0.75, 1.0) if kind < 0.65 else rng.uniform(0.0, 0.75)
    rough = rng.uniform(*ranges.roughness) * min(1.0, lost / 5)
    site, breach = plan.site, ranges.breach
    if site is not None:
        share, breach = site.upper_share, _STEPPED if site.telling else breach
    return _Look(
        upper_share=float(share),
        exponents=(float(rng.uniform(1.3, 3.2)), float(rng.uniform(1.3, 3.2))),
        skews=(float(rng.uniform(-0.3, 0.3)), float(rng.uniform(-0.3, 0.3))),
        tilt=float(rng.uniform(*ranges.lateral)) if site is None else site.lean,
        knee=float(rng.uniform(0.0, 0.5)) if plan.shape == "wedge" else 0.0,
        waves=(_waves(rng, rough), _waves(rng, rough)),
        steps=(_step(rng, breach, lost), _step(rng, breach, lost)),
    )


def _waves(rng: np.random.Generator, amplitude: float) -> np.ndarray:
    cycles = rng.uniform(4, 28, 3)
    sizes = amplitude * rng.uniform(0.3, 1.0, 3) * (6 / (cycles + 6))
    return np.stack([sizes, cycles, rng.uniform(-6, 6, 3), rng.uniform(0, 2 * np.pi, 3)], 1)


def _step(rng: np.random.Generator, share: float, lost: float) -> tuple[float, float]:
    breaks = rng.random() < share
    height = rng.uniform(-0.5, 0.5) * min(lost, 6.0) if breaks else 0.0
    return float(rng.uniform(0.2, 0.85)), float(height)


def _collapsed(body: Body, lost: np.ndarray, look: _Look) -> Body:
    plates = []
    for plate, share, k in (
        (body.upper, look.upper_share, 0),
        (body.lower, 1 - look.upper_share, 1),
    ):
        anterior, middle, posterior = (float(x) * share for x in lost)
        collapse = Collapse(
            posterior=posterior,
            middle=middle,
            anterior=anterior,
            exponent=look.exponents[k],
            skew=look.skews[k],
            tilt=look.tilt,
            knee=look.knee,
            waves=look.waves[k],
            step_t=look.steps[k][0],
            step_mm=look.steps[k][1] * share,
        )
        plates.append(replace(plate, collapse=collapse))
    return replace(body, upper=plates[0], lower=plates[1])


def grade_of(loss: float) -> int:
    """Return the Genant grade of a relative height loss (20, 25, 40 %).

    Examples
    --------
    >>> [grade_of(x) for x in (0.19, 0.2, 0.25, 0.4, 0.41)]
    [0, 1, 2, 2, 3]
    """
    return 0 if loss < 0.2 else 1 if loss < 0.25 else 2 if loss <= 0.4 else 3


def relative_loss(
    heights: tuple[float, float, float], reference: tuple[float, float, float]
) -> float:
    """Return the largest relative height loss of three heights against their reference."""
    return float(max(1 - h / r for h, r in zip(heights, reference, strict=True)))
