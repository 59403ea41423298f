"""Draws one person for a wide field of view: the spine, and all that lies around it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from spinexplain.data.phantom.draw import Subject, VertebraTruth, draw_subject
from spinexplain.data.phantom.patient import Patient, draw_patient, sized, with_patient
from spinexplain.data.phantom.presets import Preset, load_preset
from spinexplain.data.phantom.scan import draw_scan_grades
from spinexplain.data.phantom.spine import Placement, body_center, stack
from spinexplain.data.phantom.tissue import Surroundings, draw_surroundings
from spinexplain.data.phantom.wide.bow import bent
from spinexplain.data.phantom.wide.cage import BoneLook, draw_cage, usual_ribs
from spinexplain.data.phantom.wide.constructs import (
    Construct,
    Spine,
    draw_construct,
    draw_devices,
    draw_table,
)
from spinexplain.data.phantom.wide.flesh import Chest, draw_chest
from spinexplain.data.phantom.wide.girdles import draw_pelvis, draw_shoulders
from spinexplain.data.phantom.wide.landmarks import Landmarks, landmarks_of
from spinexplain.data.phantom.wide.neck import UPPER, atlas_center, draw_skull, with_neck
from spinexplain.data.phantom.wide.organs import Contrast, draw_contrast, draw_organs
from spinexplain.data.phantom.wide.outline import Outline, draw_outline
from spinexplain.data.phantom.wide.solids import Solid


@dataclass(frozen=True, eq=False)
class WidePerson:
    """One synthetic person from the skull base to the hips, not yet on any grid.

    Parameters
    ----------
    name : str
        ``"wide0001"`` for index 0.
    preset : Preset
    seed, index : int
    subject : Subject
        Bodies C2 to S3 with posture, fractures and their truth.
    places : tuple of Placement
    around : Surroundings
        What lies beside the spine.
    patient : Patient
    outline : Outline
    marks : Landmarks
        Where levels lie and how large the person is; organs are placed by it.
    chest : Chest
    contrast : Contrast
    ribs : dict
        Levels with ribs, and their length as a share of the usual one.
    fused_l5 : tuple of 2 floats
        How far the transverse processes of the lowest lumbar level have grown into the
        sacrum, left and right.
    constructs : tuple of Construct
    before, after : tuple of Solid
        Organs, painted before the spine; bones and devices, painted in order.
    noise : numpy.random.SeedSequence
        Of all that a scan of this person draws; see :mod:`.scan`.
    """

    name: str
    preset: Preset
    seed: int
    index: int
    subject: Subject
    places: tuple[Placement, ...]
    around: Surroundings
    patient: Patient
    outline: Outline
    marks: Landmarks
    chest: Chest
    contrast: Contrast
    ribs: dict[str, float]
    fused_l5: tuple[float, float]
    constructs: tuple[Construct, ...]
    before: tuple[Solid, ...]
    after: tuple[Solid, ...]
    noise: np.random.SeedSequence

    @cached_property
    def centers_mm(self) -> dict[str, np.ndarray]:
        """Centers of the bodies, C1 to S3, RAS+ mm; of C1 the middle of its front arch."""
        bodies, places = self.subject.bodies, self.places
        found = {"C1": atlas_center(bodies[0], places[0])}
        for body, place in zip(bodies, places, strict=True):
            found[body.name] = body_center(body, place, fractured=True)
        return found

    @cached_property
    def axes(self) -> dict[str, np.ndarray]:
        """Rows right, anterior, cranial of each body's frame, C2 to S3."""
        return {b.name: p.axes for b, p in zip(self.subject.bodies, self.places, strict=True)}


def draw_wide_patient(preset: str | Preset, seed: int, index: int) -> Patient:
    """Draw who a person is, and nothing of the body: the same as :func:`draw_wide_person` draws.

    Examples
    --------
    >>> draw_wide_patient("wide", 1, 0).sex
    'female'
    """
    chosen = load_preset(preset) if isinstance(preset, str) else preset
    who, *_ = _children(seed, index)
    return draw_patient(np.random.default_rng(who), chosen)


def draw_wide_truth(preset: str | Preset, seed: int, index: int) -> tuple[VertebraTruth, ...]:
    """Draw what is true of a person's vertebrae, T1 to the lowest lumbar, and nothing around them.

    Examples
    --------
    >>> [one.level for one in draw_wide_truth("wide", 1, 0)][:2]
    ['T1', 'T2']
    """
    chosen = load_preset(preset) if isinstance(preset, str) else preset
    who, body, *_ = _children(seed, index)
    subject, _, _ = _spine(body, chosen, draw_patient(np.random.default_rng(who), chosen))
    return subject.truth


def _children(seed: int, index: int) -> list[np.random.SeedSequence]:
    """Return the seeds of patient, body, tissue, build, metal and noise."""
    return np.random.SeedSequence(seed, spawn_key=(3, index)).spawn(6)


def draw_wide_person(preset: str | Preset, seed: int, index: int) -> WidePerson:
    """Draw one person; the same whatever else is drawn.

    Parameters
    ----------
    preset : str or Preset
        Usually ``"wide"`` or ``"wide-test"``.
    seed, index : int

    Raises
    ------
    ConfigError
        If the preset does not exist.
    """
    chosen = load_preset(preset) if isinstance(preset, str) else preset
    who, body, tissue, build, metal, noise = _children(seed, index)
    patient = draw_patient(np.random.default_rng(who), chosen)
    subject, fused, ribs = _spine(body, chosen, patient)
    places = stack(subject.bodies, subject.posture, fractured=True)
    marks = landmarks_of(subject.bodies, places)
    rng = np.random.default_rng(build)
    outline = draw_outline(rng, marks)
    around = _around(np.random.default_rng(tissue), chosen, subject, places, outline)
    contrast = draw_contrast(rng, chosen.wide.phases, chosen.wide.oral)
    before = draw_organs(rng, marks, outline, contrast)
    look = _bone_look(rng, subject)
    spine = (subject.bodies, places)
    after = draw_pelvis(rng, spine, marks.size, look, fused)
    after += draw_skull(rng, spine, marks.size, look)
    raised = bool(rng.random() < chosen.wide.arms_raised)
    after += draw_shoulders(rng, marks, outline, look, raised)
    after += draw_cage(rng, spine, marks, outline, look, ribs)
    after += draw_devices(rng, marks, outline)
    if rng.random() < chosen.around.table:
        after += draw_table(rng, outline)
    return WidePerson(
        name=f"wide{index + 1:04d}",
        preset=chosen,
        seed=seed,
        index=index,
        subject=subject,
        places=places,
        around=around,
        patient=replace(patient, arms=not raised),
        outline=outline,
        marks=marks,
        chest=draw_chest(rng),
        contrast=contrast,
        ribs=ribs,
        fused_l5=fused,
        constructs=_constructs(np.random.default_rng(metal), chosen, spine, marks),
        before=tuple(before),
        after=tuple(after),
        noise=noise,
    )


def _spine(
    seed: np.random.SeedSequence, preset: Preset, patient: Patient
) -> tuple[Subject, tuple[float, float], dict[str, float]]:
    """Draw C2 to S3 as they lie on the table, what has grown into the sacrum, and the ribs."""
    anatomy, extra, transition, neck = seed.spawn(4)
    own = sized(preset, patient)
    rng = np.random.default_rng(anatomy)
    subject = draw_subject(rng, own, draw_scan_grades(rng, preset))
    subject = with_patient(extra, own, subject, patient)
    subject, fused, ribs = _transition(np.random.default_rng(transition), preset, subject)
    lean = float(np.deg2rad(rng.normal(0.0, preset.wide.lean_deg)))
    subject = with_neck(np.random.default_rng(neck), own, _lying(subject, lean))
    return bent(subject) if preset.wide.keeps_length else subject, fused, ribs


def _around(
    rng: np.random.Generator,
    preset: Preset,
    subject: Subject,
    places: tuple[Placement, ...],
    outline: Outline,
) -> Surroundings:
    """Draw what lies beside the spine; the levels above C5 look like it."""
    n = len(UPPER)
    around = draw_surroundings(rng, preset.around, places[n:], subject.names[n:])
    return replace(
        around,
        disc_hu=np.r_[np.repeat(around.disc_hu[:1], n), around.disc_hu],
        vacuum=np.r_[np.zeros(n), around.vacuum],
        arch_vary=np.concatenate([np.repeat(around.arch_vary[:1], n, axis=0), around.arch_vary]),
        diaphragm_z=outline.diaphragm_z,
        sac=_sac(rng, around.sac),
    )


def _lying(subject: Subject, lean: float) -> Subject:
    """Turn the spine as a whole so that the line from S1 to T1 leans forward by ``lean``.

    Curves stay. Patients lie on their back: few lean by more than ten degrees.
    """
    names = subject.names
    places = stack(subject.bodies, subject.posture, fractured=True)
    way = places[names.index("T1")].center - places[names.index("S1")].center
    now = float(np.arctan2(way[1], way[2]))
    tilt = subject.posture.tilt + lean - now
    return replace(subject, posture=replace(subject.posture, tilt=tilt))


def _sac(rng: np.random.Generator, sac_hu: float) -> float:
    """Return the density of the sac: after myelography often brighter than bone."""
    bright, chance = float(rng.uniform(400, 1800)), rng.random()
    return bright if sac_hu > _MYELOGRAPHY_HU and chance < _VERY_BRIGHT else sac_hu


_MYELOGRAPHY_HU, _VERY_BRIGHT = 100.0, 0.5


def _transition(
    rng: np.random.Generator, preset: Preset, subject: Subject
) -> tuple[Subject, tuple[float, float], dict[str, float]]:
    """Draw what makes levels hard to count: short or missing last ribs, a sacralized L5."""
    w = preset.wide
    chances = rng.random(5)
    grown = rng.uniform(0.3, 1.0, 2)
    fused = (0.0, 0.0)
    if chances[0] < w.sacralized:
        fused = (float(grown[0]), float(grown[1]))
        if chances[1] < 0.3:
            fused = (fused[0], 0.0)
        subject = _narrowed(subject, float(rng.uniform(0.15, 0.55)))
    last = 0.0 if chances[2] < w.no_last_rib else float(rng.uniform(0.35, 1.5))
    lumbar = float(rng.uniform(0.1, 0.7)) if chances[3] < w.lumbar_rib else 0.0
    lengths = np.clip(rng.normal(1, 0.04, 12), 0.85, 1.15)
    return subject, fused, usual_ribs(subject.names, last, lumbar, lengths)


def _narrowed(subject: Subject, share: float) -> Subject:
    """Make the lowest lumbar disc rudimentary, as above a sacralized level."""
    names = subject.names
    at = names.index("L6" if "L6" in names else "L5")
    disc = subject.posture.disc.copy()
    disc[at] *= share
    return replace(subject, posture=replace(subject.posture, disc=disc))


def _bone_look(rng: np.random.Generator, subject: Subject) -> BoneLook:
    assert subject.person is not None
    person = subject.person
    return BoneLook(
        cortex_hu=float(person.cortex_hu * rng.uniform(0.9, 1.3)),
        cortex_mm=float(np.clip(person.cortex_mm * rng.uniform(0.9, 2.0), 0.5, 2.2)),
        marrow_hu=float(np.clip(person.trabecular_hu * rng.uniform(0.3, 1.1), -30, 260)),
    )


def _constructs(
    rng: np.random.Generator,
    preset: Preset,
    spine: Spine,
    marks: Landmarks,
) -> tuple[Construct, ...]:
    if rng.random() >= preset.wide.construct:
        return ()
    count = 1 + int(rng.random() < 0.12)
    return tuple(draw_construct(rng, spine, marks.size) for _ in range(count))
