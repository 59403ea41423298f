"""What is no CT in HU is refused or warned about, and what is one passes in silence."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from spinexplain.errors import FileFormatError
from spinexplain.io.nifti import read_volume
from spinexplain.io.plausibility import check_hounsfield, with_checked_slices
from spinexplain.io.scan_flags import ScanWarning
from spinexplain.types import Volume

DATA = Path(__file__).parents[1] / "data"


def scan(low, high, dtype=np.float32):
    values = np.linspace(low, high, 20**3).reshape(20, 20, 20)
    return Volume(values.astype(dtype), np.eye(4))


@pytest.mark.parametrize(
    "name",
    [
        "totalsegmentator-example/example_ct.nii.gz",
        "totalsegmentator-thoracic/thoracic_ct.nii.gz",
        "tptbox-sample-ct/sub-ct_label-22_ct.nii.gz",
    ],
)
def test_real_scans_pass_in_silence(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_hounsfield(name, read_volume(DATA / name))


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3, 4), (0, 0.05)])
def test_scaled_images_are_refused(low, high):
    with pytest.raises(FileFormatError, match=r"x: values from .* are no Hounsfield units"):
        check_hounsfield("x", scan(low, high))


def test_constant_images_are_refused():
    with pytest.raises(FileFormatError, match="x: every voxel is -1000"):
        check_hounsfield("x", scan(-1000, -1000, np.int16))


def test_masks_are_refused_by_name():
    mask = Volume(np.arange(27, dtype=np.uint8).reshape(3, 3, 3), np.eye(4))
    with pytest.raises(FileFormatError, match=r"x: .*mask"):
        check_hounsfield("x", mask)


@pytest.mark.parametrize(("low", "high"), [(0, 3000), (0, 800), (-50, 400)])
def test_mr_looking_values_are_warned_about(low, high):
    with pytest.warns(ScanWarning, match=f"x: .*lowest {low}"):
        check_hounsfield("x", scan(low, high, np.int16))


@pytest.mark.parametrize("factor", [10, 1e5, 1e30])
def test_values_denser_than_any_patient_are_refused(factor):
    with pytest.raises(FileFormatError, match="denser than any patient"):
        check_hounsfield("x", scan(-1000 * factor, 1500 * factor))


def test_bytes_in_the_wrong_order_are_refused():
    swapped = scan(-1000, 1500, np.int16).array.byteswap()
    with pytest.raises(FileFormatError, match="byte order"):
        check_hounsfield("x", Volume(swapped, np.eye(4)))


def test_a_metal_implant_is_no_reason_to_refuse():
    volume = scan(-1000, 1500)
    volume.array[:5, :5, :20] = 30000
    check_hounsfield("x", volume)


def test_blank_slices_are_flagged_and_warned_of():
    rng = np.random.default_rng(0)
    hu = rng.normal(0, 30, (30, 30, 40)).cumsum(axis=2).astype(np.int16)
    sound = Volume(hu, np.eye(4))
    assert with_checked_slices("scan", sound) is sound
    hu = hu.copy()
    hu[:, :, 12:14] = -1024
    with pytest.warns(ScanWarning, match=r"scan: 2 of 40 planes \(12, 13, counted from 0\) hold"):
        flagged = with_checked_slices("scan", Volume(hu, np.eye(4), ("orientation_unknown",)))
    assert flagged.flags == ("orientation_unknown", "slices_odd")


def test_a_part_that_was_blanked_is_flagged_without_a_word_of_conversion(recwarn):
    rng = np.random.default_rng(0)
    hu = rng.normal(0, 30, (30, 30, 80)).cumsum(axis=2).astype(np.int16)
    hu[:, :, 20:55] = 0
    assert with_checked_slices("scan", Volume(hu, np.eye(4))).flags == ("slices_odd",)
    assert not list(recwarn)
