"""Draws one person's spine: sizes, shapes, bone, posture, fractures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spinexplain.data.phantom.anatomy import LEVEL_NAMES, NORMS
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
from spinexplain.data.phantom.presets import Bone, Geometry, Preset
from spinexplain.data.phantom.shape import Body, Endplate, Notch, heights_mm
from spinexplain.data.phantom.spine import Posture, rim_plane

FIRST_GRADED = LEVEL_NAMES.index("T1")
LAST_GRADED = LEVEL_NAMES.index("L5")
_ROOM_FOR_A_FRACTURE = 0.05  # of the height, that the fracture itself must take
_MOST_LEAN_DEG = 62.0  # of T1; more is drawn only by fractures that add to it
_VERSE_CODES = (*range(5, 8), *range(8, 20), *range(20, 25), 0, 0, 0)


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


@dataclass(frozen=True, eq=False)
class Subject:
    """One person's spine: bodies C5 to S3, how they stand, and what is true of T1 to L5."""

    bodies: tuple[Body, ...]
    posture: Posture
    truth: tuple[VertebraTruth, ...]
    marks: tuple[Mark, ...] = ()
    implants: tuple[Implant, ...] = ()


@dataclass(frozen=True, eq=False)
class _Person:
    size: float
    ratio: float
    concavity: float
    waist: float
    rounding: float
    cortex_hu: float
    cortex_mm: float
    trabecular_hu: float
    texture_hu: float
    texture_kind: int
    gaps: float
    osteophytes: float
    scheuermann: bool
    dish: bool
    cupid: float


def draw_person(rng: np.random.Generator, preset: Preset) -> _Person:
    """Draw what all vertebrae of one person share."""
    g, b = preset.geometry, preset.bone
    density = rng.random()
    low, high = b.trabecular_hu
    return _Person(
        size=float(rng.uniform(*g.scale)),
        ratio=float(1 / rng.uniform(*g.depth_to_height)),
        concavity=float(rng.uniform(*g.concavity)),
        waist=float(rng.uniform(*g.waist_mm)),
        rounding=float(rng.uniform(*g.rounding_mm)),
        cortex_hu=float(rng.uniform(*b.cortex_hu)),
        cortex_mm=float(rng.uniform(*b.cortex_mm)),
        trabecular_hu=float(low + (high - low) * density),
        texture_hu=float(rng.uniform(*b.texture_hu)),
        texture_kind=int(rng.integers(0, 3)),
        gaps=float(rng.uniform(0, b.gaps)),
        osteophytes=float(g.osteophyte * rng.choice([0.3, 1.0, 2.2])),
        scheuermann=bool(rng.random() < g.scheuermann),
        dish=bool(rng.random() < g.dish),
        cupid=float(rng.uniform(0.02, 0.06) if rng.random() < g.cupid_bow else 0.0),
    )


def draw_body(
    rng: np.random.Generator, preset: Preset, person: _Person, k: int, well_formed: bool
) -> Body:
    """Draw one unfractured body, before any mild height loss."""
    g = preset.geometry
    name = LEVEL_NAMES[k]
    jitter = rng.normal(0, g.level_jitter, 4)
    depth = float(NORMS["depth"][k]) * person.size * (1 + jitter[0])
    posterior = float(NORMS["post"][k]) * person.size * person.ratio * (1 + jitter[1])
    wedge = rng.uniform(*_wedge_range(g, name))
    if person.scheuermann and name[0] == "T":
        wedge += rng.uniform(0.0, 0.08)
    anterior = posterior * float(NORMS["ant_ratio"][k]) * (1 - wedge)
    concavity = person.concavity * posterior
    upper = _draw_plate(rng, g, person, (posterior, anterior, concavity), upper=True)
    lower = _draw_plate(rng, g, person, (posterior, anterior, concavity), upper=False)
    if rng.random() < g.anomaly and not well_formed:
        upper, lower = _malformed(rng, upper, lower)
    if person.cupid and name in ("L3", "L4", "L5"):
        pit = Notch(person.cupid * posterior + 1.0, 0.28, 0.0, 0.16, 0.6)
        lower = replace(lower, notches=(*lower.notches, pit))
    return Body(
        name=name,
        code=_VERSE_CODES[k],
        depth=depth,
        width=float(NORMS["width"][k]) * person.size * (1 + jitter[2]),
        upper=upper,
        lower=lower,
        waist=person.waist * float(rng.uniform(0.6, 1.4)) * (0.6 if depth < 24 else 1.0),
        rounding=person.rounding * float(rng.uniform(0.7, 1.3)),
        lip=_draw_lip(rng, g, person),
        lip_reach=float(rng.uniform(1.2, 3.5)),
        bulge_front=0.0,
        bulge_back=0.0,
        **_draw_bone(rng, preset.bone, person, depth),
    )


def _wedge_range(g: Geometry, name: str) -> tuple[float, float]:
    if name in ("T1", "T2", "T3", "T4", "T5", "T6"):
        return g.upper_wedge
    return g.l5_wedge if name == "L5" else g.wedge


def _draw_plate(
    rng: np.random.Generator,
    g: Geometry,
    person: _Person,
    sizes: tuple[float, float, float],
    upper: bool,
) -> Endplate:
    posterior, anterior, concavity = sizes
    notches: tuple[Notch, ...] = ()
    chance = 0.65 if person.scheuermann else g.schmorl
    if rng.random() < chance:
        notches = (
            Notch(
                depth=float(rng.uniform(*g.schmorl_mm)),
                t=float(rng.uniform(0.2, 0.8)),
                lateral=float(rng.uniform(-0.4, 0.4)),
                sigma_t=float(rng.uniform(0.06, 0.17)),
                sigma_l=float(rng.uniform(0.1, 0.35)),
            ),
        )
    if rng.random() < g.limbus:
        notches = (*notches, Notch(float(rng.uniform(3, 6)), 0.97, 0.0, 0.14, 0.7))
    return Endplate(
        posterior=posterior / 2,
        anterior=anterior / 2,
        concavity=concavity * float(rng.uniform(0.3, 1.0)) * (1.1 if upper else 0.9),
        skew=float(rng.uniform(-0.25, 0.15)),
        exponent=float(rng.uniform(1.8, 4.0)),
        rim=float(rng.uniform(0.2, 1.1)) if rng.random() < g.raised_rim else 0.0,
        notches=notches,
    )


def _malformed(
    rng: np.random.Generator, upper: Endplate, lower: Endplate
) -> tuple[Endplate, Endplate]:
    """Make a hemivertebra (one side hardly grown) or a butterfly vertebra (cleft midline)."""
    if rng.random() < 0.5:
        cant = float(rng.choice([-1, 1]) * rng.uniform(0.5, 0.8))
        return replace(upper, cant=cant), replace(lower, cant=cant)
    depth = float(rng.uniform(0.25, 0.6))
    pits = [
        Notch(depth * plate.posterior, 0.5, 0.0, 1.2, float(rng.uniform(0.15, 0.3)))
        for plate in (upper, lower)
    ]
    return (
        replace(upper, notches=(*upper.notches, pits[0])),
        replace(lower, notches=(*lower.notches, pits[1])),
    )


def _draw_lip(
    rng: np.random.Generator, g: Geometry, person: _Person
) -> tuple[float, float, float, float]:
    base = rng.uniform(0, 0.7, 4)
    grown = rng.random(4) < person.osteophytes * np.array([0.5, 0.5, 0.15, 0.15])
    low, high = g.osteophyte_mm
    size = np.where(grown, low + (high - low) * rng.random(4) ** 2, base)
    if person.dish:
        size[:2] = rng.uniform(2, 5, 2)
    return (float(size[0]), float(size[1]), float(size[2]), float(size[3]))


def _draw_bone(rng: np.random.Generator, b: Bone, person: _Person, depth: float) -> dict[str, Any]:
    walls = person.cortex_mm * rng.uniform(0.6, 1.4, 4)
    lesion = None
    if rng.random() < b.lesion:
        lesion = (
            float(rng.uniform(-0.3, 0.3) * depth),
            float(rng.uniform(-5, 5)),
            float(rng.uniform(3, 9)),
            float(rng.choice([rng.uniform(10, 70), rng.uniform(350, 900)])),
        )
    impacted = rng.random() < b.impaction_normal
    sclerotic = rng.random(2) < b.sclerosis
    kind = person.texture_kind if rng.random() > b.hemangioma else 3
    return {
        "cortex_hu": person.cortex_hu * float(rng.uniform(0.85, 1.15)),
        "cortex_mm": tuple(float(x) for x in np.clip(walls, 0.15, 1.6)),
        "gaps": person.gaps,
        "trabecular_hu": person.trabecular_hu + float(rng.normal(0, 12)),
        "texture_hu": person.texture_hu * float(rng.uniform(0.8, 1.2)),
        "texture_kind": kind,
        "basivertebral": float(rng.uniform(0.3, 1.0)) if rng.random() < b.basivertebral else 0.0,
        "impaction_hu": float(rng.uniform(*b.impaction_hu)) if impacted else 0.0,
        "impaction_mm": float(rng.uniform(1.0, 4.0)),
        "sclerosis_hu": tuple(float(x) for x in np.where(sclerotic, rng.uniform(60, 350, 2), 0.0)),
        "cleft_hu": 0.0,
        "lesion": lesion,
    }


def shrink(body: Body, anterior: float, middle: float, posterior: float) -> Body:
    """Return a body that never was as tall as its level's norm (mild, not a fracture)."""
    plates = []
    for plate in (body.upper, body.lower):
        center = (plate.posterior + plate.anterior) / 2
        bowl = plate.concavity + center * max(middle - (anterior + posterior) / 2, 0.0)
        plates.append(
            replace(
                plate,
                posterior=plate.posterior * (1 - posterior),
                anterior=plate.anterior * (1 - anterior),
                concavity=bowl,
            )
        )
    return replace(body, upper=plates[0], lower=plates[1])


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
        plan = draw_plan(rng, preset.fractures, grades[name]) if grades.get(name) else None
        body, facts = _own_history(rng, preset, body, plan)
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
    return Subject(tuple(bodies), posture, known, marks, implants)


def _own_history(
    rng: np.random.Generator, preset: Preset, body: Body, plan: FracturePlan | None
) -> tuple[Body, VertebraTruth]:
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


def draw_posture(rng: np.random.Generator, preset: Preset, bodies: tuple[Body, ...]) -> Posture:
    """Draw discs and curvature, leaning as a whole by the drawn tilt at L3."""
    g = preset.geometry
    n = len(bodies)
    size = np.array([b.depth for b in bodies]) / NORMS["depth"]
    disc = NORMS["disc"] * size * rng.uniform(*g.disc) * rng.uniform(0.85, 1.15, n)
    disc = np.where(rng.random(n) < g.narrowed_disc, disc * rng.uniform(0.15, 0.6, n), disc)
    disc = np.where(rng.random(n) < g.block, 0.1, np.maximum(disc, 0.5))
    kyphosis, lordosis = rng.uniform(*g.kyphosis), rng.uniform(*g.lordosis)
    thoracic = np.array([b.name[0] == "T" for b in bodies])
    flex = np.where(thoracic, NORMS["disc_flex"] + (kyphosis - 1) * 2.6, NORMS["disc_flex"])
    lumbar = np.array([b.name[0] == "L" or b.name == "T12" for b in bodies])
    flex = np.where(lumbar, NORMS["disc_flex"] * lordosis, flex)
    flex = np.deg2rad(flex + rng.normal(0, g.flex_jitter_deg, n))
    slip = np.where(rng.random(n) < 0.06, rng.normal(0, 2.5, n), rng.normal(0, 0.4, n))
    reach = np.arange(n) / n
    bend = rng.uniform(*g.scoliosis_mm) * rng.random()
    side = bend * np.sin(2 * np.pi * (reach * rng.uniform(0.6, 1.8) + rng.random()))
    roll = -np.gradient(side) / 28.0 + rng.normal(0, 0.012, n)
    lean = np.deg2rad(rng.uniform(*g.tilt_deg))
    posture = Posture(
        disc=disc,
        flex=flex,
        slip_mm=slip,
        side_mm=side,
        roll=roll,
        yaw=rng.normal(0, 0.03, n) + side * rng.uniform(-0.01, 0.01),
        tilt=0.0,
        kyphosis_share=float(rng.uniform(*preset.fractures.kyphosis_share)),
    )
    at_l3 = _angle_at(bodies, posture, "L3")
    excess = lean + _angle_at(bodies, posture, "T1") - at_l3 - np.deg2rad(_MOST_LEAN_DEG)
    if excess > 0:
        posture = replace(posture, flex=flex - excess / thoracic.sum() * thoracic)
    return replace(posture, tilt=float(lean - at_l3))


def _angle_at(bodies: tuple[Body, ...], posture: Posture, name: str) -> float:
    """Return the lean of a body when the lowest one stands upright."""
    angle = 0.0
    for k in range(len(bodies) - 1, LEVEL_NAMES.index(name), -1):
        _, low = rim_plane(bodies[k].lower, bodies[k].depth, 0.0, False)
        _, top = rim_plane(bodies[k].upper, bodies[k].depth, 0.0, False)
        angle += float(posture.flex[k]) / 2 - low - top + float(posture.flex[k - 1]) / 2
    return angle
