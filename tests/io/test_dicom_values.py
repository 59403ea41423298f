"""Odd values of DICOM elements: read where they can mean one thing, named otherwise."""

import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from spinexplain.io.dicom_values import UnusableError, numbers_of, whole_of


def raw(keyword, value, vr="DS"):
    dataset = Dataset()
    tag = Tag(keyword)
    length = len(value or b"")
    dataset._dict[tag] = RawDataElement(tag, vr, length, value, 0, False, True)
    return dataset


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"0.7\\0.8", (0.7, 0.8)),
        (b"3,0\\3,5 ", (3.0, 3.5)),
        (b"3.00,3.50", (3.0, 3.5)),
        (b" 7e-1\\ .8\0", (0.7, 0.8)),
    ],
)
def test_numbers_as_people_write_them(value, expected):
    assert numbers_of(raw("PixelSpacing", value), "PixelSpacing", 2) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"", "an empty Pixel Spacing"),
        (None, "an empty Pixel Spacing"),
        (b"3,0,3,0", "Pixel Spacing '3,0,3,0', expected 2 numbers"),
        (b"1\\2\\3", "Pixel Spacing '1.2.3', expected 2"),
        (b"nan\\1", "Pixel Spacing 'nan.1'"),
        (b"Amadeus", "Pixel Spacing 'Amadeus'"),
        (b"x" * 90, "'x{32}',"),
    ],
)
def test_what_is_no_number_is_named(value, message):
    with pytest.raises(UnusableError, match=message):
        numbers_of(raw("PixelSpacing", value), "PixelSpacing", 2)


def test_absent_is_not_empty():
    assert numbers_of(Dataset(), "PixelSpacing", 2) == ()
    assert whole_of(Dataset(), "Rows", 7) == 7


def test_values_that_were_converted_already():
    dataset = Dataset()
    dataset.PixelSpacing = ["0.7", "0.8"]
    dataset.RescaleSlope = "2"
    assert numbers_of(dataset, "PixelSpacing", 2) == (0.7, 0.8)
    assert numbers_of(dataset, "RescaleSlope", 1) == (2.0,)


@pytest.mark.parametrize(("vr", "value"), [("US", b"\x30\xf8"), ("SS", b"\x30\xf8")])
def test_padding_has_the_same_bits_signed_or_not(vr, value):
    found = whole_of(raw("PixelPaddingValue", value, vr), "PixelPaddingValue", 0)
    assert found & 0xFFFF == 63536


def test_a_broken_whole_number_is_named():
    with pytest.raises(UnusableError, match="an unusable Number Of Frames"):
        whole_of(raw("NumberOfFrames", b"4.5", "IS"), "NumberOfFrames", 1)
