import tracemalloc

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.wide.scan import (
    SACRUM,
    draw_wide_person,
    paint_person,
    scan_person,
    share_in_view,
    whole_field,
    wide_subject,
)
from spinexplain.geometry import apply_affine


def code(name):
    return SACRUM if name[0] == "S" else VertebraLevel(name).verse_label


def oriented(person, name, n, spacing):
    """Return the affine of a cube around a body, along its axes."""
    affine = np.eye(4)
    affine[:3, :3] = person.axes[name].T * spacing
    affine[:3, 3] = person.centers_mm[name] - affine[:3, :3] @ np.full(3, (n - 1) / 2)
    return affine


def test_centers_lie_in_the_bodies(coarse):
    inverse = np.linalg.inv(coarse.body.affine)
    for name, center in coarse.centers_mm.items():
        if name == "C1":
            continue
        at = tuple(np.round(apply_affine(inverse, center)).astype(int))
        assert coarse.body.array[at] == code(name), name
        assert coarse.in_view[name] == 1


def test_the_whole_shows_all_landmarks(coarse):
    assert coarse.landmarks == ("sacrum", "first rib", "skull base")
    assert coarse.volume.array.dtype == np.int16
    assert coarse.volume.array.max() > 250
    assert (coarse.labels.array > 0).sum() > (coarse.body.array > 0).sum()


def test_a_crop_keeps_the_truth(coarse):
    person = coarse.person
    crop = scan_person(person, oriented(person, "L3", 24, 3.0), (24, 24, 24))
    assert crop.in_view["L3"] == 1
    assert crop.in_view["T4"] == 0
    assert crop.landmarks == ()
    assert np.array_equal(crop.centers_mm["L3"], coarse.centers_mm["L3"])
    body = crop.body.array == code("L3")
    middle = np.argwhere(body).mean(axis=0)
    assert middle == pytest.approx([11.5, 11.5, 11.5], abs=1.6)


def test_a_body_has_its_volume_on_any_grid(coarse):
    person = coarse.person
    volumes = []
    for n, spacing in ((60, 1.25), (32, 2.5)):
        affine = oriented(person, "L2", n, spacing)
        canvas = paint_person(person, affine, (n, n, n))
        volumes.append((canvas.body == code("L2")).sum() * spacing**3)
    assert volumes[0] == pytest.approx(volumes[1], rel=0.05)


def test_the_same_person_and_grid_give_the_same_bits(coarse):
    person = draw_wide_person("wide", 5, 3)
    affine, shape = whole_field(person, 6.0)
    again = scan_person(person, affine, shape)
    assert np.array_equal(again.volume.array, coarse.volume.array)
    assert np.array_equal(again.body.array, coarse.body.array)


def test_share_in_view_by_hand():
    grid = (np.eye(4), (11, 11, 11))
    half = np.full(3, 3.0)
    assert share_in_view(np.array([5.0, 5, 5]), np.eye(3), half, *grid) == 1
    assert share_in_view(np.array([5.0, 5, 10.4]), np.eye(3), half, *grid) == 0.6
    assert share_in_view(np.array([50.0, 5, 5]), np.eye(3), half, *grid) == 0


def test_drawn_fields_differ_and_keep_centers_in_bodies(coarse_wide):
    axes, sizes = set(), set()
    for index in range(3):
        scan, field = wide_subject(coarse_wide, 2, index)
        axes.add(field.axes)
        sizes.add(scan.volume.array.shape)
        inverse = np.linalg.inv(scan.body.affine)
        whole = [n for n, share in scan.in_view.items() if share == 1 and n != "C1"]
        assert len(whole) > 1
        for name in whole:
            at = tuple(np.round(apply_affine(inverse, scan.centers_mm[name])).astype(int))
            assert scan.body.array[at] == code(name), (index, name)
    assert len(sizes) == 3
    assert len(axes) > 1


def test_memory_is_bounded_by_the_voxels(coarse):
    person = coarse.person
    affine, shape = whole_field(person, 5.0, half_width_mm=60)
    tracemalloc.start()
    scan_person(person, affine, shape)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6 + 60 * np.prod(shape)
