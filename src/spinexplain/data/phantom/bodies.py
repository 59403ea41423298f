"""Draws a person's unfractured vertebral bodies: size, shape, pits, rims, bone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spinexplain.data.phantom.anatomy import LEVEL_NAMES, NORMS
from spinexplain.data.phantom.presets import Bone, Geometry, Preset
from spinexplain.data.phantom.shape import Body, Endplate, Notch

_VERSE_CODES = (*range(5, 8), *range(8, 20), *range(20, 25), 0, 0, 0)


@dataclass(frozen=True, eq=False)
class Person:
    """What all vertebrae of one person share; lengths in mm, densities in HU, else factors."""

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


def draw_person(rng: np.random.Generator, preset: Preset) -> Person:
    """Draw what all vertebrae of one person share."""
    g, b = preset.geometry, preset.bone
    density = rng.random()
    low, high = b.trabecular_hu
    return Person(
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
    rng: np.random.Generator, preset: Preset, person: Person, k: int, well_formed: bool
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


def _wedge_range(g: Geometry, name: str) -> tuple[float, float]:
    if name in ("T1", "T2", "T3", "T4", "T5", "T6"):
        return g.upper_wedge
    return g.l5_wedge if name == "L5" else g.wedge


def _draw_plate(
    rng: np.random.Generator,
    g: Geometry,
    person: Person,
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


def _draw_lip(
    rng: np.random.Generator, g: Geometry, person: Person
) -> tuple[float, float, float, float]:
    base = rng.uniform(0, 0.7, 4)
    grown = rng.random(4) < person.osteophytes * np.array([0.5, 0.5, 0.15, 0.15])
    low, high = g.osteophyte_mm
    size = np.where(grown, low + (high - low) * rng.random(4) ** 2, base)
    if person.dish:
        size[:2] = rng.uniform(2, 5, 2)
    return (float(size[0]), float(size[1]), float(size[2]), float(size[3]))


def _draw_bone(rng: np.random.Generator, b: Bone, person: Person, depth: float) -> dict[str, Any]:
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
