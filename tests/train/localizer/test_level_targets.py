import numpy as np
import pytest

from spinexplain.geometry import fit_curve
from spinexplain.localizer.section import arc_lengths, section_frame
from spinexplain.models.localizing import LEVEL_CLASSES, OUTSIDE
from spinexplain.train.localizer.level_targets import UNKNOWN, level_targets

CAUDAL = np.array([0.0, 0.0, -1.0])
NAMES = ("T12", "L1", "L2", "L3", "L4", "L5", "S1", "S2")
CENTERS = np.array([[0.0, 0.0, 210.0 - 30.0 * k] for k in range(len(NAMES))])


def truth(curve=None, seen=None):
    curve = fit_curve(CENTERS, CAUDAL) if curve is None else curve
    frame = section_frame(curve, -30.0, 144)
    seen = np.ones(144, bool) if seen is None else seen
    return arc_lengths(frame), level_targets(frame, NAMES, CENTERS, seen)


def test_bumps_are_at_the_centers_and_discs_between():
    s, t = truth()
    for k in range(7):
        assert t.center[np.abs(s - 30.0 * k) < 1].max() > 0.9
        assert t.disc[np.abs(s - 30.0 * k) < 6].max() < 0.05
    assert t.disc[np.abs(s - 45.0) < 1.5].max() > 0.9
    assert t.center[np.abs(s - 210.0) < 8].max() < 0.05  # S2 has no center to find


def test_levels_cover_the_bodies_and_leave_the_discs_open():
    s, t = truth()
    for k, name in enumerate(NAMES[:6]):
        at = int(np.abs(s - 30.0 * k).argmin())
        assert LEVEL_CLASSES[t.level[at]] == name
    assert t.level[int(np.abs(s - 15.0).argmin())] == UNKNOWN
    assert LEVEL_CLASSES[t.level[int(np.abs(s - 195.0).argmin())]] == "S"
    assert t.level[0] == UNKNOWN  # 30 mm above T12: not known


def test_offsets_point_from_an_erring_curve_to_the_bodies():
    aside = fit_curve(CENTERS + np.array([6.0, -4.0, 0.0]), CAUDAL)
    _, t = truth(aside)
    # left is -x, posterior is -y
    assert t.taught.any()
    assert np.allclose(t.offsets_cm[1:, t.taught], [[-0.4], [0.6]], atol=1e-3)
    assert np.abs(t.offsets_cm[0, t.taught]).max() < 0.81


def test_bodies_far_from_the_curve_are_not_there():
    _, t = truth(fit_curve(CENTERS + np.array([60.0, 0.0, 0.0]), CAUDAL))
    assert t.center.max() == 0
    assert not t.taught.any()
    assert (t.level == LEVEL_CLASSES.index(OUTSIDE)).mean() > 0.7


def test_beyond_the_scan_is_outside():
    seen = np.arange(144) < 60
    _, t = truth(seen=seen)
    assert (t.level[60:] == LEVEL_CLASSES.index(OUTSIDE)).all()
    assert t.center[60:].max() == 0
    assert t.center[:60].max() == pytest.approx(1.0, abs=0.05)
