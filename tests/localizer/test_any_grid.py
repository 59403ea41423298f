"""The shipped networks on one real CT, however it is stored: the same centers and names."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from spinexplain.geometry import BoxFrame, apply_affine
from spinexplain.io.read import read_scan
from spinexplain.localizer.own import find_vertebrae
from spinexplain.reproduce.real_scans import real_scan
from spinexplain.spine.sampling import sample_volume
from spinexplain.types import Volume

_NEAR_MM = 2.0


@pytest.fixture(scope="module")
def lumbar():
    return real_scan(Path(__file__).parents[1] / "data", "lumbar").volume


@pytest.fixture(scope="module")
def known(lumbar):
    return find_vertebrae(lumbar, bodies=False).vertebrae


def stored_as(volume, axes):
    """The same voxels, other axes."""
    ornt = nib.orientations.io_orientation(volume.affine)
    goal = nib.orientations.axcodes2ornt(tuple(axes))
    turn = nib.orientations.ornt_transform(ornt, goal)
    array = nib.orientations.apply_orientation(volume.array, turn)
    undone = nib.orientations.inv_ornt_aff(turn, volume.array.shape)
    return Volume(np.ascontiguousarray(array), volume.affine @ undone)


def turned(volume, degrees):
    """Sampled on a grid that is turned about all three axes."""
    turn = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        one, (i, j) = np.eye(3), [k for k in range(3) if k != axis]
        one[[i, j], [i, j]] = np.cos(angle)
        one[i, j], one[j, i] = -np.sin(angle), np.sin(angle)
        turn = one @ turn
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in volume.array.shape])).reshape(3, -1).T
    corners = apply_affine(volume.affine, corners.astype(float))
    middle = corners.mean(axis=0)
    wide = np.abs((corners - middle) @ turn.T).max(axis=0)
    return on_grid(volume, middle, turn, tuple(np.ceil(2 * wide / 3.0).astype(int) + 1), (3, 3, 3))


def with_steps(volume, spacing):
    """Sampled on the patient's axes with other voxels."""
    low, high = (
        apply_affine(volume.affine, np.array(end, float))
        for end in ((0, 0, 0), np.array(volume.array.shape) - 1)
    )
    shape = tuple(np.floor(np.abs(high - low) / spacing).astype(int) + 1)
    return on_grid(volume, (low + high) / 2, np.eye(3), shape, spacing)


def on_grid(volume, middle, axes, shape, spacing):
    finest = min(spacing)
    times = [round(step / finest) for step in spacing]
    fine = tuple(int(n - 1) * k + 1 for n, k in zip(shape, times, strict=True))
    frame = BoxFrame(middle, axes, fine, float(finest))
    array, _ = sample_volume(volume, frame)
    array = array[:: times[0], :: times[1], :: times[2]]
    affine = np.eye(4)
    affine[:3, :3] = (axes.T * finest) @ np.diag(times)
    affine[:3, 3] = frame.to_mm(np.zeros(3))
    return Volume(np.rint(array).astype(np.int16), affine)


def as_series(volume, folder):
    """Written as one DICOM file a slice, and read again."""
    stored = stored_as(volume, "LPS")
    image = sitk.GetImageFromArray(stored.array.transpose(2, 1, 0))
    image.SetSpacing(stored.spacing_mm)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    start = stored.affine[:3, 3] * [-1, -1, 1]
    tags = {"0008|0060": "CT", "0008|0016": "1.2.840.10008.5.1.4.1.1.2", "0020|000e": "1.2.3.4"}
    tags |= {"0020|000d": "1.2.3", "0020|0037": "1\\0\\0\\0\\1\\0"}
    for k in range(stored.array.shape[2]):
        one = image[:, :, k]
        z = start[2] + k * stored.spacing_mm[2]
        place = "\\".join(f"{x:.4f}" for x in (start[0], start[1], z))
        own = {"0020|0032": place, "0020|0013": str(k + 1), "0008|0018": f"1.2.3.4.{k + 1}"}
        for tag, value in (tags | own).items():
            one.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"{k:03d}.dcm"))
        writer.Execute(one)
    return read_scan(folder)


def same(found, known, near_mm=_NEAR_MM):
    """Assert that levels and places are those known."""
    assert [one.level for one in found] == [one.level for one in known]
    centers, true = (np.array([one.centroid_mm for one in many]) for many in (found, known))
    assert np.linalg.norm(centers - true, axis=1).max() < near_mm


@pytest.mark.parametrize("axes", ["LPS", "PIR", "SAL"])
def test_axes_that_are_flipped_or_exchanged_change_nothing(lumbar, known, axes):
    same(find_vertebrae(stored_as(lumbar, axes), bodies=False).vertebrae, known)


def test_an_oblique_grid_changes_no_name_and_no_place(lumbar, known):
    same(find_vertebrae(turned(lumbar, (12.0, -8.0, 15.0)), bodies=False).vertebrae, known)


def test_thick_slices_change_no_name_and_no_place(lumbar, known):
    same(find_vertebrae(with_steps(lumbar, (1.5, 1.5, 4.5)), bodies=False).vertebrae, known)


def test_a_dicom_series_changes_no_name_and_no_place(lumbar, known, tmp_path):
    same(find_vertebrae(as_series(lumbar, tmp_path), bodies=False).vertebrae, known)
