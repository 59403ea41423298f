import re
from dataclasses import replace

import numpy as np
import pytest

from spinexplain.models.receptive import ReceptiveField, upsample_map
from spinexplain.report.atlas_pictures import view_patch
from spinexplain.ui.pictures import Album


def view(atlas, whole=True, **changes):
    return view_patch(atlas.prototypes[0].source, atlas, Album(), 4.0, 1, whole)


def test_the_receptive_field_lies_around_its_cell(make_atlas):
    """Cell (3, 2): centers at 0.5 + 8 x 3 = 24.5 and 16.5 mm; a field of 30 mm around them."""
    (plane,) = view(make_atlas()).planes
    assert plane.field == pytest.approx((1.5, 9.5, 30, 30))
    assert plane.cell == pytest.approx((12.5, 20.5, 8, 8))


def test_a_box_shows_three_planes_through_its_strongest_sample(make_atlas):
    atlas = make_atlas(shape=(48, 48, 48))
    planes = view(atlas).planes
    assert [plane.view for plane in planes] == ["sagittal", "coronal", "axial"]
    # Cell (3, 2, 1): the coronal plane keeps rows and left, the axial posterior and left.
    assert planes[1].cell[:2] == pytest.approx((4.5, 20.5))
    assert planes[2].cell[:2] == pytest.approx((4.5, 12.5))
    assert all(plane.contours[0] for plane in planes)
    assert len(view(atlas, whole=False).planes) == 1


def test_without_pixels_the_map_is_left(make_atlas):
    (plane,) = view(make_atlas(withheld=True)).planes
    assert plane.picture is None
    assert plane.wash.uri.startswith("data:image/png")
    assert (plane.width, plane.height) == (48, 48)


def test_the_region_encloses_the_strongest_two_percent(make_atlas):
    """2 % of 48 x 48 samples are 46: a disk of about 3.8 samples around (24, 16)."""
    (plane,) = view(make_atlas()).planes
    corners = np.array(re.findall(r"(-?[\d.]+) (-?[\d.]+)", plane.region), float) - 0.5
    radius = np.hypot(corners[:, 0] - 16, corners[:, 1] - 24)
    assert radius.min() > 3.3
    assert radius.max() < 4.4


def test_the_region_has_no_islands_where_the_upsampling_rippled(make_atlas):
    """Six cells a side, one of them bright: the spline's crests are in the map, not outlined."""
    atlas = make_atlas()
    cells = np.zeros((6, 6))
    cells[3, 2] = 4.0
    heatmap = upsample_map(cells, (48, 48), ReceptiveField(30, 8, 0.0))
    source = replace(atlas.prototypes[0].source, heatmap=heatmap)
    (plane,) = view_patch(source, atlas, Album(), 4.0, 1, True).planes
    assert plane.region.count("M") == 1
