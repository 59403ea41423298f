"""Every JPEG process of DICOM is read, to the value, without a word on the terminal."""

import tempfile

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels import pixel_array

from spinexplain.errors import FileFormatError
from spinexplain.io import jpeg
from spinexplain.io.dicom import read_dicom

BASELINE, EXTENDED, LOSSLESS, FIRST_ORDER = jpeg.DECODER_DEPENDENCIES


def write_slices(folder, dicom, series, syntax, encode):
    folder.mkdir(exist_ok=True)
    for k in range(series.array.shape[2]):
        dataset = dicom.slice(series, k)
        dataset.PixelData = encapsulate([encode(series.stored(k))])
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.save_as(folder / str(k), enforce_file_format=True)
    return folder


def noise(dicom, bits, signed=False):
    series = dicom.volume((9, 7, 3))
    series.bits, series.signed = bits, signed
    series.array = np.clip(series.array, -1024, 2 ** min(bits, 12) - 1025).astype(np.int16)
    if signed:
        series.intercept = 0.0
    return series


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("bits", [12, 16])
def test_lossless_with_every_predictor(tmp_path, dicom, predictor, bits, jpeg_streams):
    series = noise(dicom, bits)
    folder = write_slices(
        tmp_path / "s", dicom, series, LOSSLESS, lambda s: jpeg_streams.lossless(s, predictor, bits)
    )
    np.testing.assert_array_equal(read_dicom(folder).array, series.array)


def test_lossless_of_negative_values(tmp_path, dicom, jpeg_streams):
    series = noise(dicom, 16, signed=True)
    folder = write_slices(
        tmp_path / "s",
        dicom,
        series,
        FIRST_ORDER,
        lambda stored: jpeg_streams.lossless(stored.view(np.uint16)),
    )
    np.testing.assert_array_equal(read_dicom(folder).array, series.array)


def test_extended_with_12_bits_and_baseline_with_8(tmp_path, dicom, capfd, jpeg_streams):
    for syntax, bits in ((EXTENDED, 12), (BASELINE, 8)):
        series = dicom.volume((24, 16, 3))
        levels = np.random.default_rng(bits).integers(0, 2**bits, (3, 2, 3))
        series.array = (np.kron(levels, np.ones((8, 8, 1))) - 1024).astype(np.int16)
        series.bits = bits
        folder = tmp_path / str(bits)
        write_slices(
            folder,
            dicom,
            series,
            syntax,
            lambda s, b=bits: jpeg_streams.flat_blocks(s[::8, ::8], b),
        )
        if bits == 8:
            for path in folder.iterdir():
                dataset = pydicom.dcmread(path)
                dataset.BitsAllocated = 8
                dataset.save_as(path)
        np.testing.assert_array_equal(read_dicom(folder).array, series.array)
    assert capfd.readouterr() == ("", "")


def test_a_real_extended_stream_resembles_its_jpeg_2000_twin():
    """Both files of pydicom hold one picture, strongly compressed: alike but not the same."""
    path = get_testdata_file("JPGExtended.dcm")
    syntax = pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID
    ours = pixel_array(path, raw=True, decoding_plugin=jpeg.decoding_plugin(syntax))
    twin = pixel_array(get_testdata_file("JPEG2000.dcm"), raw=True)
    assert ours.dtype == np.uint16
    assert ours.shape == twin.shape == (1024, 256)
    slope, offset = np.polyfit(twin.ravel(), ours.ravel(), 1)
    assert slope == pytest.approx(1, abs=0.05)
    assert abs(offset) < 2
    assert np.corrcoef(ours.ravel(), twin.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_stream_cut_short_is_refused_in_silence(tmp_path, dicom, share, capfd, jpeg_streams):
    def cut(stored):
        whole = jpeg_streams.lossless(stored)
        return whole[: int(len(whole) * share) // 2 * 2]

    folder = write_slices(tmp_path / "s", dicom, noise(dicom, 16), FIRST_ORDER, cut)
    with pytest.raises(FileFormatError, match=r"cannot be decoded .*damaged or cut short"):
        read_dicom(folder)
    assert capfd.readouterr() == ("", "")


def test_another_size_than_declared_is_refused(tmp_path, dicom, jpeg_streams):
    def smaller(stored):
        return jpeg_streams.lossless(stored[:-2, :-2])

    folder = write_slices(tmp_path / "s", dicom, noise(dicom, 16), FIRST_ORDER, smaller)
    with pytest.raises(FileFormatError, match="cannot be decoded"):
        read_dicom(folder)


def test_nothing_stays_behind_and_no_name_is_written(tmp_path, dicom, monkeypatch, jpeg_streams):
    series = noise(dicom, 16)
    folder = write_slices(tmp_path / "s", dicom, series, FIRST_ORDER, jpeg_streams.lossless)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    written = []
    wrapped = jpeg._wrapped
    monkeypatch.setattr(
        jpeg, "_wrapped", lambda *given: written.append(wrapped(*given)) or written[-1]
    )
    read_dicom(folder)
    assert list(scratch.iterdir()) == []
    assert len(written) == 3
    assert all(dicom.patient not in str(dataset) for dataset in written)


def test_without_standard_error_it_decodes_too(tmp_path, dicom, monkeypatch, jpeg_streams):
    def closed(_):
        raise OSError

    series = noise(dicom, 16)
    folder = write_slices(tmp_path / "s", dicom, series, FIRST_ORDER, jpeg_streams.lossless)
    monkeypatch.setattr(jpeg.os, "dup", closed)
    np.testing.assert_array_equal(read_dicom(folder).array, series.array)


def test_the_streams_of_these_tests_are_those_of_the_standard(jpeg_streams):
    """Two values: 32770 is 2 above the middle (category 2, bits 10), the next 1 below (1, 0)."""
    assert jpeg_streams.coded(2) == "0001010"
    assert jpeg_streams.coded(-1) == "000010"
    assert jpeg_streams.coded(32768) == "10000"
    said = jpeg_streams.lossless(np.array([[32770, 32769]], np.uint16))
    assert said.endswith(bytes([0b00010100, 0b00010111]) + b"\xff\xd9\0")
    assert next(generate_frames(encapsulate([said]))) == said
