import numpy as np
import pytest

from spinexplain.errors import GeometryError
from spinexplain.geometry import fit_curve
from spinexplain.localizer.section import (
    arc_lengths,
    moved_curve,
    part_of,
    sampled_section,
    section_frame,
    section_planes,
    whole_section,
)
from spinexplain.types import Volume

CAUDAL = np.array([0.0, 0.0, -1.0])
BENT = fit_curve(
    np.array([[0.0, 0, 200], [4, 12, 140], [-3, 25, 90], [0, 10, 40], [2, -5, 0]]), CAUDAL
)


def test_planes_are_those_of_the_frame():
    frame = section_frame(BENT, -20.0, 48)
    index = np.moveaxis(np.indices(frame.shape), 0, -1)
    exact = frame.to_mm(index)
    planes = section_planes(frame)
    assert np.abs(planes.points() - exact).max() < 1e-3
    low, high = np.array([-20.0, -30, 30]), np.array([25.0, 20, 150])
    inside = ((exact >= low) & (exact <= high)).all(axis=-1)
    assert (planes.inside(low, high) == inside).mean() > 0.9999
    ends = planes.ends()
    assert np.allclose(ends[0], exact.min(axis=(0, 1, 2)))
    assert np.allclose(ends[1], exact.max(axis=(0, 1, 2)))


def test_a_ramp_is_sampled_as_a_ramp():
    affine = np.diag([-2.0, 2.0, 2.5, 1.0])
    affine[:3, 3] = [160.0, -150.0, -60.0]
    index = np.moveaxis(np.indices((160, 150, 130)), 0, -1)
    mm = index @ affine[:3, :3].T + affine[:3, 3]
    scan = Volume((mm @ [1.0, 2.0, 1.5]).astype(np.float32), affine)
    frame = section_frame(BENT, 0.0, 64)
    expected = section_planes(frame).points() @ np.array([1.0, 2.0, 1.5], np.float32)
    assert np.abs(sampled_section(scan, frame) - expected).max() < 0.1


def test_beyond_the_scan_there_is_air():
    scan = Volume(np.zeros((9, 9, 9), np.int16), np.eye(4))
    assert (sampled_section(scan, section_frame(BENT, 60.0, 32)) == -1000.0).mean() > 0.99
    far = np.eye(4)
    far[:3, 3] = 900.0
    assert (sampled_section(Volume(scan.array, far), section_frame(BENT, 0.0, 32)) == -1000).all()


def test_the_whole_section_reaches_past_both_ends():
    s = arc_lengths(whole_section(BENT))
    assert len(s) % 16 == 0
    assert s[0] <= -27
    assert s[-1] >= BENT.length_mm + 27


def test_a_curve_is_moved_by_what_is_said_of_its_error():
    frame = whole_section(BENT)
    off = np.tile([5.0, -3.0], (frame.shape[0], 1))
    moved = moved_curve(frame, off, np.ones(frame.shape[0]))
    middle = (np.array(frame.shape[1:]) - 1) / 2
    at = frame.to_patch(moved.at(np.linspace(20, moved.length_mm - 20, 9)))[:, 1:]
    assert np.abs((at - middle) * 2.0 - [5.0, -3.0]).max() < 0.7


def test_a_curve_from_left_to_right_is_refused():
    sideways = fit_curve(np.array([[0.0, 0, 0], [90.0, 0, 0]]), CAUDAL)
    with pytest.raises(GeometryError, match="left-right"):
        section_planes(section_frame(sideways, 0.0, 16))


def test_the_part_read_holds_the_neighbors():
    box = part_of((10, 10, 10), np.array([-3.0, 2.4, 8.0]), np.array([1.2, 2.6, 30.0]))
    assert box == (slice(0, 4), slice(2, 5), slice(8, 10))
