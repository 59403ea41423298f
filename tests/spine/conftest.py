"""Real masks, regridding, and voxel spines whose heights are known."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from spinexplain.anatomy import VertebraLevel
from spinexplain.geometry import apply_affine, box_axes
from spinexplain.spine.curve import spine_curve
from spinexplain.types import LabelMap, Vertebra, Volume

DATA = Path(__file__).parents[1] / "data"
EXAMPLE = DATA / "totalsegmentator-example"


def _read_mask(path: Path) -> LabelMap:
    image = nib.load(path)
    return LabelMap(np.asarray(image.dataobj).round().astype(np.uint8), image.affine)


@pytest.fixture(scope="session")
def verse004() -> LabelMap:
    return _read_mask(DATA / "verse004" / "sub-verse004_seg-vert_msk.nii.gz")


@pytest.fixture(scope="session")
def verse004_centers(verse004: LabelMap) -> dict[VertebraLevel, np.ndarray]:
    """Published centroids in RAS+ mm; the file's P, I, R are the mask's own axes."""
    text = (DATA / "verse004" / "sub-verse004_seg-subreg_ctd.json").read_text()
    return {
        VertebraLevel.from_verse_label(entry["label"]): apply_affine(
            verse004.affine, np.array([entry["X"], entry["Y"], entry["Z"]])
        )
        for entry in json.loads(text)[1:]
    }


@pytest.fixture(scope="session")
def example_mask() -> LabelMap:
    """Whole vertebrae of the example CT, TotalSegmentator's labels turned into VerSe's."""
    mask = _read_mask(EXAMPLE / "totalseg.nii.gz")
    verse = 51 - mask.array.astype(int)
    return LabelMap(np.where((verse >= 1) & (verse <= 24), verse, 0).astype(np.uint8), mask.affine)


@pytest.fixture(scope="session")
def example_bodies() -> LabelMap:
    """VerSe-labeled bodies only of the example CT, T12-L5."""
    return _read_mask(EXAMPLE / "totalseg_vertebrae_pp_refined.nii.gz")


@pytest.fixture(scope="session")
def example_body_map() -> LabelMap:
    """Unnumbered bodies (1) and discs (2) of the example CT."""
    return _read_mask(EXAMPLE / "totalseg_vertebrae_body.nii.gz")


@pytest.fixture(scope="session")
def crop_mask() -> LabelMap:
    return _read_mask(DATA / "tptbox-sample-ct" / "sub-ct_seg-vert_label-22_msk.nii.gz")


@pytest.fixture(scope="session")
def crop_subregions() -> LabelMap:
    return _read_mask(DATA / "tptbox-sample-ct" / "sub-ct_seg-subreg_label-22_msk.nii.gz")


@pytest.fixture(scope="session")
def regrid() -> Callable[..., LabelMap]:
    """Resample a mask to the nearest neighbor on a grid given by spacing, shift, shear."""

    def resample(
        labels: LabelMap,
        spacing_mm: tuple[float, float, float] | None = None,
        shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
        shear: float = 0.0,
    ) -> LabelMap:
        spacing = np.array(spacing_mm or labels.spacing_mm)
        affine = labels.affine.copy()
        affine[:3, :3] *= spacing / np.array(labels.spacing_mm)
        affine[:3, 3] += shift_mm
        skewed = np.eye(4)
        skewed[1, 2] = shear * spacing[2] / spacing[1]
        affine = affine @ skewed
        shape = np.ceil(np.array(labels.array.shape) * labels.spacing_mm / spacing).astype(int)
        if shear:
            extra = int(np.ceil(abs(skewed[1, 2]) * shape[2]))
            shape[1] += extra
            affine[:3, 3] -= affine[:3, 1] * max(skewed[1, 2], 0) * shape[2]
        back = np.linalg.inv(labels.affine) @ affine
        array = ndimage.affine_transform(
            labels.array, back[:3, :3], back[:3, 3], output_shape=tuple(shape), order=0
        )
        return LabelMap(array, affine)

    return resample


@pytest.fixture(scope="session")
def turned() -> Callable[[LabelMap], LabelMap]:
    """Permute and flip the array's axes without moving anything in the patient."""

    def turn(labels: LabelMap) -> LabelMap:
        affine = labels.affine @ np.diag([1.0, -1.0, 1.0, 1.0])
        affine[:3, 3] += labels.affine[:3, 1] * (labels.array.shape[1] - 1)
        return LabelMap(
            np.ascontiguousarray(labels.array[:, ::-1].transpose(2, 0, 1)),
            affine[:, [2, 0, 1, 3]],
        )

    return turn


@dataclass(frozen=True)
class Bone:
    """One voxel vertebra: heights at 12.5, 50 and 87.5 % of its depth in the middle third."""

    heights_mm: tuple[float, float, float]  # anterior, middle, posterior
    half_depth_mm: float = 16.0
    half_width_mm: float = 22.0
    tilt_deg: float = 0.0  # about the left-right axis, on top of the column's kyphosis
    roll_deg: float = 4.0  # about the antero-posterior axis
    turn_deg: float = 0.0  # about the long axis, as in scoliosis
    spur_mm: float = 0.0  # osteophytes on both anterior rims
    arch: bool = True


@pytest.fixture(scope="session")
def voxel_spine() -> Callable[..., tuple[LabelMap, dict[VertebraLevel, np.ndarray]]]:
    """Draw a column of bones; returns the mask and the true body centers."""

    def draw(
        bones: Mapping[str, Bone],
        spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0),
        kyphosis_deg: float = 0.0,
        origin_mm: tuple[float, float, float] = (0.3, 0.4, 0.2),
    ) -> tuple[LabelMap, dict[VertebraLevel, np.ndarray]]:
        placed = _along_column(bones, kyphosis_deg)
        centers = np.array([center for _, center, _ in placed])
        low, high = centers.min(axis=0) - _BEHIND_MM, centers.max(axis=0) + _BEFORE_MM
        spacing = np.array(spacing_mm)
        affine = np.diag([*spacing_mm, 1.0])
        affine[:3, 3] = low + origin_mm
        array = np.zeros(np.ceil((high - low) / spacing).astype(int), np.uint8)
        for (name, bone), (_, center, angle) in zip(bones.items(), placed, strict=True):
            start = np.clip((center - _BEHIND_MM - affine[:3, 3]) / spacing, 0, None).astype(int)
            stop = np.ceil((center + _BEFORE_MM - affine[:3, 3]) / spacing).astype(int)
            block = array[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))]
            ijk = np.moveaxis(np.indices(block.shape), 0, -1) + start
            offset = ijk * spacing + affine[:3, 3] - center
            block[_inside(bone, offset, angle)] = VertebraLevel(name).verse_label
        return LabelMap(array, affine), {level: center for level, center, _ in placed}

    return draw


_BEHIND_MM = np.array([38.0, 68.0, 32.0])
_BEFORE_MM = np.array([38.0, 26.0, 32.0])
_DISC_MM = 8.0
_DENT_MM = 1.0  # of the posterior wall on the midline


def _along_column(
    bones: Mapping[str, Bone], kyphosis_deg: float
) -> list[tuple[VertebraLevel, np.ndarray, float]]:
    """Stack the bones on a circular arc, each turned by ``kyphosis_deg`` from the last."""
    placed, z, y, angle = [], 0.0, 0.0, -kyphosis_deg * (len(bones) - 1) / 2
    for name, bone in bones.items():
        for half in (True, False):
            step = max(bone.heights_mm) / 2 + (0.0 if half else _DISC_MM)
            z, y = z - step * _cos(angle), y + step * _sin(angle)
            if half:
                placed.append((VertebraLevel(name), np.array([0.0, y, z]), angle))
        angle += kyphosis_deg
    return placed


def _cos(degrees: float) -> float:
    return float(np.cos(np.radians(degrees)))


def _sin(degrees: float) -> float:
    return float(np.sin(np.radians(degrees)))


def _turned(a: np.ndarray, b: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    return a * _cos(degrees) - b * _sin(degrees), a * _sin(degrees) + b * _cos(degrees)


def _inside(bone: Bone, offset_mm: np.ndarray, angle_deg: float) -> np.ndarray:
    u, v, w = np.moveaxis(offset_mm, -1, 0)
    v, w = _turned(v, w, angle_deg + bone.tilt_deg)
    u, w = _turned(u, w, bone.roll_deg)
    u, v = _turned(u, v, bone.turn_deg)
    depth, width = bone.half_depth_mm, bone.half_width_mm
    anterior, middle, posterior = bone.heights_mm
    t = (v - _DENT_MM / 2) / (0.75 * (depth - _DENT_MM / 2))
    height = middle + (anterior - posterior) / 2 * t + ((anterior + posterior) / 2 - middle) * t**2
    height = height + 0.06 * middle * ((u / width) ** 2 - 1 / 27)  # 0 on average in the middle
    disc = np.abs(u / width) ** 2.4 + np.abs(v / depth) ** 2.4 <= 1
    disc &= (u / 11) ** 2 + ((v + depth + 8 - _DENT_MM) / 8) ** 2 > 1  # the canal
    body = disc & (np.abs(w) <= height / 2)
    if bone.spur_mm:
        spur = bone.spur_mm * np.clip((v / depth - 0.8) / 0.2, 0, 1)
        body |= disc & (v > 0.8 * depth) & (np.abs(w) <= height / 2 + spur)
    return body | _arch(u, v + depth, w, max(bone.heights_mm)) if bone.arch else body


def _arch(u: np.ndarray, v: np.ndarray, w: np.ndarray, height: float) -> np.ndarray:
    """Pedicles, laminae, articular, transverse and spinous processes; v is 0 at the wall."""
    side = np.abs(u)
    pedicle = (np.abs(side - 14) < 4) & (v < 5) & (v > -14) & (np.abs(w - 0.15 * height) < 6)
    ring = np.hypot(u / 15, (v + 8) / 15)
    lamina = (ring < 1) & (ring > 0.72) & (v < -12) & (np.abs(w + 2) < 9)
    joint = (np.abs(side - 15) < 5) & (np.abs(v + 17) < 5) & (np.abs(w) < 0.5 * height + 8)
    transverse = (side > 14) & (side < 34) & (np.abs(v + 15) < 4) & (np.abs(w) < 5)
    spine = (side < 3.5) & (v < -20) & (v > -45) & (np.abs(w + 5) < 9)
    return pedicle | lamina | joint | transverse | spine


@pytest.fixture(scope="session")
def bone() -> type[Bone]:
    return Bone


RADIUS_MM = 130.0  # of the kyphosis: 62 degrees over five levels
HALF_DEPTH_MM = 16.0
HEIGHT_MM = 24.0


@dataclass(frozen=True, eq=False)
class Kyphosis:
    """A CT of five bodies on a kyphotic arc, the middle one wedged by ``loss``."""

    volume: Volume
    vertebrae: list[Vertebra]
    loss: float

    @property
    def middle(self) -> Vertebra:
        return self.vertebrae[2]


@pytest.fixture(scope="session")
def kyphosis() -> Callable[..., Kyphosis]:
    """Draw 300 HU bodies in 40 HU tissue, with edges 1 mm soft, on any grid spacing."""

    def draw(
        loss: float = 0.3,
        spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0),
        sway_mm: float = 0.0,
        shear: float = 0.0,
    ) -> Kyphosis:
        angles = np.linspace(-0.54, 0.54, 5)
        ventral = RADIUS_MM * (1 - np.cos(angles))
        sideways = sway_mm * np.sin(angles * 3)
        centers = np.stack([sideways, ventral, -RADIUS_MM * np.sin(angles)], axis=-1)
        centers = centers + np.array([7.0, -20.0, 300.0])
        levels = list(VertebraLevel)[14:19]  # T8 to T12
        vertebrae = [
            Vertebra(level, (float(x), float(y), float(z)))
            for level, (x, y, z) in zip(levels, centers, strict=True)
        ]
        low = centers.min(axis=0) - np.array([40, 80, 40])
        high = centers.max(axis=0) + np.array([40, 60, 40])
        affine = np.diag([*spacing_mm, 1.0])
        affine[1, 2] = shear * spacing_mm[2]
        affine[:3, 3] = low - np.array([0, max(shear, 0) * (high - low)[2], 0])
        reach = np.array([0, abs(shear) * (high - low)[2], 0])
        shape = tuple(np.ceil((high - low + reach) / spacing_mm).astype(int))
        hu = np.full(shape, 40, np.int16)
        curve = spine_curve(vertebrae)
        for center, s in zip(centers, curve.knots_s_mm, strict=True):
            axes = box_axes(curve.tangent(s))
            corners = np.array(np.meshgrid(*[(-30, 30)] * 3)).reshape(3, -1).T + center
            ijk = apply_affine(np.linalg.inv(affine), corners)
            start, stop = (f(ijk, axis=0).round().astype(int) for f in (np.min, np.max))
            near = np.moveaxis(np.indices(stop - start), 0, -1) + start
            wedge = loss if np.array_equal(center, centers[2]) else 0.0
            local = (apply_affine(affine, near) - center) @ axes.T
            hu[tuple(map(slice, start, stop))] += (260 * _soft_body(local, wedge)).astype(np.int16)
        return Kyphosis(Volume(hu, affine), vertebrae, loss)

    cache: dict[tuple[Any, ...], Kyphosis] = {}

    def drawn(*args: Any, **kwargs: Any) -> Kyphosis:
        key = (*args, *sorted(kwargs.items()))
        if key not in cache:
            cache[key] = draw(*args, **kwargs)
        return cache[key]

    return drawn


def _soft_body(local: np.ndarray, loss: float) -> np.ndarray:
    """Share of bone (...) at (caudal, posterior, left) mm; the cranial endplate is tilted."""
    caudal, posterior, left = np.moveaxis(local, -1, 0)
    drop = loss * HEIGHT_MM * (HALF_DEPTH_MM - posterior) / (2 * HALF_DEPTH_MM)
    slant = np.hypot(1.0, loss * HEIGHT_MM / (2 * HALF_DEPTH_MM))
    depth_inside = np.min(
        [
            HEIGHT_MM / 2 - caudal,
            (caudal + HEIGHT_MM / 2 - drop) / slant,
            HALF_DEPTH_MM - np.abs(posterior),
            20.0 - np.abs(left),
        ],
        axis=0,
    )
    return np.clip(depth_inside + 0.5, 0.0, 1.0)


@pytest.fixture(scope="session")
def wedge_loss() -> Callable[[np.ndarray], float]:
    """Measure a sagittal picture (rows, columns) at 1 mm: anterior loss of the middle body.

    Knows nothing of frames: a line is laid through the caudal endplate where it is seen,
    and the heights are read square to it, 16 mm before and behind the picture's center.
    """

    def measure(picture: np.ndarray) -> float:
        row, column = (np.array(picture.shape) - 1) / 2
        columns = np.arange(int(column) - 11, int(column) + 12)
        upper, lower = (
            np.array([_edge(picture[:, c], row, way) for c in columns]) for way in (-1, 1)
        )
        slope, height = np.polyfit(columns - column, lower - row, 1)
        along = np.array([1.0, slope]) / np.hypot(1.0, slope)
        square = np.array([along[1], -along[0]])
        points = np.stack([columns - column, upper - row], axis=-1)
        heights = (points - [0.0, height]) @ square
        positions = points @ along
        per_mm, middle = np.polyfit(positions, heights, 1)
        anterior, posterior = middle - HALF_DEPTH_MM * per_mm, middle + HALF_DEPTH_MM * per_mm
        return float(1 - anterior / posterior)

    return measure


def _edge(profile: np.ndarray, start: float, way: int) -> float:
    """Return where a column falls through 170 HU, walking from ``start`` up or down."""
    at = round(start)
    while profile[at] >= 170:
        at += way
    inside, outside = profile[at - way], profile[at]
    return float(at - way + way * (inside - 170) / (inside - outside))
