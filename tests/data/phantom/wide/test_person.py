import numpy as np
import pytest

from spinexplain.data.phantom.presets import load_preset, parse_preset
from spinexplain.data.phantom.wide.person import draw_wide_person
from spinexplain.errors import ConfigError


def test_levels_follow_one_another_and_the_sacrum_lies_below(people):
    for person in people:
        heights = [center[2] for center in person.centers_mm.values()]
        assert (np.diff(heights) < 0).all()
        assert list(person.centers_mm)[:2] == ["C1", "C2"]
        assert person.centers_mm["S1"][2] < person.centers_mm["L5"][2]


def test_the_same_seed_draws_the_same_person():
    one, two = (draw_wide_person("wide", 3, 7) for _ in range(2))
    for name, center in one.centers_mm.items():
        assert np.array_equal(center, two.centers_mm[name])
    for a, b in zip((*one.before, *one.after), (*two.before, *two.after), strict=True):
        assert np.array_equal(a.centers, b.centers)
        assert a.hu == b.hu
    other = draw_wide_person("wide", 4, 7)
    assert not np.array_equal(one.centers_mm["L3"], other.centers_mm["L3"])


def test_patients_lie_on_their_back(people):
    for person in people:
        way = person.centers_mm["T1"] - person.centers_mm["S1"]
        assert abs(np.rad2deg(np.arctan2(way[1], way[2]))) < 20


def test_transitional_levels_have_no_twin_and_are_named():
    settings = {"patient": {"t13": 1.0, "l6": 1.0}, "wide": {"sacralized": 1.0, "construct": 1.0}}
    person = draw_wide_person(parse_preset("odd", settings), 0, 0)
    names = person.subject.names
    assert names[names.index("T12") + 1] == "T13"
    assert names[names.index("L5") + 1] == "L6"
    assert "T13" in person.ribs
    assert person.fused_l5[0] > 0
    assert person.constructs


def test_a_preset_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="expected one of"):
        draw_wide_person("wider", 0, 0)


def test_the_held_out_preset_differs():
    assert load_preset("wide").is_wide
    assert load_preset("wide-test").is_wide
    assert not load_preset("balanced").is_wide
    assert load_preset("wide-test").scanner != load_preset("wide").scanner
