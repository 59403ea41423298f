from dataclasses import replace

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.findings.scan import ScanFindings, ScanSource, VertebraFindings
from spinexplain.geometry import apply_affine
from spinexplain.spine.reformat import overview_frame, reformat
from spinexplain.spine.sampling import sample_volume
from spinexplain.types import Patch, Vertebra, Volume
from spinexplain.ui.planes import planes_of

# x grows to the right, y to anterior, z to cranial
MARKERS_MM = {
    "left": (-20.0, 0.0, 0.0),
    "right": (20.0, 0.0, 0.0),
    "anterior": (0.0, 20.0, 0.0),
    "cranial": (0.0, 0.0, 20.0),
    "left anterior": (-8.0, 20.0, 0.0),
}


@pytest.fixture(params=["LPS", "RAS", "PIR"])
def marked(request):
    """A scan that is empty but for one marker, on a grid of any orientation."""

    def scan(marker):
        affine = np.eye(4)
        for axis, code in enumerate(request.param):
            world = "RLAPSI".index(code) // 2
            sign = 1.0 if code in "RAS" else -1.0
            affine[:3, axis] = 0.0
            affine[world, axis] = 2.0 * sign
        affine[:3, 3] = -affine[:3, :3] @ np.full(3, 40.0)
        centers = np.stack(np.mgrid[:81, :81, :81], axis=-1)
        far = np.linalg.norm(apply_affine(affine, centers) - MARKERS_MM[marker], axis=-1)
        volume = Volume(np.where(far < 4, 1000, 0).astype(np.int16), affine)
        levels = [("L1", 30.0), ("L2", 0.0), ("L3", -30.0)]
        vertebrae = [Vertebra(VertebraLevel(name), (0.0, 0.0, z)) for name, z in levels]
        patches = reformat(volume, vertebrae, shape=(65, 65))
        findings = tuple(VertebraFindings(patch, None, ()) for patch in patches)
        frame = overview_frame(vertebrae, volume)
        overview = Patch(vertebrae[1], sample_volume(volume, frame)[0], frame)
        source = ScanSource("ct.nii.gz", "0" * 64, (81, 81, 81), (2.0, 2.0, 2.0))
        return ScanFindings(source, volume, (), findings, overview)

    return scan


def _center(picture):
    weights = np.clip(picture, 0, None)
    assert weights.sum() > 0, "the marker is not in the picture"
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
    return (rows * weights).sum() / weights.sum(), (columns * weights).sum() / weights.sum()


@pytest.mark.parametrize(("side", "column"), [("left", 52), ("right", 12)])
def test_the_patients_left_is_on_the_viewers_right_in_the_coronal_plane(marked, side, column):
    scan = marked(side)
    row, found = _center(planes_of(scan, scan.vertebrae[1].patch).coronal)
    assert (row, found) == pytest.approx((32, column), abs=0.6)


def test_anterior_is_on_the_viewers_left_in_the_parasagittal_planes(marked):
    scan = marked("left anterior")
    planes = planes_of(scan, scan.vertebrae[1].patch)
    assert _center(planes.left) == pytest.approx((32, 12), abs=0.6)
    assert planes.right.max() <= 0


def test_cranial_is_on_top_in_the_coronal_plane(marked):
    scan = marked("cranial")
    assert _center(planes_of(scan, scan.vertebrae[1].patch).coronal) == pytest.approx(
        (12, 32), abs=0.6
    )


def test_the_map_has_anterior_on_the_viewers_left(marked):
    scan = marked("anterior")
    _, column = _center(scan.overview.array)
    center = scan.overview.frame.to_patch(np.zeros(3))[1]
    assert column == pytest.approx(center - 20, abs=0.6)


def test_planes_have_the_patchs_size(marked):
    scan = marked("left")
    item = scan.vertebrae[0]
    wide = replace(item.patch.frame, shape=(40, 60))
    patch = Patch(item.vertebra, sample_volume(scan.volume, wide)[0], wide)
    planes = planes_of(scan, patch)
    assert planes.left.shape == planes.right.shape == planes.coronal.shape == (40, 60)
