"""Draws one person's spine with its fractures, and writes down what is true of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from spinexplain.data.phantom.anatomy import LEVEL_NAMES
from spinexplain.data.phantom.bodies import Person, draw_body, draw_person, shrink
from spinexplain.data.phantom.bridges import Bridge
from spinexplain.data.phantom.displaced import Displaced, displaced
from spinexplain.data.phantom.fracture import (
    FracturePlan,
    draw_plan,
    fracture_body,
    genant_shape,
    grade_of,
    relative_loss,
)
from spinexplain.data.phantom.hardware import Implant, draw_implants
from spinexplain.data.phantom.mark import Mark, draw_marks
from spinexplain.data.phantom.posture import draw_posture
from spinexplain.data.phantom.presets import Preset
from spinexplain.data.phantom.shape import Body, heights_mm
from spinexplain.data.phantom.sites import Site
from spinexplain.data.phantom.spine import Posture

FIRST_GRADED = LEVEL_NAMES.index("T1")
LAST_GRADED = LEVEL_NAMES.index("L5")
_ROOM_FOR_A_FRACTURE = 0.05  # of the height, that the fracture itself must take


@dataclass(frozen=True)
class VertebraTruth:
    """What is true of one vertebra.

    Parameters
    ----------
    level : str
    grade : int
        Genant grade of ``loss``: 0 to 3.
    shape : str
        ``"none"``, ``"wedge"``, ``"biconcave"`` or ``"crush"``; none for whatever is not
        a planted fracture.
    loss : float
        Largest height loss against the heights expected at this level of this person.
    own_loss : float
        Largest height loss against this vertebra's own unfractured heights.
    before_mm, after_mm, expected_mm : tuple of 3 floats
        Anterior, middle, posterior heights.
    look_alikes : tuple of str
        What might be mistaken for a fracture here.
    foreign_material : bool
        Screws or cement in this vertebra: it is not graded (x).
    displaced : Displaced or None
        What a planted fracture moved; None without one.
    """

    level: str
    grade: int
    shape: str
    loss: float
    own_loss: float
    before_mm: tuple[float, float, float]
    after_mm: tuple[float, float, float]
    expected_mm: tuple[float, float, float]
    look_alikes: tuple[str, ...] = ()
    foreign_material: bool = False
    displaced: Displaced | None = None


@dataclass(frozen=True, eq=False)
class Subject:
    """One person's spine: bodies C5 to S3, how they stand, and what is true of T1 to L5 (L6)."""

    bodies: tuple[Body, ...]
    posture: Posture
    truth: tuple[VertebraTruth, ...]
    marks: tuple[Mark, ...] = ()
    implants: tuple[Implant, ...] = ()
    person: Person | None = None
    bridges: tuple[Bridge, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the bodies, cranial to caudal."""
        return tuple(body.name for body in self.bodies)


def draw_subject(
    rng: np.random.Generator,
    preset: Preset,
    grades: dict[str, int],
    target: str | None = None,
) -> Subject:
    """Draw one person with fractures of the given grades at the given levels.

    Parameters
    ----------
    rng : numpy.random.Generator
    preset : Preset
    grades : dict
        Level name to Genant grade 1-3 to plant; levels not named get no fracture.
    target : str, optional
        A level that must be free of foreign material.

    Returns
    -------
    Subject
    """
    person = draw_person(rng, preset)
    bodies, truth = [], []
    for k, name in enumerate(LEVEL_NAMES):
        body = draw_body(rng, preset, person, k, well_formed=bool(grades.get(name)))
        if not FIRST_GRADED <= k <= LAST_GRADED:
            bodies.append(body)
            continue
        plan = _planned(rng, preset, grades.get(name, 0))
        body, facts = own_history(rng, preset, body, plan)
        bodies.append(body)
        truth.append(facts)
    posture = draw_posture(rng, preset, tuple(bodies))
    marks = draw_marks(rng, preset.shortcut, {t.level: t.grade for t in truth})
    levels = tuple(t.level for t in truth)
    implants = draw_implants(rng, preset.around.hardware, levels)
    if target is not None and any(implant.level == target for implant in implants):
        implants = ()
    foreign = {implant.level for implant in implants}
    known = tuple(replace(t, foreign_material=t.level in foreign) for t in truth)
    return Subject(tuple(bodies), posture, known, marks, implants, person)


def _planned(rng: np.random.Generator, preset: Preset, grade: int) -> FracturePlan | None:
    return draw_plan(rng, preset.fractures, grade, preset.sites) if grade else None


def own_history(
    rng: np.random.Generator, preset: Preset, body: Body, plan: FracturePlan | None
) -> tuple[Body, VertebraTruth]:
    """Give an unfractured body its mild loss and its fracture, and write down the truth."""
    g, f, b = preset.geometry, preset.fractures, preset.bone
    smooth = replace(
        body,
        upper=replace(body.upper, notches=(), rim=0.0),
        lower=replace(body.lower, notches=(), rim=0.0),
    )
    expected = heights_mm(smooth)
    if rng.random() < g.mild_loss_share:
        top = rng.uniform(*g.mild_loss) * (0.5 if plan else 1.0)
        body = shrink(body, *(top * rng.permutation([1.0, rng.random(), 0.4 * rng.random()])))
    if plan and relative_loss(heights_mm(body), expected) > plan.loss - _ROOM_FOR_A_FRACTURE:
        body = smooth  # a deep pit or a short vertebra would decide the grade by itself
    before = heights_mm(body)
    if plan:
        body = fracture_body(rng, f, body, expected, plan)
        fresh = rng.random() < b.impaction_fractured
        body = replace(
            body,
            impaction_hu=float(rng.uniform(*b.impaction_hu)) if fresh else 0.0,
            cleft_hu=float(rng.uniform(-700, -100)) if rng.random() < f.cleft else 0.0,
        )
        if plan.site is not None:
            body = _telling(rng, preset, body, plan.site)
    after = heights_mm(body)
    loss = relative_loss(after, expected)
    return body, VertebraTruth(
        level=body.name,
        grade=grade_of(loss) if plan else 0,
        shape=genant_shape(plan),
        loss=loss,
        own_loss=relative_loss(after, before),
        before_mm=before,
        after_mm=after,
        expected_mm=expected,
        look_alikes=_look_alikes(body, loss if not plan else 0.0),
        displaced=displaced(body) if plan else None,
    )


def _telling(rng: np.random.Generator, preset: Preset, body: Body, site: Site) -> Body:
    """Draw what shows which endplate broke: the band under it and the walls beside it.

    Both grow with how far that endplate moved there; an endplate that held shows neither.
    """
    body = replace(body, band_floor=0.0, evidence_share=preset.sites.evidence_share)
    if not site.telling:
        return body
    moved = displaced(body)
    front, back = rng.uniform(0.1, 0.4), rng.uniform(0.05, 0.3)
    most = [min(front * plate[5], 3.0) for plate in (moved.superior, moved.inferior)]
    behind = [min(back * plate[0], 3.0) for plate in (moved.superior, moved.inferior)]
    return replace(
        body,
        impaction_hu=float(rng.uniform(*preset.sites.band_hu)),
        buckle_mm=(float(most[0]), float(most[1]), float(behind[0]), float(behind[1])),
    )


def _look_alikes(body: Body, unplanted_loss: float) -> tuple[str, ...]:
    found = []
    if body.upper.notches or body.lower.notches:
        found.append("endplate_pit")
    if unplanted_loss > 0.1:
        found.append("short_vertebral_height")
    if max(body.lip) > 2.0:
        found.append("osteophyte")
    if body.lesion:
        found.append("lesion")
    return tuple(found)
