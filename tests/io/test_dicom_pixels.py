"""Stored values become HU: exact where they can be, float32 elsewhere, nothing guessed."""

import numpy as np
import pytest
import SimpleITK as sitk

from spinexplain.errors import FileFormatError
from spinexplain.io.dicom import read_dicom


@pytest.mark.parametrize(
    ("slope", "intercept", "signed", "bits"),
    [(1, -1024, False, 12), (1, 0, True, 16), (1, -1024, True, 16), (2, -2048, False, 16)],
)
def test_whole_rescales_stay_int16(tmp_path, dicom, slope, intercept, signed, bits):
    series = dicom.volume()
    series.array = (series.array // 2 * 2).astype(np.int16)
    series.slope, series.intercept, series.signed, series.bits = slope, intercept, signed, bits
    volume = read_dicom(dicom.folder(tmp_path, series))
    assert volume.array.dtype == np.int16
    np.testing.assert_array_equal(volume.array, series.array)


def test_fractional_rescales_become_float32(tmp_path, dicom):
    series = dicom.volume()
    series.slope, series.intercept = 0.5, -1024.25
    volume = read_dicom(dicom.folder(tmp_path, series))
    assert volume.array.dtype == np.float32
    expected = np.rint((series.array + 1024.25) / 0.5) * 0.5 - 1024.25
    np.testing.assert_array_equal(volume.array, expected.astype(np.float32))


def test_every_slice_has_its_own_rescale(tmp_path, dicom):
    series = dicom.volume()
    for k in range(5):
        series.intercept = -1024.0 - 100 * k
        dicom.save(dicom.slice(series, k), tmp_path / str(k))
    np.testing.assert_array_equal(read_dicom(tmp_path).array, series.array)


def test_values_beyond_int16_change_to_float32_and_lose_nothing(tmp_path, dicom):
    series = dicom.volume()
    series.intercept = 0.0
    series.array = np.abs(series.array).astype(np.int32)
    series.array[3, 3, 2] = 60_000
    volume = read_dicom(dicom.folder(tmp_path, series))
    assert volume.array.dtype == np.float32
    np.testing.assert_array_equal(volume.array, series.array)


def test_bits_above_the_stored_ones_are_no_values(tmp_path, dicom):
    series = dicom.volume()
    series.bits = 12
    for k in range(5):
        dataset = dicom.slice(series, k)
        overlaid = np.frombuffer(dataset.PixelData, np.uint16) | np.uint16(0x8000)
        dataset.PixelData = overlaid.tobytes()
        dicom.save(dataset, tmp_path / str(k))
    np.testing.assert_array_equal(read_dicom(tmp_path).array, series.array)


def test_a_slice_copied_twice_counts_once(tmp_path, dicom):
    series = dicom.volume()
    dicom.folder(tmp_path, series)
    dicom.save(dicom.slice(series, 3), tmp_path / "copy")
    np.testing.assert_array_equal(read_dicom(tmp_path).array, series.array)


def test_two_different_slices_at_one_place_are_refused(tmp_path, dicom):
    series = dicom.volume()
    dicom.folder(tmp_path, series)
    series.array = series.array + np.int16(1)
    dicom.save(dicom.slice(series, 3), tmp_path / "phase2")
    with pytest.raises(FileFormatError, match=r"another slice .* \(-100.00, -80.00, -294.00 mm"):
        read_dicom(tmp_path)


def lossless_jpeg(stored, path):
    """Encode with SimpleITK (pydicom has no encoder for it) and return the fragments."""
    import pydicom

    image = sitk.GetImageFromArray(stored[None])
    image.SetMetaData("0008|0060", "CT")
    writer = sitk.ImageFileWriter()
    writer.SetFileName(str(path))
    writer.UseCompressionOn()
    writer.SetCompressor("JPEG")
    writer.Execute(image)
    return pydicom.dcmread(path)


def test_lossless_jpeg(tmp_path, dicom):
    series = dicom.volume((64, 64, 3))
    for k in range(3):
        dataset = dicom.slice(series, k)
        encoded = lossless_jpeg(series.stored(k), tmp_path.parent / f"{k}.dcm")
        dataset.PixelData = encoded.PixelData
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = encoded.file_meta.TransferSyntaxUID
        dataset.save_as(tmp_path / str(k), enforce_file_format=True)
    assert encoded.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.70"
    np.testing.assert_array_equal(read_dicom(tmp_path).array, series.array)


@pytest.mark.parametrize(
    ("name", "original"),
    [("MR_small_jpeg_ls_lossless.dcm", "MR_small.dcm"), ("MR_small_RLE.dcm", "MR_small.dcm")],
)
def test_real_compressed_streams(tmp_path, dicom, name, original):
    import pydicom
    from pydicom.data import get_testdata_file

    encoded = pydicom.dcmread(get_testdata_file(name))
    truth = pydicom.dcmread(get_testdata_file(original)).pixel_array
    series = dicom.volume((64, 64, 3))
    series.signed, series.intercept = True, -1024.0
    for k in range(3):
        dataset = dicom.slice(series, k)
        dataset.PixelData = encoded.PixelData
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = encoded.file_meta.TransferSyntaxUID
        dataset.save_as(tmp_path / str(k), enforce_file_format=True)
    volume = read_dicom(tmp_path)
    for k in range(3):
        np.testing.assert_array_equal(volume.array[:, :, k].T, truth - 1024)


@pytest.mark.parametrize(
    ("syntax", "how", "bound"),
    [
        ("1.2.840.10008.1.2.4.81", {"jls_error": 2}, 2),
        ("1.2.840.10008.1.2.4.91", {"j2k_psnr": [90]}, 2.2),
    ],
)
def test_lossy_streams_lose_no_more_than_was_allowed(tmp_path, dicom, syntax, how, bound):
    series = dicom.volume((64, 64, 3))
    for k in range(3):
        dataset = dicom.slice(series, k)
        dataset.compress(syntax, generate_instance_uid=False, **how)
        dataset.save_as(tmp_path / str(k), enforce_file_format=True)
    volume = read_dicom(tmp_path)
    error = volume.array.astype(float) - series.array
    assert 0 < np.sqrt(np.mean(error**2)) <= bound  # 90 dB of 65535 are 2.1


def compressed(folder, dicom):
    series = dicom.volume((64, 64, 3))
    series.syntax = "1.2.840.10008.1.2.4.90"
    return dicom.folder(folder, series)


def test_an_unknown_compression_is_named(tmp_path, dicom):
    for path in compressed(tmp_path, dicom).iterdir():
        mpeg = path.read_bytes().replace(b"1.2.840.10008.1.2.4.90", b"1.2.840.10008.1.2.4.94")
        path.write_bytes(mpeg)
    with pytest.raises(FileFormatError, match="transfer syntax JPIP Referenced cannot be decoded"):
        read_dicom(tmp_path)


def test_missing_decoders_say_how_to_install(tmp_path, dicom, monkeypatch):
    from pydicom.pixels.decoders import JPEG2000LosslessDecoder

    compressed(tmp_path, dicom)
    monkeypatch.setattr(JPEG2000LosslessDecoder, "_available", {})
    with pytest.raises(FileFormatError, match=r"JPEG 2000 .* pip install 'spinexplain\[dicom\]'"):
        read_dicom(tmp_path)


@pytest.mark.parametrize(
    ("side", "message"),
    [(65_535, "65535 x 65535 pixels, expected at most 8192"), (8192, "declares 40 slices of 8192")],
)
def test_absurd_sizes_are_refused_before_memory_is_taken(tmp_path, dicom, side, message):
    series = dicom.volume((2, 2, 40))
    series.tags = {"Rows": side, "Columns": side, "PixelSpacing": [0.4, 0.4]}
    with pytest.raises(FileFormatError, match=message):
        read_dicom(dicom.folder(tmp_path, series))
