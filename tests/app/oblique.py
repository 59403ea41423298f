"""A tilted CT with marks at known places, in place of a graded scan's own: small, for browsers."""

import io
import json
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage
from scipy.spatial.transform import Rotation

from spinexplain.app.frames import sheet_from_json
from spinexplain.config.palette import BONE_WINDOW_HU
from spinexplain.io.nifti import write_nifti

SHAPE, SPACING_MM = (96, 96, 96), 1.25
TILT_DEGREES = {"x": 20, "z": 12}  # of the lattice, as gantry tilt and a turned patient give
# RAS+ mm from the body's center, and HU: each is known from the others by its gray. The first
# lumbar body leans by about as much as the lattice, so that planes of both cut every mark.
MARKS = {"left": ((-26, 0, 0), 1300), "anterior": ((0, 25, 7), 700), "cranial": ((0, -7, 25), 300)}
RADIUS_MM = 10
GROUND_HU = -500
POINT = (30.0, 84.0)  # row and column of a small mark on the sagittal sheet, in samples


@dataclass
class Oblique:
    """What was drawn, and where.

    Parameters
    ----------
    level : str
    center_mm, point_mm : arrays, shape (3,)
        The body's center, and the small mark, RAS+.
    """

    level: str
    center_mm: np.ndarray
    point_mm: np.ndarray


def make_oblique(folder, level="L1"):
    """Replace the CT around the spine of a graded scan's view by a tilted one with marks."""
    path = folder / "view.json"
    described = json.loads(path.read_text())
    found = next(one for one in described["levels"] if one["level"] == level)
    center = np.array(found["centroid_mm"])
    point = sheet_from_json(found["sheet"]).to_mm(np.array([*POINT, 0.0]))
    affine = np.eye(4)
    affine[:3, :3] = (
        SPACING_MM
        * Rotation.from_euler("xz", list(TILT_DEGREES.values()), degrees=True).as_matrix()
        @ np.diag([-1, 1, 1])
    )
    affine[:3, 3] = center - affine[:3, :3] @ ((np.array(SHAPE) - 1) / 2)
    ijk = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), axis=-1)
    mm = ijk @ affine[:3, :3].T + affine[:3, 3]
    array = np.full(SHAPE, GROUND_HU, np.float32)
    for offset, hu in MARKS.values():
        array[np.linalg.norm(mm - (center + offset), axis=-1) < RADIUS_MM] = hu
    blob = np.exp(-0.5 * (np.linalg.norm(mm - point, axis=-1) / 1.5) ** 2)
    array = np.maximum(array, GROUND_HU + blob * (1300 - GROUND_HU)).astype(np.int16)
    np.save(folder / "spine.npy", array)
    write_nifti(folder / "spine.nii.gz", array, affine)
    described["crop"] = {"affine": affine.tolist(), "shape": list(SHAPE)}
    path.write_text(json.dumps(described))
    return Oblique(level, center, point)


def marks_in(png):
    """Find the marks on a screenshot: name -> (x, y) in CSS pixels, by their grays."""
    gray = np.asarray(Image.open(io.BytesIO(png)).convert("L"), dtype=int)
    low, high = BONE_WINDOW_HU
    found = {}
    for name, (_, hu) in MARKS.items():
        wanted = 255 * (hu - low) / (high - low)
        parts, count = ndimage.label(abs(gray - wanted) < 10)
        sizes = ndimage.sum_labels(np.ones_like(gray), parts, range(1, count + 1))
        if count and max(sizes) > 200:  # rims of brighter marks and letters are thinner
            row, column = ndimage.center_of_mass(parts == 1 + int(np.argmax(sizes)))
            found[name] = (column, row)
    return found


def brightest(png):
    """Return where the small mark is on a screenshot, (x, y) in CSS pixels, between pixels."""
    gray = np.asarray(Image.open(io.BytesIO(png)).convert("L"), dtype=float)
    rows, columns = gray.shape
    inner = np.zeros(gray.shape, bool)  # without the letters of sides
    inner[rows // 8 : -rows // 8, columns // 8 : -columns // 8] = True
    parts, count = ndimage.label((gray > 200) & inner)
    assert count == 1
    row, column = ndimage.center_of_mass(gray, parts, 1)
    return column + 0.5, row + 0.5
