"""Real masks, regridding, and voxel spines whose heights are known."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from spinexplain.anatomy import VertebraLevel
from spinexplain.geometry import apply_affine
from spinexplain.types import LabelMap

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
    """VerSe-labelled bodies only of the example CT, T12-L5."""
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
    """Resample a mask to the nearest neighbour on a grid given by spacing, shift, shear."""

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
    """One voxel vertebra: body heights at 85 %, 0 and -85 % of its half-depth, and pose."""

    heights_mm: tuple[float, float, float]  # anterior, middle, posterior
    half_depth_mm: float = 16.0
    half_width_mm: float = 22.0
    tilt_deg: float = 0.0  # turns the cranial side towards anterior
    spur_mm: float = 0.0  # osteophytes on both anterior rims
    arch: bool = True


@pytest.fixture(scope="session")
def voxel_spine() -> Callable[..., tuple[LabelMap, dict[VertebraLevel, np.ndarray]]]:
    """Draw a column of bones; returns the mask and the true body centres."""

    def draw(
        bones: Mapping[str, Bone],
        spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0),
        disc_mm: float = 8.0,
        kyphosis_deg: float = 0.0,
        origin_mm: tuple[float, float, float] = (0.3, 0.4, 0.2),
    ) -> tuple[LabelMap, dict[VertebraLevel, np.ndarray]]:
        placed, z, y, angle = [], 0.0, 0.0, -kyphosis_deg * (len(bones) - 1) / 2
        for name, bone in bones.items():
            step = max(bone.heights_mm) / 2
            z, y = z - step * _cos(angle), y + step * _sin(angle)
            placed.append((VertebraLevel(name), bone, np.array([0.0, y, z]), angle))
            step += disc_mm
            z, y = z - step * _cos(angle), y + step * _sin(angle)
            angle += kyphosis_deg
        centers = np.array([center for _, _, center, _ in placed])
        low = centers.min(axis=0) - np.array([45, 80, 35])
        high = centers.max(axis=0) + np.array([45, 40, 35])
        affine = np.diag([*spacing_mm, 1.0])
        affine[:3, 3] = low + origin_mm
        shape = tuple(np.ceil((high - low) / spacing_mm).astype(int))
        points = apply_affine(affine, np.moveaxis(np.indices(shape), 0, -1).astype(float))
        array = np.zeros(shape, np.uint8)
        for level, bone, center, turn in placed:
            array[_inside(bone, points - center, turn + bone.tilt_deg)] = level.verse_label
        return LabelMap(array, affine), {level: center for level, _, center, _ in placed}

    return draw


def _cos(degrees: float) -> float:
    return float(np.cos(np.radians(degrees)))


def _sin(degrees: float) -> float:
    return float(np.sin(np.radians(degrees)))


def _inside(bone: Bone, offset_mm: np.ndarray, tilt_deg: float) -> np.ndarray:
    u = offset_mm[..., 0]
    v = offset_mm[..., 1] * _cos(tilt_deg) - offset_mm[..., 2] * _sin(tilt_deg)
    w = offset_mm[..., 1] * _sin(tilt_deg) + offset_mm[..., 2] * _cos(tilt_deg)
    depth, width = bone.half_depth_mm, bone.half_width_mm
    anterior, middle, posterior = bone.heights_mm
    t = v / (0.85 * depth)
    height = middle + (anterior - posterior) / 2 * t + ((anterior + posterior) / 2 - middle) * t**2
    disc = np.abs(u / width) ** 2.4 + np.abs(v / depth) ** 2.4 <= 1
    disc &= (u / 11) ** 2 + ((v + depth + 5) / 8) ** 2 > 1  # the canal dents the wall
    body = disc & (np.abs(w) <= height / 2)
    if bone.spur_mm:
        rim = disc & (v > 0.8 * depth)
        body |= rim & (np.abs(w) <= height / 2 + bone.spur_mm * (v / depth - 0.8) / 0.2)
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
