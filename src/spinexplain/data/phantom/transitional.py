"""Extra levels of transitional spines: T13 below T12, L6 below L5."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.anatomy import LEVEL_NAMES, norm_of
from spinexplain.data.phantom.bodies import draw_body
from spinexplain.data.phantom.draw import Subject, own_history
from spinexplain.data.phantom.fracture import draw_plan
from spinexplain.data.phantom.posture import angle_at
from spinexplain.data.phantom.presets import Preset
from spinexplain.data.phantom.shape import Body, Endplate
from spinexplain.data.phantom.spine import Posture

ABOVE = {"T13": "T12", "L6": "L5"}
_RISK = {"T13": 2.0, "L6": 0.7}  # of a fracture, times the preset's share
_L6_DISC = (0.4, 0.9)  # the disc below a sixth lumbar body is often rudimentary


def with_extra_level(
    rng: np.random.Generator, preset: Preset, subject: Subject, name: str
) -> Subject:
    """Return the person with one more level, which may be fractured; the lean at L3 stays.

    Parameters
    ----------
    rng : numpy.random.Generator
        A stream of its own, so that the other levels stay what they are.
    preset : Preset
    subject : Subject, as drawn by ``draw_subject``
    name : str
        ``"T13"`` or ``"L6"``.
    """
    assert subject.person is not None
    above = ABOVE[name]
    at = [body.name for body in subject.bodies].index(above)
    f = preset.fractures
    share = 0.0 if f.plan else (1 - f.target[0] / sum(f.target)) * _RISK[name]
    odds = np.array(f.target[1:]) / sum(f.target[1:])
    grade = 1 + int(rng.choice(3, p=odds)) if rng.random() < share else 0
    template = draw_body(
        rng, preset, subject.person, LEVEL_NAMES.index(above), well_formed=grade > 0
    )
    plan = draw_plan(rng, f, grade) if grade else None
    body, facts = own_history(rng, preset, resized(template, name), plan)
    bodies = (*subject.bodies[: at + 1], body, *subject.bodies[at + 1 :])
    order = [t.level for t in subject.truth].index(above) + 1
    truth = (*subject.truth[:order], facts, *subject.truth[order:])
    posture = _with_gap(rng, subject.posture, at, name)
    lean = angle_at(subject.bodies, subject.posture, "L3") - angle_at(bodies, posture, "L3")
    posture = replace(posture, tilt=posture.tilt + lean)
    return replace(subject, bodies=bodies, truth=truth, posture=posture)


def resized(body: Body, name: str) -> Body:
    """Turn the body of one level into that of another, of that level's mean size."""
    own, above = norm_of(name), norm_of(body.name)
    tall = own["post"] / above["post"]
    return replace(
        body,
        name=name,
        code=VertebraLevel(name).verse_label,
        depth=body.depth * own["depth"] / above["depth"],
        width=body.width * own["width"] / above["width"],
        upper=_taller(body.upper, tall),
        lower=_taller(body.lower, tall),
    )


def _taller(plate: Endplate, factor: float) -> Endplate:
    return replace(
        plate,
        posterior=plate.posterior * factor,
        anterior=plate.anterior * factor,
        concavity=plate.concavity * factor,
    )


def _with_gap(rng: np.random.Generator, posture: Posture, at: int, name: str) -> Posture:
    """Give the level after index ``at`` a disc below it and a place between its neighbors."""

    def between(values: np.ndarray) -> np.ndarray:
        return np.insert(values, at + 1, (values[at] + values[at + 1]) / 2)

    disc, flex = between(posture.disc), between(posture.flex)
    if name == "L6":
        disc[at + 1] = posture.disc[at] * rng.uniform(*_L6_DISC)
        flex[at], flex[at + 1] = 0.75 * posture.flex[at], posture.flex[at]
    return replace(
        posture,
        disc=disc,
        flex=flex,
        slip_mm=np.insert(posture.slip_mm, at + 1, rng.normal(0, 0.4)),
        side_mm=between(posture.side_mm),
        roll=between(posture.roll),
        yaw=between(posture.yaw),
    )
