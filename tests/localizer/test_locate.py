from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest

from fixtures.drawn_bodies import GAP_MM, block_scan, bright_curve, bright_levels, centers_of
from spinexplain.anatomy import VertebraLevel
from spinexplain.io.scan_flags import ScanWarning
from spinexplain.localizer import locate as locate_module
from spinexplain.localizer.locate import (
    NECK_ONLY,
    NO_SPINE,
    SACRUM_ONLY,
    TOO_SHORT,
    UNLIKE_SPINE,
    locate,
    upside_down,
)
from spinexplain.localizer.naming import STATES, NamingPrior
from spinexplain.localizer.networks import shipped_networks
from spinexplain.localizer.prior import shipped_prior
from spinexplain.types import Volume

PRIOR = NamingPrior(gap_mm=(GAP_MM,) * len(STATES))
LUMBAR = ("T11", "T12", "L1", "L2", "L3", "L4", "L5", "S1")
AROUND = np.array([50.0, 50.0, 20.0])


def networks(names):
    return SimpleNamespace(curve=bright_curve, levels=bright_levels(names), body=None)


@pytest.fixture(scope="module")
def scan():
    return block_scan(centers_of(LUMBAR), 2.0, AROUND)


def turned(scan, axes):
    """Store the same scan in another axis order."""
    image = nib.Nifti1Image(scan.array, scan.affine)
    goal = nib.orientations.axcodes2ornt(tuple(axes))
    start = nib.orientations.io_orientation(scan.affine)
    other = image.as_reoriented(nib.orientations.ornt_transform(start, goal))
    return Volume(np.asarray(other.dataobj), other.affine)


@pytest.mark.parametrize("axes", ["RAS", "PIR", "LAS"])
def test_bodies_are_found_and_named_in_any_axis_order(scan, axes):
    found = locate(turned(scan, axes), networks(LUMBAR), PRIOR)
    truth = np.array(list(centers_of(LUMBAR).values()))
    at = np.array([center.center_mm for center in found.centers])
    assert at.shape == truth.shape
    assert np.linalg.norm(at - truth, axis=1).max() < 4.0
    names = [level and level.value for level in found.namings[0].levels]
    assert names == [*LUMBAR[:-1], None]
    assert found.probability > 0.9
    assert not any(center.cut for center in found.centers)


def test_the_sacrum_is_a_landmark(scan):
    assert "sacrum" in locate(scan, networks(LUMBAR), PRIOR).landmarks


@pytest.mark.parametrize(
    ("names", "reason"),
    [(("C2", "C3", "C4", "C5", "C6"), NECK_ONLY), (("S1", "S2", "S3", "S4", "S5"), SACRUM_ONLY)],
)
def test_a_neck_or_a_sacrum_alone_is_refused(names, reason):
    found = locate(block_scan(centers_of(names), 2.0, AROUND), networks(names), PRIOR)
    assert found.refused == reason
    assert not found.centers


def test_a_block_without_a_spine_is_refused():
    block = Volume(np.full((60, 60, 60), 40, np.int16), np.diag([2.0, 2.0, 2.0, 1.0]))
    assert locate(block, networks(LUMBAR), PRIOR).refused == NO_SPINE


def test_the_next_hypothesis_is_one_level_off(scan):
    found = locate(scan, networks(LUMBAR), PRIOR)
    firsts = [naming.first for naming in found.namings]
    assert firsts[0] is VertebraLevel.T11
    assert sum(naming.probability for naming in found.namings) <= 1 + 1e-9


def test_a_scan_shorter_than_a_vertebra_is_refused_as_too_short():
    block = Volume(np.full((60, 60, 2), 40, np.int16), np.diag([2.0, 2.0, 5.0, 1.0]))
    assert locate(block, networks(LUMBAR), PRIOR).refused == TOO_SHORT


def test_what_the_map_is_nowhere_sure_of_is_refused(scan):
    def doubting(x):
        logits = bright_curve(x)
        return np.where(logits == 9.0, 3.3, logits)  # .56 on the bodies

    found = locate(
        scan, SimpleNamespace(curve=doubting, levels=bright_levels(LUMBAR), body=None), PRIOR
    )
    assert found.refused == UNLIKE_SPINE


def test_a_doubt_of_the_header_is_said_of_a_refused_scan_too(scan, monkeypatch):
    """Turned upside down, a thoracic spine was called sacral, and nothing said why."""
    monkeypatch.setattr(locate_module, "direction_doubt", lambda *_: "Is the scan upside down?")
    with pytest.warns(ScanWarning, match="Is the scan upside down"):
        found = locate(scan, networks(("S1", "S2", "S3", "S4", "S5")), PRIOR)
    assert found.refused == SACRUM_ONLY


def test_cervical_names_without_a_neck_make_a_scan_look_upside_down(scan):
    names = ("C4", "C5", "C6", "C7", "T1", "T2", "T3", "T4")
    with pytest.warns(ScanWarning, match="4 bodies would be cervical, but no neck.*upside down"):
        found = locate(scan, networks(names), PRIOR)
    assert found.namings[0].first is VertebraLevel.C4
    assert "upside down" in found.doubts[0]
    levels = found.namings[0].levels
    assert upside_down(levels, 44.0) is None
    assert upside_down(levels[2:], 0.0) is None


def test_the_shipped_networks_refuse_water_and_air():
    r = np.random.default_rng(0)
    hu = r.normal(-1000, 20, (60, 60, 60))
    x, y = np.indices((60, 60))
    inside = np.hypot(x - 30, y - 30) < 20
    cylinder = np.where(inside[:, :, None], hu + 1000, hu)
    for array in (hu, cylinder):
        scan = Volume(array.astype(np.int16), np.diag([4.0, 4.0, 4.0, 1.0]))
        assert locate(scan, shipped_networks(), shipped_prior()).refused == NO_SPINE
