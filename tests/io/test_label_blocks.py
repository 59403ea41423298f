import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinexplain.errors import FileFormatError
from spinexplain.io.header import NiftiHeader
from spinexplain.io.label_blocks import LabelBlocks


def collected(values, dtype=np.float64, slope=1.0, intercept=0.0, step=5000):
    stored = np.asarray(values, dtype)
    header = NiftiHeader((len(stored), 1, 1), stored.dtype, 352, slope, intercept, np.eye(4))
    blocks = LabelBlocks("mask.nii", header)
    for start in range(0, len(stored), step):
        blocks.add(stored[start : start + step])
    return blocks.whole()


@given(
    st.lists(st.tuples(st.integers(0, 20_000), st.sampled_from([1, 255, 256, 70_000]))),
    st.sampled_from([np.int32, np.uint64, np.float32, np.float64, np.dtype(">i4")]),
    st.sampled_from([1000, 4096, 30_000]),
)
@settings(max_examples=60, deadline=None)
def test_blocks_of_any_size_and_dtype_give_the_same_labels(written, dtype, step):
    values = np.zeros(20_001)
    for place, label in written:
        values[place] = label
    labels = collected(values, dtype, step=step)
    np.testing.assert_array_equal(labels, values)
    assert labels.dtype == (np.uint8 if values.max() < 256 else np.int32)


def test_scaling_is_applied_before_anything_is_judged():
    labels = collected([0, 2, 40], np.int16, slope=0.5, intercept=1.0)
    assert labels.tolist() == [1, 2, 21]
    with pytest.raises(FileFormatError, match="away from a whole"):
        collected([0, 3], np.int16, slope=0.5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.nan, "1 of 12000 voxels are NaN or infinite; expected whole labels. Replace them by 0"),
        (-3.0, "run from -3.0 to 7.0"),
        (3e9, "run from 0.0 to 3000000000.0"),
        (6.5, "up to 0.5 away from a whole number"),
    ],
)
@pytest.mark.parametrize("place", [0, 6000, 11_999])
def test_one_wrong_voxel_anywhere_is_found(wrong, message, place):
    values = np.full(12_000, 7.0)
    values[1] = 0.0
    values[place] = wrong
    with pytest.raises(FileFormatError, match=message):
        collected(values)


def test_a_mask_beyond_all_memory_is_one_clear_error():
    header = NiftiHeader((1 << 20,) * 3, np.dtype("u1"), 352, 1.0, 0.0, np.eye(4))
    with pytest.raises(FileFormatError, match=r"mask.nii: needs \d+ MiB of memory"):
        LabelBlocks("mask.nii", header)
