import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom import cohorts
from spinexplain.data.phantom.cohorts import box_cohort, sheet_cohort
from spinexplain.data.phantom.sheets import phantom_sheets
from spinexplain.errors import ConfigError, OutputError


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(cohorts, "SHEETS_A_SHARD", 2)


def test_sheets_are_those_of_the_seed(tmp_path, small_shards, listener):
    cohort = sheet_cohort(tmp_path / "c", "balanced", 3, 3, progress=listener)
    sheets = list(phantom_sheets("balanced", 3, 3))
    assert cohort.index["subject"].tolist() == [sheet.subject for sheet in sheets]
    assert np.array_equal(cohort.patches_2d[np.arange(3)], np.stack([s.hu for s in sheets]))
    assert listener.steps == [("Sheets", 1, 2), ("Sheets", 2, 2)]


def test_what_is_there_is_not_drawn_again(tmp_path, small_shards, listener, monkeypatch):
    sheet_cohort(tmp_path / "c", "balanced", 3, 3)
    sheet_cohort(tmp_path / "c", "balanced", 3, 3, progress=listener)
    assert listener.steps == []
    (tmp_path / "c" / "index.parquet").unlink()  # as of an interrupted run
    monkeypatch.setattr(cohorts, "_draw_sheets", None)
    assert len(sheet_cohort(tmp_path / "c", "balanced", 3, 3)) == 3


def test_another_cohort_is_replaced_only_by_force(tmp_path):
    sheet_cohort(tmp_path / "c", "balanced", 3, 1)
    with pytest.raises(OutputError, match="--force"):
        sheet_cohort(tmp_path / "c", "balanced", 4, 1)
    cohort = sheet_cohort(tmp_path / "c", "balanced", 4, 1, force=True)
    assert cohort.index["subject"].tolist() == ["balanced-4-0"]


def test_twins_and_raters_come_with_the_sheets(tmp_path):
    cohort = sheet_cohort(tmp_path / "c", "balanced", 1, 6, twins=True, rater_error=0.05)
    twins = cohort.index["healthy_twin"].to_numpy(bool)
    fractured = cohort.index["grade"].isin(["G1", "G2", "G3"])
    assert twins.sum() == fractured.sum() > 0
    assert {len(ratings) for ratings in cohort.index["ratings"][~twins]} == {3}


def test_boxes_are_sampled_once_with_labels(tmp_path, lumbar_scan, monkeypatch, listener):
    asked = []
    monkeypatch.setattr(cohorts, "make_subject", lambda *what: asked.append(what) or lumbar_scan)
    one = box_cohort(tmp_path / "c", "demo", lumbar_scan.seed, 1, progress=listener)
    assert [(preset.name, seed, index) for preset, seed, index in asked] == [
        ("demo", lumbar_scan.seed, 0)
    ]
    box_cohort(tmp_path / "c", "demo", lumbar_scan.seed, 1)
    assert len(asked) == 1
    rows = np.arange(len(one))
    middle = one.read("labels_3d", rows)[:, 56, 56, 56]
    assert middle.tolist() == [VertebraLevel(name).verse_label for name in one.index["level"]]
    assert listener.steps == [("Scans", 1, 1)]


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"count": 0}, {"jobs": 0}])
def test_numbers_out_of_range_are_refused(tmp_path, wrong):
    numbers = {"seed": 0, "count": 1, "jobs": 1} | wrong
    with pytest.raises(ConfigError, match="expected"):
        sheet_cohort(tmp_path / "c", "balanced", **numbers)
    assert not (tmp_path / "c").exists()
