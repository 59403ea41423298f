import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from spinexplain.errors import LabelError
from spinexplain.extents import background, label_extents, labeled_box, labeled_slabs

SHAPES = array_shapes(min_dims=3, max_dims=3, max_side=5)


@given(
    arrays(np.uint8, SHAPES, elements=st.sampled_from([0, 0, 0, 1, 7, 255]), fill=st.nothing()),
    st.permutations(range(3)),
    st.sampled_from([np.uint8, np.int16, np.int32]),
)
@settings(max_examples=100, deadline=None)
def test_agrees_with_scipy_in_every_memory_order_and_dtype(array, order, dtype):
    array = array.astype(dtype).transpose(order)
    found = label_extents(array)
    assert list(found) == sorted(set(array.ravel().tolist()) - {0})
    boxes = ndimage.find_objects(array.astype(int))
    for label, extent in found.items():
        assert extent.box == boxes[label - 1]
        assert extent.count == np.count_nonzero(array == label)
        np.testing.assert_allclose(extent.center_ijk, np.argwhere(array == label).mean(axis=0))


def test_negative_labels_are_labels():
    array = np.zeros((2, 3, 4), np.int16)
    array[1, 2, 3], array[0, 2, 1] = -5, 300
    assert list(label_extents(array)) == [-5, 300]
    assert label_extents(array)[-5].box == (slice(1, 2), slice(2, 3), slice(3, 4))


def test_slabs_tile_the_labeled_box():
    array = np.zeros((9, 8, 60), np.uint8)
    array[2:5, 3, 4], array[7, 1:4, 50] = 20, 21
    extents = label_extents(array)
    assert labeled_box(extents) == (slice(2, 8), slice(1, 4), slice(4, 51))
    seen = np.zeros(array.shape, int)
    for box in labeled_slabs(extents):
        seen[box] += 1
    assert seen[2:8, 1:4, 4:51].min() == seen.max() == 1
    assert seen.sum() == 6 * 3 * 47
    assert list(labeled_slabs({})) == []


def test_an_image_is_refused():
    with pytest.raises(LabelError, match="Is it the CT"):
        label_extents(np.arange(20 * 20 * 20).reshape(20, 20, 20))


def _memory_mib():
    status = open("/proc/self/status").read()  # noqa: SIM115
    return int(status.split("RssAnon:")[1].split()[0]) / 1024


def test_unwritten_background_takes_no_memory():
    before = _memory_mib()
    mask = background((256, 256, 1024))
    mask[100:140, 120:130, ::8] = 3
    assert mask.flags.f_contiguous
    assert np.count_nonzero(mask) == 40 * 10 * 128
    assert _memory_mib() - before < 16  # of 64


@pytest.mark.parametrize("dtype", [np.uint8, np.int32])
def test_small_background_is_an_ordinary_array(dtype):
    mask = background((3, 4, 5), dtype)
    mask[1, 2, 3] = 9
    assert mask.dtype == dtype
    assert mask.sum() == 9
