import numpy as np
import pytest

from spinexplain.data.phantom.canvas import Canvas
from spinexplain.data.phantom.grids import affine_grid
from spinexplain.data.phantom.wide.person import draw_wide_person
from spinexplain.data.phantom.wide.scan import wide_scan


@pytest.fixture(scope="session")
def people():
    return [draw_wide_person("wide", 5, k) for k in range(8)]


@pytest.fixture(scope="session")
def coarse():
    """Return one whole person at 6 mm."""
    return wide_scan("wide", 5, 3, spacing_mm=6.0)


@pytest.fixture(scope="session")
def canvas():
    """Return what makes an empty cube of voxels around the origin."""

    def made(n=21, spacing=1.0):
        affine = np.diag([spacing, spacing, spacing, 1.0])
        affine[:3, 3] = -(n - 1) / 2 * spacing
        shape = (n, n, n)
        fields = {name: np.zeros(shape, np.float32) for name in ("hu", "fine", "coarse", "mid")}
        masks = {
            name: np.zeros(shape, np.uint8) for name in ("label", "body", "evidence", "shortcut")
        }
        return Canvas(grid=affine_grid(affine, shape), **fields, **masks)

    return made
