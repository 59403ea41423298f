"""The fast path: 2-D training sheets, straight from the anatomy, no volume in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from spinexplain.data.phantom.displaced import part_codes
from spinexplain.data.phantom.draw import Subject, VertebraTruth, draw_subject
from spinexplain.data.phantom.grids import Grid, sheet_grid
from spinexplain.data.phantom.presets import Preset, Scanner, load_preset
from spinexplain.data.phantom.render import render
from spinexplain.data.phantom.scanner import AIR_HU, draw_acquisition, scan_sheet
from spinexplain.data.phantom.spine import Placement, body_center, level_index, stack
from spinexplain.data.phantom.tissue import draw_surroundings
from spinexplain.geometry import fit_curve

GRADED = (*(f"T{i}" for i in range(1, 13)), *(f"L{i}" for i in range(1, 6)))


@dataclass(frozen=True, eq=False)
class PhantomSheet:
    """A 2-D training crop of one synthetic vertebra with everything known about it.

    Parameters
    ----------
    subject : str
        Name of the synthetic person; every sheet is another person.
    truth : VertebraTruth
        Level, grade, shape, losses and heights of the vertebra in the centre.
    hu : ndarray of int16, shape (144, 144)
        Row 0 cranial, column 0 anterior, 1 mm; centred on the body.
    labels : ndarray of uint8, same shape
        VerSe labels of all vertebrae in view.
    body : ndarray of uint8, same shape
        1 in the body of this vertebra.
    evidence : ndarray of uint8, same shape
        1 where the evidence of its fracture lies: displaced endplate and lost height.
    twin_hu : ndarray of int16 or None
        The same person without the fracture of this vertebra, same noise, same frame.
    shortcut : ndarray of uint8, same shape
        1 on a planted mark that betrays the grade of this vertebra.
    outside : ndarray of bool, same shape
        Pixels outside the field of view (HU -1024).
    part : ndarray of uint8, same shape
        Endplate and sixth of the depth; see
        :func:`~spinexplain.data.phantom.displaced.part_codes`.
    """

    subject: str
    truth: VertebraTruth
    hu: np.ndarray
    labels: np.ndarray
    body: np.ndarray
    evidence: np.ndarray
    twin_hu: np.ndarray | None
    shortcut: np.ndarray
    outside: np.ndarray
    part: np.ndarray

    @property
    def displacement_mm(self) -> tuple[float, ...]:
        """Displacement of the superior, then of the inferior endplate by sixths; or nothing."""
        moved = self.truth.displaced
        return () if moved is None else (*moved.superior, *moved.inferior)

    @property
    def level(self) -> str:
        """Name of the vertebral level."""
        return self.truth.level

    @property
    def grade(self) -> int:
        """Genant grade, 0 to 3."""
        return self.truth.grade

    @property
    def shape(self) -> str:
        """Shape of the planted fracture, or ``"none"``."""
        return self.truth.shape

    @property
    def loss(self) -> float:
        """Height loss against the heights expected at this level."""
        return self.truth.loss


def phantom_sheets(
    preset: str | Preset,
    seed: int,
    n: int,
    start: int = 0,
    shape: tuple[int, int] = (144, 144),
    twins: bool = False,
) -> Iterator[PhantomSheet]:
    """Yield ``n`` training sheets, each of another synthetic person.

    Parameters
    ----------
    preset : str or Preset
    seed : int
    n : int
    start : int
        Number of the first sheet; sheet k is the same whatever ``start`` and ``n``.
    shape : tuple of 2 ints
    twins : bool
        Also render the healthy twin of every fractured vertebra (costs as much again).

    Examples
    --------
    >>> sheet = next(phantom_sheets("balanced", seed=1, n=1))
    >>> sheet.hu.shape, sheet.hu.dtype.name
    ((144, 144), 'int16')
    """
    chosen = load_preset(preset) if isinstance(preset, str) else preset
    for k in range(start, start + n):
        yield draw_sheet(chosen, seed, k, shape, twins)


def draw_sheet(
    preset: Preset, seed: int, k: int, shape: tuple[int, int], twins: bool = False
) -> PhantomSheet:
    """Draw sheet number ``k`` of a seed."""
    person = _drawn_person(preset, seed, k)
    return _sheet_of(preset, person, person.target, shape, twins)


def neighbor_sheet(
    preset: str | Preset, seed: int, k: int, shape: tuple[int, int] = (144, 144)
) -> PhantomSheet | None:
    """Draw a normal vertebra beside the fractured one of sheet number ``k``: the same scan.

    Parameters
    ----------
    preset : str or Preset
    seed, k : int
        As of :func:`phantom_sheets`.
    shape : tuple of 2 ints

    Returns
    -------
    PhantomSheet or None
        Of the vertebra below where ``k`` is even and above where it is odd, or of the other one
        where that is fractured or not graded. None where neither can be shown, or where sheet
        ``k`` has no moderate or severe fracture.

    Examples
    --------
    >>> sheet = next(phantom_sheets("balanced", seed=1, n=1))
    >>> beside = neighbor_sheet("balanced", seed=1, k=0)
    >>> (sheet.level, sheet.grade), (beside.level, beside.grade)
    (('T12', 3), ('L1', 0))
    """
    chosen = load_preset(preset) if isinstance(preset, str) else preset
    person = _drawn_person(chosen, seed, k)
    at = GRADED.index(person.target)
    if person.subject.truth[at].grade < 2:
        return None
    for step in (1, -1) if k % 2 == 0 else (-1, 1):
        if 0 <= at + step < len(GRADED) and person.subject.truth[at + step].grade == 0:
            return _sheet_of(chosen, person, GRADED[at + step], shape, twins=False)
    return None


@dataclass(frozen=True, eq=False)
class _Person:
    """Who is on a sheet, and the seeds of tissue, scan and noise."""

    name: str
    subject: Subject
    target: str
    tissue: np.random.SeedSequence
    scan: np.random.SeedSequence
    noise: np.random.SeedSequence


def _drawn_person(preset: Preset, seed: int, k: int) -> _Person:
    root = np.random.SeedSequence(seed, spawn_key=(k,))
    anatomy, tissue, scan, noise = root.spawn(4)
    rng = np.random.default_rng(anatomy)
    target, grades = draw_grades(rng, preset)
    subject = draw_subject(rng, preset, grades, target)
    return _Person(f"{preset.name}-{seed}-{k}", subject, target, tissue, scan, noise)


def _sheet_of(
    preset: Preset, person: _Person, target: str, shape: tuple[int, int], twins: bool
) -> PhantomSheet:
    """Image a person's sheet around one vertebra."""
    subject, noise = person.subject, person.noise
    places = stack(subject.bodies, subject.posture, fractured=True)
    around = draw_surroundings(np.random.default_rng(person.tissue), preset.around, places)
    scan_rng = np.random.default_rng(person.scan)
    grid = target_grid(scan_rng, preset, subject, places, target, shape)
    how = draw_acquisition(scan_rng, preset.scanner)
    outside = field_edges(scan_rng, preset.scanner, shape)
    spared = frozenset[str]()
    canvas = render(grid, subject, places, around, noise, spared)
    hu = _imaged(canvas.hu, outside, scan_sheet(canvas.hu, how))
    twin = None
    truth = subject.truth[GRADED.index(target)]
    if twins and truth.grade:
        other = healthy_places(subject, places, target)
        twin_canvas = render(grid, subject, other, around, noise, frozenset({target}))
        twin = _imaged(twin_canvas.hu, outside, scan_sheet(twin_canvas.hu, how))
    body = subject.bodies[level_index(target)]
    code = body.code
    return PhantomSheet(
        subject=person.name,
        truth=truth,
        hu=hu,
        labels=np.where(outside, 0, canvas.label).astype(np.uint8),
        body=((canvas.body == code) & ~outside).astype(np.uint8),
        evidence=((canvas.evidence == code) & ~outside).astype(np.uint8),
        twin_hu=twin,
        shortcut=((canvas.shortcut == code) & ~outside).astype(np.uint8),
        outside=outside,
        part=np.where(outside, 0, part_codes(canvas, body, places[level_index(target)])),
    )


def _imaged(tissue: np.ndarray, outside: np.ndarray, hu: np.ndarray) -> np.ndarray:
    return np.where(outside, AIR_HU, np.rint(hu)).astype(np.int16)


def draw_grades(rng: np.random.Generator, preset: Preset) -> tuple[str, dict[str, int]]:
    """Draw the level in the centre, its grade, and the grades of the others."""
    f = preset.fractures
    target = GRADED[int(rng.integers(len(GRADED)))]
    share = np.array(f.target) / sum(f.target)
    grades = {target: int(rng.choice(4, p=share))}
    chance = f.neighbor * float(rng.choice([0.3, 1.0, 2.5], p=[0.5, 0.35, 0.15]))
    for name in GRADED:
        if name != target and rng.random() < chance:
            grades[name] = int(rng.integers(1, 4))
    return target, grades


def target_grid(
    rng: np.random.Generator,
    preset: Preset,
    subject: Subject,
    places: tuple[Placement, ...],
    target: str,
    shape: tuple[int, int],
) -> Grid:
    """Return the sagittal sheet through the bodies' centres, centred on one of them."""
    k = level_index(target)
    near = range(max(k - 4, 0), min(k + 5, len(places)))
    centers = np.array([body_center(subject.bodies[i], places[i], True) for i in near])
    centers[:, 0] += rng.normal(0, preset.geometry.off_midline_mm)
    curve = fit_curve(centers[:, [0, 2]], np.array([0.0, -1.0]))
    at = float(curve.knots_s_mm[k - near[0]])
    rows = at + np.arange(shape[0]) - (shape[0] - 1) / 2
    xz = curve.at(rows)
    columns = centers[k - near[0], 1] - (np.arange(shape[1]) - (shape[1] - 1) / 2)
    return sheet_grid(xz[:, 0], columns, xz[:, 1], 1.0)


def healthy_places(
    subject: Subject, places: tuple[Placement, ...], target: str
) -> tuple[Placement, ...]:
    """Stack the spine with the target unfractured, held still below the target."""
    k = level_index(target)
    bodies = list(subject.bodies)
    body = bodies[k]
    bodies[k] = replace(
        body, upper=replace(body.upper, collapse=None), lower=replace(body.lower, collapse=None)
    )
    return stack(tuple(bodies), subject.posture, fractured=True)


def field_edges(rng: np.random.Generator, ranges: Scanner, shape: tuple[int, int]) -> np.ndarray:
    """Draw which pixels lie outside the field of view: one or two sides in some scans."""
    outside = np.zeros(shape, bool)
    if rng.random() >= ranges.edge:
        return outside
    rows, columns = shape
    for side in rng.choice(4, int(rng.integers(1, 3)), replace=False):
        if side == 0:
            outside[: int(rng.uniform(0, 0.34) * rows)] = True
        elif side == 1:
            outside[rows - int(rng.uniform(0, 0.34) * rows) :] = True
        elif side == 2:
            outside[:, : int(rng.uniform(0, 0.36) * columns)] = True
        else:
            outside[:, columns - int(rng.uniform(0, 0.3) * columns) :] = True
    return outside
