"""Who is scanned: sex, stature, extra levels, bridges, arms. Whole scans only.

Training sheets draw none of this, and everything here comes from random streams of its own:
what is added to patients never changes a sheet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from spinexplain.data.phantom.bridges import draw_bridges
from spinexplain.data.phantom.draw import Subject
from spinexplain.data.phantom.presets import Preset
from spinexplain.data.phantom.shape import Body
from spinexplain.data.phantom.transitional import with_extra_level

SEXES = ("female", "male")
_STATURE_CM = {"female": (162.0, 6.5), "male": (175.5, 7.0)}  # mean, SD of adults
_BREADTH = {"female": 0.97, "male": 1.03}  # vertebrae of the same stature differ this much
_MEAN_CM = 169.0
_TRIES = 50
_HOLLOW = {"L4": 0.6, "L5": 0.15, "L6": 0.15}  # the lowest bodies are flat behind
_DISH_LIP_MM = 2.5


@dataclass(frozen=True)
class Patient:
    """One synthetic patient.

    Parameters
    ----------
    sex : str
        ``"female"`` or ``"male"``.
    stature_cm : float
    size : float
        Factor on the level's mean sizes.
    extra_levels : tuple of str
        ``"T13"``, ``"L6"``, both or none.
    arms : bool
        Whether the arms lie beside the trunk.
    """

    sex: str
    stature_cm: float
    size: float
    extra_levels: tuple[str, ...]
    arms: bool


def draw_patient(rng: np.random.Generator, preset: Preset) -> Patient:
    """Draw sex, stature and what comes with them, within the preset's sizes.

    Notes
    -----
    Vertebrae grow with stature, men's are broader at the same stature, and people differ by
    some 3 % beyond that. Statures whose vertebrae lie outside the preset's ``scale`` are
    drawn again.
    """
    p = preset.patient
    sex = SEXES[int(rng.random() >= p.female)]
    low, high = preset.geometry.scale
    stature = size = 0.0
    for _ in range(_TRIES):
        stature = float(rng.normal(*_STATURE_CM[sex]))
        size = stature / _MEAN_CM * _BREADTH[sex] * float(np.exp(rng.normal(0, 0.03)))
        if low <= size <= high:
            break
    chances = rng.random(3)
    shares = {"T13": p.t13, "L6": p.l6}
    extra = tuple(name for k, (name, share) in enumerate(shares.items()) if chances[k] < share)
    return Patient(
        sex=sex,
        stature_cm=round(stature, 1),
        size=float(np.clip(size, low, high)),
        extra_levels=extra,
        arms=bool(chances[2] < p.arms),
    )


def sized(preset: Preset, patient: Patient) -> Preset:
    """Return the preset with the size of one patient."""
    geometry = replace(preset.geometry, scale=(patient.size, patient.size))
    return replace(preset, geometry=geometry)


def with_patient(
    seed: np.random.SeedSequence, preset: Preset, subject: Subject, patient: Patient
) -> Subject:
    """Add what only whole scans show: extra levels, hollow back walls, bridges over discs."""
    extra, walls, bridges = (np.random.default_rng(child) for child in seed.spawn(3))
    for name in patient.extra_levels:
        subject = with_extra_level(extra, preset, subject, name)
    hollow = float(walls.uniform(*preset.patient.hollow_mm))
    bodies = tuple(_kidney_shaped(walls, body, hollow) for body in subject.bodies)
    subject = replace(subject, bodies=bodies)
    return _with_bridges(bridges, preset, subject)


def _kidney_shaped(rng: np.random.Generator, body: Body, hollow_mm: float) -> Body:
    share = _HOLLOW.get(body.name, 0.0 if body.name[0] == "S" else 1.0)
    hollow, front = rng.uniform((0.8, 0.5), (1.2, 1.0))
    return replace(body, hollow_mm=hollow_mm * share * float(hollow), round_front=float(front))


def _with_bridges(rng: np.random.Generator, preset: Preset, subject: Subject) -> Subject:
    drawn = draw_bridges(rng, preset.patient.bridging, subject.names)
    bridged = {name for bridge in drawn for name in (bridge.upper, bridge.lower)}
    bodies = tuple(
        replace(b, lip=(max(b.lip[0], _DISH_LIP_MM), max(b.lip[1], _DISH_LIP_MM), *b.lip[2:]))
        if b.name in bridged
        else b
        for b in subject.bodies
    )
    truth = tuple(
        replace(t, look_alikes=(*t.look_alikes, "bridging_osteophyte")) if t.level in bridged else t
        for t in subject.truth
    )
    return replace(subject, bodies=bodies, truth=truth, bridges=drawn)
