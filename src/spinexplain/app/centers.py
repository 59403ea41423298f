"""A scan without mask and centers: slices to click body centers on."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from spinexplain.anatomy import VertebraLevel
from spinexplain.geometry import BoxFrame, apply_affine
from spinexplain.io.files import output_folder
from spinexplain.io.read import read_scan
from spinexplain.spine.sampling import sample_volume
from spinexplain.types import Volume
from spinexplain.ui.pictures import window_hu

CLICKED_LEVELS = tuple(
    level.value for level in VertebraLevel if level.is_graded and level.value != "T13"
)
"""Names that count on from click to click; a thirteenth thoracic vertebra is too rare to."""
_AXES = np.array([[0.0, 0.0, -1.0], [0.0, -1.0, 0.0], [-1.0, 0.0, 0.0]])
_LONGEST = 1200  # samples of a slice along an axis


def unpack(ct: Path, out: Path) -> None:
    """Write a CT's voxels where single slices can be read, whole or not at all."""
    volume = read_scan(ct)
    with output_folder(out, force=True) as folder:
        crop = np.clip(np.round(volume.array), -32768, 32767).astype(np.int16)
        np.save(folder / "voxels.npy", crop)
        (folder / "affine.json").write_text(json.dumps(volume.affine.tolist()))


def opened(folder: Path) -> Volume:
    """Open what :func:`unpack` wrote; voxels stay on disk until they are asked for."""
    affine = np.array(json.loads((folder / "affine.json").read_text()))
    return Volume(np.load(folder / "voxels.npy", mmap_mode="r", allow_pickle=False), affine)


def bounds_mm(volume: Volume) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and highest RAS+ mm of a scan's corners, shape (3,) each."""
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in volume.array.shape])).reshape(3, -1).T
    points = apply_affine(volume.affine, corners.astype(float))
    return points.min(axis=0), points.max(axis=0)


def sagittal_frame(volume: Volume, x_mm: float) -> BoxFrame:
    """Lay a plane over the whole scan, 1 mm a sample: rows run caudal, columns posterior."""
    low, high = bounds_mm(volume)
    rows = min(int(high[2] - low[2]) + 1, _LONGEST)
    columns = min(int(high[1] - low[1]) + 1, _LONGEST)
    center = np.array([x_mm, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2])
    return BoxFrame(center, _AXES, (rows, columns, 1), 1.0)


def sagittal_png(volume: Volume, x_mm: float) -> bytes:
    """Encode a sagittal slice, anterior on the left."""
    array, _ = sample_volume(volume, sagittal_frame(volume, x_mm))
    stream = BytesIO()
    Image.fromarray(window_hu(array[:, :, 0])).save(stream, format="PNG", compress_level=3)
    return stream.getvalue()
