"""Values that do not begin at the lowest bit: shifted, believed or refused."""

import numpy as np
import pytest

from spinexplain.errors import FileFormatError
from spinexplain.io.dicom import read_dicom


def written(tmp_path, dicom, change, signed=False, syntax=None):
    """Write a series of 12 bits whose pixels were changed, with High Bit 15."""
    series = dicom.volume(low=-1000 if not signed else -2000)
    series.signed, series.intercept, series.bits = signed, 0.0 if signed else -1024.0, 12
    for k in range(series.array.shape[2]):
        dataset = dicom.slice(series, k)
        dataset.PixelData = change(series.stored(k)).tobytes()
        dataset.HighBit = 15
        dicom.save(dataset, tmp_path / str(k), syntax or series.syntax)
    return series


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("beside", [0, 9])
@pytest.mark.parametrize("syntax", [None, "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.2"])
def test_left_aligned_values(tmp_path, dicom, signed, beside, syntax):
    series = written(tmp_path, dicom, lambda a: (a << 4) | a.dtype.type(beside), signed, syntax)
    np.testing.assert_array_equal(read_dicom(tmp_path).array, series.array)


@pytest.mark.parametrize("signed", [False, True])
def test_a_high_bit_that_the_pixels_contradict(tmp_path, dicom, signed):
    series = written(tmp_path, dicom, lambda a: a, signed)
    np.testing.assert_array_equal(read_dicom(tmp_path).array, series.array)


def test_a_codec_that_does_not_say_where_values_lie(tmp_path, dicom):
    written(tmp_path, dicom, lambda a: a, syntax="1.2.840.10008.1.2.4.80")
    with pytest.raises(FileFormatError, match=r"High Bit 15 with 12 Bits Stored and JPEG-LS"):
        read_dicom(tmp_path)
