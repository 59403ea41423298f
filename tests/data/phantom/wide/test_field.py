import numpy as np
import pytest

from spinexplain.data.phantom.presets import parse_preset
from spinexplain.data.phantom.wide.field import WideField, draw_wide_field, whole_field
from spinexplain.data.phantom.wide.person import draw_wide_person


@pytest.fixture(scope="module")
def fields(people):
    drawn = []
    for k in range(40):
        person = people[k % len(people)]
        drawn.append((person, draw_wide_field(np.random.default_rng(k), person)))
    return drawn


def test_the_whole_field_holds_every_center(people):
    for person in people:
        affine, shape = whole_field(person, 5.0)
        for center in person.centers_mm.values():
            at = np.linalg.inv(affine) @ np.r_[center, 1]
            assert (at[:3] > 0).all()
            assert (at[:3] < np.array(shape) - 1).all()


def test_a_narrow_field_is_cheaper(people):
    wide, narrow = (whole_field(people[0], 4.0, half)[1] for half in (None, 60.0))
    assert np.prod(narrow) < 0.7 * np.prod(wide)


def test_no_field_is_larger_than_memory_allows(fields):
    for _, field in fields:
        assert np.prod(field.shape) < 34e6


def test_tilted_oblique_and_round_fields_occur(fields):
    drawn = [field for _, field in fields]
    assert any(field.gantry_deg for field in drawn)
    assert any(field.is_oblique for field in drawn)
    assert any(field.round_mm for field in drawn)
    assert any(max(field.oversample) > 1 for field in drawn)
    assert all(n % 2 for field in drawn for n in field.oversample)


def test_a_field_shows_at_least_three_levels(fields):
    for person, field in fields:
        if field.is_oblique or field.gantry_deg:
            continue
        z = [center[2] for center in person.centers_mm.values()]
        low = field.affine[2, 3]
        high = low + field.affine[2, 2] * (field.shape[2] - 1)
        assert sum(low < one < high for one in z) >= 3


def test_reorienting_keeps_places():
    field = WideField(np.diag([1.0, 2.0, 3.0, 1.0]), (4, 5, 6), axes="PIL")
    array = np.zeros(field.shape)
    array[1, 2, 3] = 1
    turned, affine = field.oriented(array)
    at = np.argwhere(turned)[0]
    assert affine[:3, :3] @ at + affine[:3, 3] == pytest.approx([1.0, 4.0, 9.0])


def test_without_crops_the_whole_trunk_is_scanned():
    preset = parse_preset("all", {"wide": {"cropped": 0.0}, "field": {"oblique": 0, "gantry": 0}})
    person = draw_wide_person(preset, 1, 0)
    field = draw_wide_field(np.random.default_rng(0), person)
    for name in ("C2", "S3"):
        at = np.linalg.inv(field.affine) @ np.r_[person.centers_mm[name], 1]
        assert (at[:3] > 0).all()
        assert (at[:3] < field.shape).all()
