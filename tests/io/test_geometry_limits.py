"""Grids no scan of a person can have are refused, and real ones are not."""

import numpy as np
import pytest

from spinexplain.errors import GeometryError
from spinexplain.io.geometry_limits import check_geometry


@pytest.mark.parametrize(
    ("spacing", "shape"),
    [((0.3, 0.3, 0.5), (512, 512, 900)), ((3, 3, 10), (160, 160, 100)), ((0.1, 1, 1), (9, 9, 9))],
)
def test_real_sizes_pass(spacing, shape):
    check_geometry("ct", np.diag([*spacing, 1.0]), shape)


def test_a_tilted_gantry_passes():
    affine = np.eye(4)
    affine[1, 2] = np.tan(np.radians(30))
    check_geometry("ct", affine, (9, 9, 9))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a * 1000, "voxels of 1000 x 1000 x 1000 mm .header: microns. are no CT"),
        (lambda a: a / 1000, "voxels of 0.001 .*xyzt_units"),
        (lambda a: a * 20, "the scan is 1.024e.04 x"),
        (lambda a: a + np.eye(4, k=3) * 3e9, "lies at .* Repair the header"),
        (lambda a: a + np.eye(4, k=1) * 3, "degrees off a right angle"),
        (lambda a: a * [[1], [1], [0], [1]], "singular"),
        (lambda a: a * np.nan, "singular"),
    ],
)
def test_impossible_grids_are_refused(change, message):
    affine = change(np.eye(4))
    affine[3] = [0, 0, 0, 1]
    with pytest.raises(GeometryError, match=f"ct: .*{message}"):
        check_geometry("ct", affine, (512, 512, 300), "header: microns")
