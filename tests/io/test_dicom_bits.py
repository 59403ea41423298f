"""Which bits of a pixel hold its value, as headers state it and as pixels show it."""

import numpy as np
import pytest

from spinexplain.io.dicom_bits import aligned, bits_of, lowest_bit, use_of_bits
from spinexplain.io.dicom_values import UnusableError


@pytest.mark.parametrize(
    ("allocated", "stored", "high", "expected"),
    [(16, 12, 11, 0), (16, 12, 15, 4), (16, 12, 13, 2), (16, 16, 11, 0), (16, 12, None, 0)],
)
def test_the_lowest_bit_follows_from_high_bit(dicom, allocated, stored, high, expected):
    dataset = dicom.slice(dicom.volume(), 0)
    dataset.BitsAllocated, dataset.HighBit = allocated, high
    assert lowest_bit(dataset, stored) == expected


def test_a_high_bit_beyond_the_pixel_is_refused(dicom):
    dataset = dicom.slice(dicom.volume(), 0)
    dataset.HighBit = 16
    with pytest.raises(UnusableError, match="High Bit 16 with 16 Bits Allocated, expected 11"):
        lowest_bit(dataset, 12)


@pytest.mark.parametrize(("dtype", "low", "high"), [("u2", 0, 4095), ("i2", -2048, 2047)])
def test_values_come_back_whatever_the_other_bits_hold(dtype, low, high):
    values = np.arange(low, high + 1)
    raw = ((values << 4).astype(dtype)) | np.arange(16, dtype=dtype).repeat(256)
    found = aligned(raw, 4, bits_of((low, high)))
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found, values)
    uses = use_of_bits(raw, 4, 12)
    assert uses.below
    assert uses.above
