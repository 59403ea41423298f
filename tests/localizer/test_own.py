import numpy as np
import pytest

from fixtures.localizers import localization_of
from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import ConfigError, LabelError
from spinexplain.io.scan_flags import ScanWarning
from spinexplain.localizer.located import Localization
from spinexplain.localizer.own import find_vertebrae, localize, named_level
from spinexplain.spine.quality import LEVEL_UNCERTAIN, TOUCHES_BORDER
from spinexplain.types import Vertebra, Volume

T12, L1, L2, L3 = (VertebraLevel(name) for name in ("T12", "L1", "L2", "L3"))
SPINE = [Vertebra(level, (60.0, 60.0, 130.0 - 36.0 * i)) for i, level in enumerate((L1, L2, L3))]
SHIFTED = ((T12, L1, L2), 0.3)


@pytest.fixture
def scan():
    return Volume(np.full((60, 60, 90), 40, np.int16), np.diag([2.0, 2.0, 2.0, 1.0]))


def test_centers_names_and_bodies_of_a_bare_scan(scan, pretend_localizer):
    pretend_localizer(localization_of(SPINE, cut=(L3,)))
    found = find_vertebrae(scan)
    assert [v.level for v in found.vertebrae] == [L1, L2, L3]
    assert [v.flags for v in found.vertebrae] == [(), (), (TOUCHES_BORDER,)]
    assert set(found.bodies.labels.extents) == {20, 21, 22}
    assert found.next_level is None
    assert find_vertebrae(scan, bodies=False).bodies is None


def test_uncertain_names_are_flagged_and_the_next_hypothesis_is_offered(scan, pretend_localizer):
    pretend_localizer(localization_of(SPINE, 0.6, others=[SHIFTED]))
    found = find_vertebrae(scan, bodies=False)
    assert {v.flags for v in found.vertebrae} == {(LEVEL_UNCERTAIN,)}
    assert found.next_level is T12


def test_a_first_level_mends_the_names_and_ends_the_doubt(scan, pretend_localizer):
    pretend_localizer(localization_of(SPINE, 0.6, others=[SHIFTED]))
    found = find_vertebrae(scan, "t12", bodies=False)
    assert [v.level for v in found.vertebrae] == [T12, L1, L2]
    assert {v.flags for v in found.vertebrae} == {()}
    assert (found.given_level, found.next_level) == (T12, None)
    assert [v.centroid_mm for v in found.vertebrae] == [v.centroid_mm for v in SPINE]


@pytest.mark.parametrize(
    ("given", "said"),
    [("C3", "calls this vertebra L1 \\(60 %\\). That is 17 levels"), ("T10", "3 levels apart")],
)
def test_a_first_level_far_from_what_is_seen_is_taken_with_a_warning(
    scan, pretend_localizer, given, said
):
    pretend_localizer(localization_of(SPINE, 0.6))
    with pytest.warns(ScanWarning, match=said):
        found = find_vertebrae(scan, given, bodies=False)
    assert found.vertebrae[0].level is VertebraLevel(given)
    assert "levels apart" in found.localization.doubts[-1]


def test_bodies_that_lose_their_name_are_counted(scan, pretend_localizer):
    pretend_localizer(localization_of(SPINE, 0.6))
    with pytest.warns(ScanWarning, match="4 levels apart, and leaves 2 of the bodies"):
        assert len(find_vertebrae(scan, "L5", bodies=False).vertebrae) == 1


def test_a_scan_without_a_spine_is_refused_with_the_reason(scan, pretend_localizer):
    pretend_localizer(Localization(refused="it shows a neck"))
    with pytest.raises(LabelError, match="it shows a neck"):
        find_vertebrae(scan)
    with pytest.raises(LabelError, match="it shows a neck"):
        find_vertebrae(scan, "L1")


def test_localize_reads_what_is_given_and_asks_only_where_nothing_is(scan, pretend_localizer):
    pretend_localizer(localization_of(SPINE))
    assert [v.level for v in localize(scan)] == [L1, L2, L3]
    hu = np.array(scan.array)
    hu[25:36, 25:36, 60:70] = 500
    given = [Vertebra(T12, (60.0, 60.0, 130.0))]
    assert [v.level for v in localize(Volume(hu, scan.affine), centroids=given)] == [T12]
    with pytest.raises(ConfigError, match="beside a mask or centroids"):
        localize(scan, centroids=given, first_level="T4")


def test_what_is_no_level_is_refused():
    with pytest.raises(ConfigError, match="'D4'"):
        named_level("D4")
    assert named_level(L1) is L1
