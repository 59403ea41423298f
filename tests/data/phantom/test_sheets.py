import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.sheets import GRADED, phantom_sheets


@pytest.fixture(scope="module")
def sheets():
    return list(phantom_sheets("balanced", seed=8, n=60, twins=True))


def test_a_sheet_is_the_same_wherever_counting_starts(sheets):
    again = next(phantom_sheets("balanced", seed=8, n=1, start=5))
    assert np.array_equal(again.hu, sheets[5].hu)
    assert np.array_equal(again.evidence, sheets[5].evidence)
    assert again.truth == sheets[5].truth


def test_sheets_are_distinct_and_cover_grades_levels_and_shapes(sheets):
    assert len({sheet.hu.tobytes() for sheet in sheets}) == len(sheets)
    assert {sheet.grade for sheet in sheets} == {0, 1, 2, 3}
    assert {sheet.shape for sheet in sheets} == {"none", "wedge", "biconcave", "crush"}
    assert len({sheet.level for sheet in sheets}) >= 14
    assert {sheet.level for sheet in sheets} <= set(GRADED)


def test_arrays_and_their_types(sheets):
    for sheet in sheets:
        assert sheet.hu.shape == sheet.labels.shape == sheet.shortcut.shape == (144, 144)
        assert (sheet.hu.dtype, sheet.labels.dtype) == (np.int16, np.uint8)
        assert (sheet.hu[sheet.outside] == -1024).all()
        assert not sheet.labels[sheet.outside].any()


def test_the_body_named_lies_in_the_center(sheets):
    for sheet in sheets:
        code = VertebraLevel(sheet.level).verse_label
        assert (sheet.labels[sheet.body > 0] == code).all()
        rows, columns = np.nonzero(sheet.body)
        if sheet.outside.any() or sheet.loss > 0.7:
            continue
        assert abs(rows.mean() - 71.5) < 4
        assert abs(columns.mean() - 71.5) < 4


def test_evidence_belongs_to_fractures(sheets):
    for sheet in sheets:
        if sheet.grade == 0:
            assert not sheet.evidence.any()
            assert sheet.twin_hu is None
        elif not sheet.outside.any():
            assert sheet.evidence.sum() > 15
            others = (sheet.labels > 0) & (sheet.labels != VertebraLevel(sheet.level).verse_label)
            assert not (others & (sheet.evidence > 0)).any()


def test_twins_share_everything_below_the_fracture(sheets):
    pairs = [sheet for sheet in sheets if sheet.twin_hu is not None]
    assert len(pairs) > 15
    for sheet in pairs:
        same = (sheet.hu == sheet.twin_hu).all(axis=1)
        assert not same.all()
    upright = [s for s in pairs if s.level in ("L2", "L3", "L4") and not s.outside.any()]
    for sheet in upright:
        assert np.abs(sheet.hu[135:].astype(int) - sheet.twin_hu[135:]).mean() < 25


def test_other_presets_draw_other_people():
    one = next(phantom_sheets("balanced", seed=8, n=1))
    two = next(phantom_sheets("hard", seed=8, n=1))
    assert not np.array_equal(one.hu, two.hu)
