from dataclasses import dataclass, replace

import numpy as np
import pytest

from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.crops.source import moved_mm, set_from_cohort, set_from_sheets
from spinexplain.data.phantom.sheets import phantom_sheets
from spinexplain.data.sheets import sheet_shard, twin_shard
from spinexplain.errors import ConfigError
from spinexplain.evaluate.predictions import data_hash


@dataclass
class Sheet:
    """A sheet as the phantom draws it."""

    subject: str
    level: str
    grade: int
    loss: float

    shape = "wedge"
    twin_hu = None

    @property
    def hu(self):
        return np.full((144, 144), 100 * self.grade, np.int16)

    @property
    def body(self):
        mask = np.zeros((144, 144), np.uint8)
        mask[60:84, 55:90] = 1
        return mask

    evidence = body

    @property
    def labels(self):
        return self.body * 20


SHEETS = [Sheet("p-0", "L1", 0, 0.02), Sheet("p-1", "T12", 3, 0.5), Sheet("p-2", "L1", 2, 0.3)]


def check(data):
    order = np.argsort(data.subjects)
    assert data.grades[order].tolist() == [0, 3, 2]
    assert data.levels[order].tolist() == ["L1", "T12", "L1"]
    assert data.height_loss[order].tolist() == [0.02, 0.5, 0.3]
    assert data.patches_hu[order][1, 0, 0] == 300
    np.testing.assert_array_equal(data.centers, 71.5)
    for mask in (data.target, data.evidence):
        assert mask.sum(axis=(1, 2)).tolist() == [24 * 35] * 3
    assert data.synthetic


def test_sheets_become_rows():
    data = set_from_sheets(SHEETS, "phantom")
    check(data)
    assert set(data.series) == {"phantom"}


def test_no_sheet_is_an_error():
    with pytest.raises(ConfigError, match="no sheet"):
        set_from_sheets([], "phantom")


def test_cohort_gives_the_same_rows(tmp_path):
    writer = CohortWriter.create(tmp_path / "cohort")
    writer.add_series(sheet_shard("one", SHEETS, split="training", seed=1))
    check(set_from_cohort(writer.finish()))


def test_a_cohort_without_splits_says_how_to_take_it(tmp_path):
    writer = CohortWriter.create(tmp_path / "cohort")
    writer.add_series(sheet_shard("one", SHEETS, seed=1))
    with pytest.raises(ConfigError, match="take all: --split all"):
        set_from_cohort(writer.finish(), split="test")


def test_split_that_is_not_there_names_it(tmp_path):
    writer = CohortWriter.create(tmp_path / "cohort")
    writer.add_series(sheet_shard("one", SHEETS, split="training", seed=1))
    cohort = writer.finish()
    assert len(set_from_cohort(cohort, split="training")) == 3
    with pytest.raises(ConfigError, match="in split test; its splits are training"):
        set_from_cohort(cohort, split="test")
    with pytest.raises(ConfigError, match="3-D"):
        set_from_cohort(cohort, axes=3)


def test_healthy_twins_are_left_out_unless_asked_for(tmp_path):
    broken = [twinned(sheet) for sheet in SHEETS[1:]]
    writer = CohortWriter.create(tmp_path / "c")
    writer.add_series(sheet_shard("a", [SHEETS[0], *broken]))
    writer.add_series(twin_shard("a-twins", broken))
    cohort = writer.finish()
    check(set_from_cohort(cohort))
    data = set_from_cohort(cohort, with_twins=True)
    assert sorted(data.grades) == [0, 0, 0, 2, 3]


def twinned(sheet):
    pair = Sheet(sheet.subject, sheet.level, sheet.grade, sheet.loss)
    pair.twin_hu = np.zeros((144, 144), np.int16)
    return pair


def test_raters_grades_become_numbers(tmp_path):
    shard = sheet_shard("s", [Sheet("a", "L1", 2, 0.3), Sheet("b", "L2", 0, 0.0)])
    rows = [replace(shard.rows[0], ratings=("G2", "", "G3")), shard.rows[1]]
    writer = CohortWriter.create(tmp_path / "c")
    writer.add_series(replace(shard, rows=rows))
    cohort = writer.finish()
    assert set_from_cohort(cohort).ratings.tolist() == [[2, -1, 3], [-1, -1, -1]]
    assert data_hash(cohort.index) != data_hash(cohort.index.drop(columns="ratings"))


def test_without_raters_there_are_no_ratings(tmp_path):
    writer = CohortWriter.create(tmp_path / "c")
    writer.add_series(sheet_shard("s", [Sheet("a", "L1", 2, 0.3)]))
    cohort = writer.finish()
    assert set_from_cohort(cohort).ratings is None
    assert data_hash(cohort.index) == data_hash(cohort.index.drop(columns="ratings"))


def test_what_fractures_moved_is_nothing_without_one_and_unknown_where_nobody_says():
    stored = [(), None, tuple(range(12)), (1.0, 2.0)]
    moved = moved_mm(stored, np.array([0, 2, 3, 2]))
    assert moved[0].tolist() == [0.0] * 12
    assert np.isnan(moved[1]).all()
    assert moved[2].tolist() == list(range(12))
    assert np.isnan(moved[3]).all()


def test_parts_displacement_and_twins_come_through_a_cohort(tmp_path):
    sheets = list(phantom_sheets("placement", 5, 4, twins=True))
    writer = CohortWriter.create(tmp_path / "cohort")
    writer.add_series(sheet_shard("a", sheets))
    pairs = twin_shard("a-twins", sheets)
    assert pairs is not None
    writer.add_series(pairs)
    data = set_from_cohort(writer.finish(), with_twins=True)
    direct = set_from_sheets(sheets, "a")
    for sheet, part, moved in zip(sheets, direct.part, direct.displacement_mm, strict=True):
        row = np.flatnonzero((data.subjects == sheet.subject) & ~data.twins)[0]
        assert np.array_equal(data.part[row], part)
        assert np.array_equal(data.part[row], sheet.part)
        np.testing.assert_allclose(data.displacement_mm[row], moved)
    assert data.twins.sum() == sum(sheet.grade > 0 for sheet in sheets)
    assert not data.part[data.twins].any()
    assert np.all(data.displacement_mm[data.twins] == 0)
