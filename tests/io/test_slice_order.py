import numpy as np
import pytest

from spinexplain.io.nifti import read_volume
from spinexplain.io.slice_order import slice_doubt

AFFINE = np.diag([2.0, 2.0, 3.0, 1.0])


def scan(planes: int = 60, noise_hu: float = 30.0) -> np.ndarray:
    """A body that changes slowly from plane to plane, with noise."""
    rng = np.random.default_rng(4)
    x, y, z = np.meshgrid(*(np.arange(n) for n in (40, 40, planes)), indexing="ij")
    shape = 300 * np.sin(x / 9 + z / 8) + 300 * np.cos(y / 7 - z / 11)
    return (shape + rng.normal(0, noise_hu, shape.shape)).astype(np.int16)


@pytest.mark.parametrize("noise_hu", [5.0, 100.0])
def test_a_sound_scan_raises_no_doubt(noise_hu):
    assert slice_doubt(scan(noise_hu=noise_hu), AFFINE) == ""


def test_the_axis_is_that_of_the_body():
    turned = np.ascontiguousarray(np.moveaxis(scan(), 2, 0))
    affine = np.zeros((4, 4))
    affine[[2, 0, 1, 3], [0, 1, 2, 3]] = 3.0, 2.0, 2.0, 1.0
    assert slice_doubt(turned, affine) == ""
    turned[20] = -1024
    assert slice_doubt(turned, affine) == "1 of 60 planes (20, counted from 0) holds one value only"


def test_blank_planes_within_but_not_at_the_ends():
    array = scan()
    array[:, :, :3] = array[:, :, -2:] = -1024
    assert slice_doubt(array, AFFINE) == ""
    array[:, :, 30:32] = -1024
    assert "2 of 60 planes (30, 31, counted from 0) hold one value only" in slice_doubt(
        array, AFFINE
    )


@pytest.mark.parametrize(("step", "count"), [(2, 30), (3, 40)])
def test_planes_repeated_to_look_thinner(step, count):
    array = scan()[:, :, np.arange(60) // step * step]
    assert slice_doubt(array, AFFINE).startswith(f"{count} of 60 planes")
    assert "equal to the one before" in slice_doubt(array, AFFINE)


def test_a_scan_drawn_without_noise_is_no_repetition():
    array = np.full((40, 40, 60), -1000, np.int16)
    array[10:30, 10:30, 20:50] = 200
    assert slice_doubt(array, AFFINE) == ""


def test_planes_in_any_order_or_sorted_as_text():
    shuffled = np.random.default_rng(0).permutation(60)
    assert "out of order" in slice_doubt(scan()[:, :, shuffled], AFFINE)
    as_text = [int(name) for name in sorted(map(str, range(60)))]
    assert "differ from the one before" in slice_doubt(scan(noise_hu=5.0)[:, :, as_text], AFFINE)


def test_few_planes_say_nothing():
    assert slice_doubt(scan(planes=8), AFFINE) == ""


@pytest.mark.parametrize(
    "name",
    [
        "totalsegmentator-example/example_ct.nii.gz",
        "totalsegmentator-thoracic/thoracic_ct.nii.gz",
        "tptbox-sample-ct/sub-ct_label-22_ct.nii.gz",
    ],
)
def test_real_scans_raise_no_doubt(name):
    from pathlib import Path

    volume = read_volume(Path(__file__).parents[1] / "data" / name)
    assert slice_doubt(volume.array, volume.affine) == ""
