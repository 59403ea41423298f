import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.spine.body_size import expected_body_heights_mm
from spinexplain.spine.norms import norm_heights_mm
from spinexplain.types import Vertebra

LUMBAR = ("T11", "T12", "L1", "L2", "L3", "L4", "L5")
# Half of both published bodies, anterior and posterior averaged, and the disc between them.
DISCS_MM = (6.0, 6.8, 8.0, 9.0, 10.0, 10.5)


def published(name):
    anterior, _, posterior = norm_heights_mm(VertebraLevel(name))
    return (anterior + posterior) / 2


def spine(names=LUMBAR, discs=DISCS_MM, size=1.0, heights=None):
    """A straight spine of published sizes times ``size``; heights by name may differ."""
    own = {name: published(name) for name in names} | (heights or {})
    z, found = 0.0, []
    for at, name in enumerate(names):
        if at:
            z -= (own[names[at - 1]] + own[name]) / 2 + discs[at - 1]
        found.append(Vertebra(VertebraLevel(name), (0.0, 0.0, z * size)))
    return found


def by_name(vertebrae):
    return {level.value: mm for level, mm in expected_body_heights_mm(vertebrae).items()}


@pytest.mark.parametrize("size", [1.0, 0.85, 1.2])
def test_a_person_of_another_size_has_bodies_of_that_size(size):
    found = by_name(spine(size=size))
    assert found == {name: pytest.approx(size * published(name)) for name in LUMBAR}


def test_a_single_vertebra_gets_the_published_height():
    assert by_name(spine(["L3"], ())) == {"L3": pytest.approx(published("L3"))}


def test_a_crushed_body_is_expected_to_be_as_tall_as_before():
    crushed = by_name(spine(heights={"L2": 0.4 * published("L2")}))
    assert crushed["L2"] == pytest.approx(published("L2"), rel=0.01)
    assert crushed["T11"] == pytest.approx(published("T11"), rel=0.01)


def test_with_a_t13_between_t12_and_l1_are_no_neighbors():
    names = ("T11", "T12", "T13", "L1", "L2")
    found = by_name(spine(names, (6.0, 6.8, 6.8, 8.0)))
    assert found == {name: pytest.approx(published(name)) for name in names}


def test_an_unlikely_size_is_not_believed():
    assert by_name(spine(size=3.0))["L3"] == pytest.approx(1.3 * published("L3"))


def test_order_does_not_matter_and_cervical_levels_are_taken_as_t1():
    neck = Vertebra(VertebraLevel("C7"), (0.0, 0.0, 90.0))
    assert by_name([neck]) == {"C7": pytest.approx(published("T1"))}
    vertebrae = spine()
    assert by_name(vertebrae[::-1]) == by_name(vertebrae)
    assert np.isfinite(list(by_name([neck, *vertebrae]).values())).all()
