import numpy as np
import pytest

from spinexplain.reproduce.transfer import limits
from spinexplain.types import Volume


@pytest.mark.parametrize("flip", [1.0, -1.0])
@pytest.mark.parametrize(("sign", "border"), [(1, 13.0), (-1, -4.0)])
def test_a_crop_keeps_its_place_and_ends_at_the_border(flip, sign, border):
    affine = np.diag([2.0, 2.0, 3.0 * flip, 1.0])
    affine[2, 3] = -30.0 * flip
    array = np.arange(4 * 4 * 21, dtype=np.int16).reshape(4, 4, 21)
    volume = Volume(array, affine)
    kept = limits.cropped(volume, 2, sign, border)
    z = kept.affine[2, 3] + kept.affine[2, 2] * np.arange(kept.array.shape[2])
    world = affine[2, 3] + affine[2, 2] * np.arange(21)
    inside = world <= border if sign > 0 else world >= border
    assert z.tolist() == world[inside].tolist()
    assert np.array_equal(kept.array, array[:, :, inside])


def test_averaged_slices_keep_their_place():
    volume = Volume(np.arange(24, dtype=np.int16).reshape(2, 2, 6), np.diag([1.0, 1.0, 1.0, 1.0]))
    array, affine = limits._averaged(volume, 2, 3)
    assert array[0, 0].tolist() == [1, 4]
    assert (affine @ [0, 0, 0, 1])[2] == 1.0
    assert (affine @ [0, 0, 1, 1])[2] == 4.0
