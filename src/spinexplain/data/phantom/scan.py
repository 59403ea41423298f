"""Whole phantom scans: a volume with masks, centroids and the truth about every vertebra."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.arms import draw_arms
from spinexplain.data.phantom.canvas import Canvas
from spinexplain.data.phantom.draw import Subject, VertebraTruth, draw_subject
from spinexplain.data.phantom.field import (
    FieldOfView,
    block_mean,
    block_pick,
    draw_field,
    draw_grid,
    draw_pose,
    posed,
)
from spinexplain.data.phantom.mark import paint_marks
from spinexplain.data.phantom.patient import Patient, draw_patient, sized, with_patient
from spinexplain.data.phantom.presets import Preset, load_preset
from spinexplain.data.phantom.render import render
from spinexplain.data.phantom.scanner import Acquisition, draw_acquisition, scan_volume
from spinexplain.data.phantom.sheets import GRADED
from spinexplain.data.phantom.spine import Placement, body_center, stack
from spinexplain.data.phantom.tissue import Surroundings, draw_surroundings
from spinexplain.types import LabelMap, Vertebra, Volume


@dataclass(frozen=True, eq=False)
class PhantomImage:
    """One rendering of a person.

    Parameters
    ----------
    volume : Volume of int16, HU
    labels : LabelMap of uint8
        VerSe labels of the whole vertebrae in view.
    body : LabelMap of uint8
        The same, bodies only.
    evidence : LabelMap of uint8
        VerSe label of a fractured vertebra where its evidence lies.
    shortcut : LabelMap of uint8
        VerSe label of the vertebra that a planted mark betrays.
    vertebrae : tuple of Vertebra
        Body centers of the whole vertebrae in view, cranial to caudal.
    """

    volume: Volume
    labels: LabelMap
    body: LabelMap
    evidence: LabelMap
    shortcut: LabelMap
    vertebrae: tuple[Vertebra, ...]


@dataclass(frozen=True, eq=False)
class PhantomScan:
    """A phantom scan with its truth.

    Parameters
    ----------
    name : str
        ``"phantom0001"`` for subject index 0.
    preset : str
    seed : int
    image : PhantomImage
    truth : tuple of VertebraTruth
        The whole thoracic and lumbar vertebrae in view, T13 and L6 where the patient has them.
    twin : PhantomImage or None
        The same person, posture, noise and field of view without any fracture.
    acquisition : Acquisition
    patient : Patient
    gantry_deg : float
        Tilt of the slices: the grid is sheared.
    is_oblique : bool
        Whether the grid is turned against the patient's axes.
    unmarked : PhantomImage or None
        The same person, fractures, noise and field of view without any planted mark.
    wide : dict, optional
        More truth, ready for JSON, where the scan shows the person around the spine.
    trabecular_hu : dict of str to float
        By level, before texture, lesions and impacted bone.
    vessel_hu : float
        Blood of the vessel in front of the spine; 0 where unknown.
    """

    name: str
    preset: str
    seed: int
    image: PhantomImage
    truth: tuple[VertebraTruth, ...]
    twin: PhantomImage | None
    acquisition: Acquisition
    patient: Patient
    gantry_deg: float = 0.0
    is_oblique: bool = False
    unmarked: PhantomImage | None = None
    wide: dict[str, Any] | None = None
    trabecular_hu: dict[str, float] = field(default_factory=dict)
    vessel_hu: float = 0.0


def make_subject(
    preset: str | Preset,
    seed: int,
    subject_index: int,
    twin: bool = False,
    unmarked: bool = False,
) -> PhantomScan:
    """Make one phantom scan; a subject is the same whatever else is made.

    Parameters
    ----------
    preset : str or Preset
    seed : int
    subject_index : int
        0 for the first subject of a seed.
    twin : bool
        Also render the healthy twin, which costs as much again.
    unmarked : bool
        Also scan the person without planted marks, which costs a tenth more.

    Returns
    -------
    PhantomScan

    Raises
    ------
    ConfigError
        If the preset does not exist.
    """
    chosen = load_preset(preset) if isinstance(preset, str) else preset
    root = np.random.SeedSequence(seed, spawn_key=(1, subject_index))
    anatomy, tissue, scan, noise, person = root.spawn(5)
    who, body_seed, arms_seed, grid_seed = person.spawn(4)
    patient, subject = _draw_person(chosen, anatomy, who, body_seed)
    upright = stack(subject.bodies, subject.posture, fractured=True)
    grid_rng = np.random.default_rng(grid_seed)
    turn = draw_pose(grid_rng, chosen, upright)
    places = posed(upright, turn)
    around = _draw_around(tissue, arms_seed, chosen, subject, places, patient)
    scan_rng = np.random.default_rng(scan)
    field = draw_field(scan_rng, chosen, places, subject.names)
    how = draw_acquisition(scan_rng, chosen.scanner)
    field = draw_grid(grid_rng, chosen, field, turn)
    if patient.arms:
        how = replace(how, arm_streak_hu=float(grid_rng.uniform(*chosen.patient.arm_streak_hu)))
    if subject.implants and subject.implants[0].hu > _DENSE_HU:
        how = replace(how, streak_hu=max(how.streak_hu, _METAL_STREAK_HU))
    bare = replace(subject, marks=())
    canvas = render(field.fine_grid(), bare, places, around, noise, frozenset())
    plain = _image(canvas, subject, places, field, how, True) if unmarked else None
    paint_marks(canvas, subject.marks, subject.bodies, places)
    image = _image(canvas, subject, places, field, how, True)
    shown = {v.level.value for v in image.vertebrae}
    other = _healthy(subject, around, field, how, noise) if twin else None
    return PhantomScan(
        name=f"phantom{subject_index + 1:04d}",
        preset=chosen.name,
        seed=seed,
        image=image,
        truth=tuple(t for t in subject.truth if t.level in shown),
        twin=other,
        acquisition=how,
        patient=patient,
        gantry_deg=field.gantry_deg,
        is_oblique=turn is not None,
        unmarked=plain,
        trabecular_hu={body.name: body.trabecular_hu for body in subject.bodies},
        vessel_hu=around.vessel[3],
    )


@dataclass(frozen=True)
class DrawnPerson:
    """What is known of a person before the scan is painted, which takes its time.

    Parameters
    ----------
    is_normal : bool
        No fracture and no implant anywhere, in view or not.
    length_mm : float
        Of the scan, along the table.
    """

    is_normal: bool
    length_mm: float


def drawn_person(preset: Preset, seed: int, subject_index: int) -> DrawnPerson:
    """Draw the person of :func:`make_subject` without a scan; takes hundredths of a second."""
    root = np.random.SeedSequence(seed, spawn_key=(1, subject_index))
    anatomy, _, scan, _, person = root.spawn(5)
    who, body_seed, _, grid_seed = person.spawn(4)
    _, subject = _draw_person(preset, anatomy, who, body_seed)
    upright = stack(subject.bodies, subject.posture, fractured=True)
    places = posed(upright, draw_pose(np.random.default_rng(grid_seed), preset, upright))
    field = draw_field(np.random.default_rng(scan), preset, places, subject.names)
    return DrawnPerson(
        is_normal=all(t.shape == "none" and not t.foreign_material for t in subject.truth),
        length_mm=field.shape[2] * field.spacing_mm[2],
    )


def _draw_person(
    preset: Preset,
    anatomy: np.random.SeedSequence,
    who: np.random.SeedSequence,
    body_seed: np.random.SeedSequence,
) -> tuple[Patient, Subject]:
    patient = draw_patient(np.random.default_rng(who), preset)
    rng = np.random.default_rng(anatomy)
    own = sized(preset, patient)
    subject = draw_subject(rng, own, draw_scan_grades(rng, preset))
    return patient, with_patient(body_seed, own, subject, patient)


def _draw_around(
    tissue: np.random.SeedSequence,
    arms: np.random.SeedSequence,
    preset: Preset,
    subject: Subject,
    places: tuple[Placement, ...],
    patient: Patient,
) -> Surroundings:
    rng = np.random.default_rng(tissue)
    around = draw_surroundings(rng, preset.around, places, subject.names)
    around = replace(around, rounded=True)
    if not patient.arms:
        return around
    drawn = draw_arms(np.random.default_rng(arms), around.soft, around.fat)
    return replace(around, arms=drawn)


_DENSE_HU, _METAL_STREAK_HU = 2500.0, 90.0
_RISK = {"T7": 1.6, "T8": 1.6, "T11": 1.6, "T12": 2.4, "L1": 2.4, "L2": 1.5} | {
    f"T{i}": 0.3 for i in range(1, 5)
}


def draw_scan_grades(rng: np.random.Generator, preset: Preset) -> dict[str, int]:
    """Draw which levels of one person are fractured, and how badly.

    Notes
    -----
    Fractures cluster in persons (nearly half have none) and at mid-thoracic and
    thoracolumbar levels, next to other fractures more often; over many persons about the
    preset's ``target`` shares of T1-L5 are fractured, unless these are very high.
    """
    if preset.fractures.plan:
        return dict(preset.fractures.plan)
    share = np.array(preset.fractures.target) / sum(preset.fractures.target)
    rate = (1 - share[0]) * float(rng.choice([0.0, 1.0, 2.6], p=[0.45, 0.3, 0.25]))
    grades: dict[str, int] = {}
    previous = False
    for name in GRADED:
        chance = min(rate * _RISK.get(name, 1.0) * (1.8 if previous else 0.9), 0.65)
        previous = bool(rng.random() < chance)
        if previous:
            grades[name] = 1 + int(rng.choice(3, p=share[1:] / share[1:].sum()))
    return grades


def _healthy(
    subject: Subject,
    around: Surroundings,
    field: FieldOfView,
    how: Acquisition,
    noise: np.random.SeedSequence,
) -> PhantomImage:
    places = posed(stack(subject.bodies, subject.posture, fractured=False), field.turn)
    spared = frozenset(subject.names)
    canvas = render(field.fine_grid(), subject, places, around, noise, spared)
    return _image(canvas, subject, places, field, how, False)


def _image(
    canvas: Canvas,
    subject: Subject,
    places: tuple[Placement, ...],
    field: FieldOfView,
    how: Acquisition,
    fractured: bool,
) -> PhantomImage:
    hu = scan_volume(block_mean(canvas.hu, field.oversample), how, field.spacing_mm)
    whole = [b.name for b in subject.bodies if b.code and _is_whole(canvas, b.code)]
    centers = {
        name: field.to_patient(body_center(subject.bodies[k], places[k], fractured))
        for k, name in enumerate(subject.names)
        if name in whole
    }
    return PhantomImage(
        volume=Volume(*field.oriented(hu)),
        labels=_labels(canvas.label, subject, whole, field),
        body=_labels(canvas.body, subject, whole, field),
        evidence=_labels(canvas.evidence, subject, whole, field),
        shortcut=_labels(canvas.shortcut, subject, whole, field),
        vertebrae=tuple(
            Vertebra(VertebraLevel(name), (float(c[0]), float(c[1]), float(c[2])))
            for name, c in centers.items()
        ),
    )


def _labels(fine: np.ndarray, subject: Subject, whole: list[str], field: FieldOfView) -> LabelMap:
    keep = np.zeros(256, np.uint8)
    for body in subject.bodies:
        if body.name in whole:
            keep[body.code] = body.code
    return LabelMap(*field.oriented(keep[block_pick(fine, field.oversample)]))


def _is_whole(canvas: Canvas, code: int) -> bool:
    """Whether a vertebra is in view and cut neither above nor below, nor its body anywhere."""
    body = canvas.body == code
    if not body.any():
        return False
    ends = (canvas.label[:, :, 0] == code).any() or (canvas.label[:, :, -1] == code).any()
    sides = any(np.take(body, i, axis).any() for axis in (0, 1) for i in (0, -1))
    return not (ends or sides)
