"""Which side of a fracture sank more: the shipped network asked on parallel sheets.

How far beside the middle to ask and from which difference to name a side is chosen on the
persons of ``VALIDATION``; those of ``TEST`` are looked at once. Scans are those of the preset
``placement``, cut close around the spine, which changes no bone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.data.phantom.draw import VertebraTruth
from spinexplain.data.phantom.presets import Preset, load_preset
from spinexplain.data.phantom.scan import PhantomImage, make_subject
from spinexplain.evaluate.explanations.parts import body_frame, part_regions
from spinexplain.explainers.registry import EXPLAINERS
from spinexplain.findings.sides import expected_grade
from spinexplain.io.files import atomic_file
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.grader import Grader
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.side_figures import figures_of
from spinexplain.spine.morphometry import Measured, measure_bodies
from spinexplain.spine.reformat import box_frame, sample_patch, sheet_frame
from spinexplain.spine.sampling import sample_labels
from spinexplain.spine.sheet_stack import sheets_beside
from spinexplain.types import SideReliability, Vertebra

RESULTS = "sides.json"
PRESET, DETECTOR = "placement", "detector-phantom"
OFFSETS_MM = (4.0, 8.0, 12.0, 16.0)
_FRACTURES, _HEALTHY = 3, 1  # of one person
_BOX = (96, 96, 96)


@dataclass(frozen=True)
class Persons:
    """Persons drawn alike.

    Parameters
    ----------
    name : str
    seed, number : int
    one_sided : float
        Share of their fractures that lean to a side.
    lean : tuple of 2 floats
        By how much, relative to the middle.
    """

    name: str
    seed: int
    number: int
    one_sided: float
    lean: tuple[float, float] = (0.5, 0.85)


VALIDATION = (
    Persons("one-sided", 8801, 50, 1.0),
    Persons("slight", 8802, 20, 1.0, (0.0, 0.6)),
    Persons("straight", 8803, 30, 0.0),
)
TEST = (Persons("one-sided", 4991, 60, 1.0), Persons("straight", 4992, 40, 0.0))


@dataclass(frozen=True)
class Asked:
    """What is known and was answered of one vertebra.

    Parameters
    ----------
    subject, level : str
    grade : int
        True Genant grade.
    moved_mm : tuple of 2 floats
        By how much the fracture displaced the endplates on the left and on the right.
    offsets_mm : tuple of float
        Of the sheets, the patient's right to left.
    grades : tuple of float
        Expected grade of each sheet, by the network.
    strengths : tuple of float
        Mean of the highest 2 % of each sheet's map for the class of the middle one.
    called : bool
        Whether the network calls the middle sheet fractured.
    heights_mm : tuple of 2 floats or None
        Mean height of the left and the right third of the true body mask.
    detector : tuple of 2 floats or None
        Mean of the detector's GradCAM, scaled to peak 1, in the left and in the right half of
        the body.
    """

    subject: str
    level: str
    grade: int
    moved_mm: tuple[float, float]
    offsets_mm: tuple[float, ...]
    grades: tuple[float, ...]
    strengths: tuple[float, ...]
    called: bool
    heights_mm: tuple[float, float] | None
    detector: tuple[float, float] | None


def close_around(preset: Preset, persons: Persons) -> Preset:
    """Return a preset whose scans end beside the bodies, with fractures that lean as asked."""
    field = replace(
        preset.field,
        half_width_mm=(34.0, 38.0),
        front_mm=(60.0, 95.0),
        wide=0.0,
        spans=("T7-L1", "T10-L3", "T11-L5", "T8-L2"),
    )
    sites = replace(preset.sites, one_sided=persons.one_sided, lean=persons.lean)
    return replace(preset, sites=sites, field=field)


def asked_person(
    persons: Persons, index: int, grader: Grader, detector: Grader | None
) -> list[Asked]:
    """Draw one person and ask about up to three fractures and a healthy vertebra."""
    scan = make_subject(close_around(load_preset(PRESET), persons), persons.seed, index)
    chosen = _chosen(scan.truth)
    heights = measure_bodies(scan.image.body, scan.image.vertebrae) if chosen else {}
    name = f"{persons.name}-{persons.seed}-{index}"
    return [_asked(name, truth, scan.image, heights, grader, detector) for truth in chosen]


def _chosen(truth: Sequence[VertebraTruth]) -> list[VertebraTruth]:
    bone = [one for one in truth if not one.foreign_material]
    fractures = [one for one in bone if one.displaced is not None and one.grade >= 2]
    healthy = [one for one in bone if one.displaced is None and one.grade == 0]
    return fractures[:_FRACTURES] + healthy[:_HEALTHY]


def _asked(
    subject: str,
    truth: VertebraTruth,
    image: PhantomImage,
    heights: Any,
    grader: Grader,
    detector: Grader | None,
) -> Asked:
    vertebra = next(one for one in image.vertebrae if one.level.value == truth.level)
    middle = sample_patch(image.volume, vertebra, sheet_frame(image.vertebrae, vertebra))
    offsets = tuple(sorted((0.0, *OFFSETS_MM, *(-mm for mm in OFFSETS_MM))))
    sheets = sheets_beside(image.volume, middle, offsets)
    gradings = grader.grade(sheets)
    own = gradings[offsets.index(0.0)]
    maps = grader.similarity_maps(sheets)
    moved = (truth.displaced.left, truth.displaced.right) if truth.displaced else (0.0, 0.0)
    ask_detector = detector is not None and truth.displaced is not None
    return Asked(
        subject=subject,
        level=truth.level,
        grade=truth.grade,
        moved_mm=moved,
        offsets_mm=offsets,
        grades=tuple(round(expected_grade(one), 4) for one in gradings),
        strengths=_strengths(grader, maps, grader.classes.index(own.grade)),
        called=own.is_fracture,
        heights_mm=_thirds(heights.get(VertebraLevel(truth.level))),
        detector=_by_detector(detector, image, vertebra) if ask_detector else None,
    )


def _strengths(grader: Grader, maps: np.ndarray, index: int) -> tuple[float, ...]:
    """Return the mean of the highest 2 % of a class's map on every sheet."""
    head = grader.prototype_head
    assert head is not None
    weights = np.where(head.owner == index, head.connections[index], 0.0)
    summed = np.einsum("p,npij->nij", weights, maps).reshape(len(maps), -1)
    top = max(summed.shape[1] // 50, 1)
    return tuple(round(float(one), 4) for one in np.sort(summed, axis=1)[:, -top:].mean(axis=1))


def _thirds(measured: Measured | None) -> tuple[float, float] | None:
    if measured is None:
        return None
    left, right = (float(measured.heights_mm[k].mean()) for k in (0, 2))
    known = np.isfinite([left, right]).all()
    return (round(left, 3), round(right, 3)) if known else None


def _by_detector(
    detector: Grader | None, image: PhantomImage, vertebra: Vertebra
) -> tuple[float, float] | None:
    """Return the mean of GradCAM for fracture in both halves of the body, in its box."""
    assert detector is not None
    frame = box_frame(image.vertebrae, vertebra, _BOX)
    body = sample_labels(image.body, frame) == vertebra.level.verse_label
    if not body.any():
        return None
    patch = sample_patch(image.volume, vertebra, frame)
    target = next(name for name in detector.classes if name != detector.task.healthy)
    found = EXPLAINERS["gradcam"](detector, patch, target).evidence[0].heatmap
    found = found / max(float(found.max()), 1e-12)  # of any scale
    left, right = part_regions(body_frame(body), body.shape, "side")
    return (round(float(found[left].mean()), 5), round(float(found[right].mean()), 5))


def answered(setting: Setting, groups: Sequence[Persons], with_detector: bool) -> dict[str, Any]:
    """Ask about all persons, or take up what was answered before; rows by name of the group."""
    grader = load_grader(DEFAULT_MODEL)
    detector = load_grader(DETECTOR) if with_detector else None
    found: dict[str, Any] = {}
    for persons in groups:
        rows = []
        for index in range(persons.number):
            rows += _kept(setting.work / "sides", persons, index, grader, detector)
            setting.progress.step(f"sides, {persons.name}", index + 1, persons.number)
        found[persons.name] = rows
    return found


def _kept(
    folder: Path, persons: Persons, index: int, grader: Grader, detector: Grader | None
) -> list[dict[str, Any]]:
    path = folder / f"{persons.name}-{persons.seed}-{index:04d}.json"
    if not path.is_file():
        rows = [asdict(one) for one in asked_person(persons, index, grader, detector)]
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as temporary:
            temporary.write_text(json.dumps(rows) + "\n", encoding="utf-8")
    kept: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return kept


def measure(setting: Setting) -> None:
    """Choose on validation, then look at the test persons once."""
    validation = answered(setting, VALIDATION, with_detector=False)
    test = answered(setting, TEST, with_detector=True)
    setting.store(RESULTS, figures_of(validation, test))


def reliability(stored: dict[str, Any]) -> SideReliability:
    """Return what reports say of a network, from stored results."""
    chosen, test = stored["chosen"], stored["test"]
    value, low, high = test["right"]["grades"]
    return SideReliability(
        cohort=PRESET,
        offsets_mm=tuple(chosen["offsets_mm"]),
        least=chosen["least"],
        right=value,
        low=low,
        high=high,
        fractures=test["one_sided"]["left"] + test["one_sided"]["right"],
        named=test["named"],
        right_of_named=test["right_of_named"],
        straight_named=test["straight_named"],
        straight=test["straight"],
        heights=test["right"]["heights"][0],
    )
