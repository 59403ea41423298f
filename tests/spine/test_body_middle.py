import numpy as np
import pytest

from spinexplain.spine.body_middle import middle_between_walls

STEP_MM = 1.25
START = np.array([19.5, 23.5, 23.5])


def drawn(*, hollow=0.0, wedge=0.0, arch=False, pit=False):
    """A body of 26 x 30 x 44 mm, w 9 to 30, v 8 to 32, u 6 to 41; 1 inside."""
    w, v, u = np.indices((40, 48, 48)).astype(float)
    back = 32.0 - hollow * (1 - np.minimum(np.abs(u - 23.5) / 10, 1))
    top = 9.0 + wedge * np.clip((20.0 - v) / 12, 0, 1) * 20
    inside = (w >= top) & (w <= 30) & (v >= 8) & (v <= back) & (np.abs(u - 23.5) <= 17.5)
    if pit:
        inside &= ~((w <= 13) & (np.abs(u - 23.5) < 1) & (np.abs(v - 20) < 6))
    if arch:
        inside |= (v > 30) & (np.abs(np.abs(u - 23.5) - 12) < 4) & (w > 12) & (w < 22)
        inside |= (v > 42) & (w > 12) & (w < 22) & (np.abs(u - 23.5) < 14)
    return inside.astype(np.float32)


@pytest.mark.parametrize("arch", [False, True])
@pytest.mark.parametrize("hollow", [0.0, 4.0])
def test_the_middle_lies_halfway_between_the_walls_on_the_midline(arch, hollow):
    body = drawn(hollow=hollow, arch=arch)
    at = middle_between_walls(body, START, STEP_MM)
    assert at == pytest.approx([19.5, (8 + 32 - hollow) / 2, 23.5], abs=0.6)
    mean = np.argwhere(drawn(hollow=hollow)).mean(axis=0)
    assert (mean[1] - at[1] > 1.0) == bool(hollow)


def test_a_center_in_the_arch_is_brought_into_the_body():
    start = START + np.array([2.0, 6.0, 3.0])
    at = middle_between_walls(drawn(arch=True), start, STEP_MM)
    assert at == pytest.approx([19.5, 20.0, 23.5], abs=0.6)


def test_a_wedge_and_a_pit_keep_their_walls():
    assert middle_between_walls(drawn(wedge=0.8), START, STEP_MM)[1] == pytest.approx(20, abs=1.6)
    assert middle_between_walls(drawn(pit=True), START, STEP_MM)[0] == pytest.approx(19.5, abs=0.6)


def test_walls_between_samples_are_found_between_them():
    body = drawn()
    body[:, 33] = 0.4 * body[:, 32]  # the wall lies further back by a third of a sample
    body[:, 32] *= 0.9
    moved = middle_between_walls(body, START, STEP_MM)[1]
    plain = middle_between_walls(drawn(), START, STEP_MM)[1]
    assert 0.1 < moved - plain < 0.3


def test_what_has_no_walls_has_no_middle():
    assert middle_between_walls(np.ones((40, 48, 48), np.float32), START, STEP_MM) is None
    assert middle_between_walls(np.zeros((40, 48, 48), np.float32), START, STEP_MM) is None
    far = START + np.array([9.0, 9.0, 0.0])
    assert middle_between_walls(drawn(), far, STEP_MM) is None  # begins outside the body
