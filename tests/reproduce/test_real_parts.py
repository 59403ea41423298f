from types import SimpleNamespace

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.evaluate.locating import judged_scan
from spinexplain.reproduce import real_parts
from spinexplain.types import Vertebra, Volume

LEVELS = ("T12", "L1", "L2", "L3", "L4", "L5")
CENTERS_MM = np.array([[0.0, 0.0, 150.0 - 30.0 * k] for k in range(6)])


def scan():
    """Return a scan of 2 mm, cranial to caudal in memory, whose slices hold their height."""
    affine = np.diag([2.0, 2.0, -2.0, 1.0])
    affine[:3, 3] = (-9.0, -9.0, 190.0)
    heights = 190 - 2 * np.arange(110)
    array = np.broadcast_to(heights.astype(np.int16), (10, 10, 110))
    vertebrae = tuple(
        Vertebra(VertebraLevel(name), tuple(center))
        for name, center in zip(LEVELS, CENTERS_MM, strict=True)
    )
    return SimpleNamespace(volume=Volume(array, affine), centroids=vertebrae, labels=None)


def test_parts_show_every_run_of_levels_and_no_other_center():
    found = list(real_parts.parts("lumbar", scan(), 4))
    assert [part.vertebrae[0].level.value for part in found] == ["T12", "L1", "L2"]
    for part in found:
        heights = part.volume.array[0, 0]
        inside = (CENTERS_MM[:, 2] <= heights.max()) & (CENTERS_MM[:, 2] >= heights.min())
        assert inside.sum() == 4
        last = np.array([0, 0, len(heights) - 1, 1])
        assert (part.volume.affine @ last)[2] == heights[-1]


def test_thick_slices_lie_where_both_of_them_lay():
    thick = real_parts.thick(scan().volume)
    places = thick.affine[2, 2] * np.arange(thick.array.shape[2]) + thick.affine[2, 3]
    np.testing.assert_allclose(thick.array[0, 0], places)
    assert thick.spacing_mm == (2.0, 2.0, 4.0)


def test_noise_is_that_of_its_name_and_the_same_every_time():
    volume = scan().volume
    noise = real_parts.noisy(volume).array.astype(float) - volume.array
    assert abs(noise.std() - real_parts.NOISE_HU) < 1.5
    np.testing.assert_array_equal(real_parts.noisy(volume).array, real_parts.noisy(volume).array)


def test_every_part_is_measured_as_it_is_and_made_worse(tmp_path, monkeypatch):
    def judge(found, _prior):
        centers = found.truth_mm[:3] if found.group == "lumbar" else found.truth_mm
        one = judged_scan(centers, found.levels[: len(centers)], found.truth_mm, found.levels)
        return {"localizer": one}

    monkeypatch.setattr(real_parts, "SCANS", ("lumbar",))
    monkeypatch.setattr(real_parts, "real_scan", lambda *_: scan())
    monkeypatch.setattr(real_parts, "find_chain", lambda *_: "no spine is recognized in it")
    monkeypatch.setattr(real_parts, "classical_centers", lambda *_: np.zeros((0, 3)))
    content = real_parts.measured_parts(tmp_path, None, None, judge)
    assert len(content["rows"]) == 3 * len(real_parts.CHANGES)
    assert content["rows"][3]["first"] == "L1"
    assert content["figures"]["all"]["localizer"]["found"] == 0.75
    assert content["figures"]["slices twice as thick"]["localizer"]["scans"] == 3
