"""Sorting and checking slices, on paper-and-pencil positions."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.errors import GeometryError
from spinexplain.io.dicom_slices import SliceHeader
from spinexplain.io.dicom_stack import stack_slices


def at(position, source=0, orientation=(1.0, 0, 0, 0, 1.0, 0)):
    return SliceHeader(
        source=source,
        frame=0,
        position_mm=tuple(map(float, position)),
        orientation=orientation,
        pixel_spacing_mm=(0.5, 0.25),
        rows=4,
        columns=4,
        slope=1.0,
        intercept=0.0,
        stored_range=(0, 4095),
        localizer=False,
    )


def axial(depths):
    return [at((10, 20, z), source=i) for i, z in enumerate(depths)]


def test_axial_slices_on_paper():
    stack = stack_slices("s", axial([6, 2, 4]))
    assert [place[0].source for place in stack.places] == [1, 2, 0]
    expected = [[-0.25, 0, 0, -10], [0, -0.5, 0, -20], [0, 0, 2, 2], [0, 0, 0, 1]]
    np.testing.assert_allclose(stack.affine, expected)
    assert stack.tilt_degrees == 0.0


def test_sagittal_slices_are_sorted_along_their_own_normal():
    orientation = (0.0, 1.0, 0, 0, 0, -1.0)  # rows run posterior, columns caudal: normal -x
    stack = stack_slices("s", [at((x, 0, 0), orientation=orientation) for x in (1, 3, 2)])
    assert [place[0].position_mm[0] for place in stack.places] == [3.0, 2.0, 1.0]
    np.testing.assert_allclose(stack.affine @ [0, 0, 2, 1], [-1, 0, 0, 1])
    np.testing.assert_allclose(stack.affine @ [4, 4, 0, 1], [-3, -1, -2, 1])


def test_a_tilt_of_45_degrees_shears():
    stack = stack_slices("s", [at((0, k, k)) for k in range(4)])
    assert stack.tilt_degrees == pytest.approx(45.0)
    np.testing.assert_allclose(stack.affine[:3, 2], [0, -1, 1])


@given(
    st.integers(3, 60),
    st.floats(0.3, 5),
    st.integers(0, 1000),
    st.sampled_from([1, 2, 3]),
)
def test_rounded_positions_are_accepted(count, spacing, seed, decimals):
    depths = np.round(-700.0 + spacing * np.arange(count), decimals)
    np.random.default_rng(seed).shuffle(depths)
    stack = stack_slices("s", axial(depths))
    assert stack.affine[2, 2] == pytest.approx(spacing, abs=0.06)


@given(st.integers(4, 40), st.floats(0.5, 5), st.data())
def test_any_missing_inner_slice_is_found(count, spacing, data):
    gone = data.draw(st.integers(1, count - 2))
    depths = np.delete(spacing * np.arange(count), gone)
    # of two gaps, 1 and 2, nobody can tell which is the usual one
    match = "missing|evenly" if count == 4 else "slices are missing"
    with pytest.raises(GeometryError, match=match) as caught:
        stack_slices("s", axial(depths))
    assert f"{spacing * (gone - 1):.2f} and {spacing * (gone + 1):.2f} mm" in str(caught.value)


@pytest.mark.parametrize(
    ("depths", "message"),
    [
        ([0, 1, 2, 3.5, 4.5, 5.5], r"not evenly spaced .*2.00 and 3.50 mm"),
        ([0, 1, 2, 2.5, 3.5, 4.5], r"not evenly spaced .*2.00 and 2.50 mm"),
        (np.cumsum(1 + 0.02 * np.arange(30)), "not evenly spaced|off the line"),
        ([5, 5], "at one position only"),
        ([5], "at one position only"),
        (np.repeat([0, 1, 2, 3, 4, 5, 6, 7, 8], 1) * [1, 1, 1, 1, 1, 1, 1, 1, 2], "missing"),
    ],
)
def test_uneven_spacing_is_refused(depths, message):
    with pytest.raises(GeometryError, match=message):
        stack_slices("s", axial(depths))


def test_many_gaps_are_summed_up():
    depths = np.concatenate([[20 * k, 20 * k + 1, 20 * k + 2] for k in range(9)])
    with pytest.raises(GeometryError, match="and 3 more places"):
        stack_slices("s", axial(depths))


def test_a_sideways_jump_is_refused():
    slices = axial(range(10))
    slices[4] = at((14, 20, 4))
    with pytest.raises(GeometryError, match=r"at 4.00 mm along the normal lies 4.00 mm off"):
        stack_slices("s", slices)


def test_slices_side_by_side_are_refused():
    with pytest.raises(GeometryError, match="side by side"):
        stack_slices("s", [*axial(range(3)), at((90, 20, 1))])


def test_slices_at_one_place_share_an_entry():
    stack = stack_slices("s", axial([0, 1, 1, 2]))
    assert [len(place) for place in stack.places] == [1, 2, 1]


def numbered(numbers):
    return [
        replace(at((0, 0, k), source=k), acquisition=number) for k, number in enumerate(numbers)
    ]


@pytest.mark.parametrize(
    "numbers", [[1] * 6 + [2] * 6, range(12), [1, 2] * 2 + [2] * 6, [None, 1] * 6]
)
def test_acquisitions_that_follow_each_other_are_one_stack(numbers):
    """Axial scans count a table position up, or every slice; some files state no number."""
    assert len(stack_slices("s", numbered(numbers)).places) == len(numbers)


def test_acquisitions_that_alternate_are_refused():
    with pytest.raises(GeometryError, match=r"2 acquisitions \(numbers 3, 4\) alternate, 11 times"):
        stack_slices("s", numbered([3, 4] * 6))
