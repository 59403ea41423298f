from dataclasses import replace

import numpy as np

from spinexplain.data.cohort import Cohort
from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.phantom import write as writing
from spinexplain.data.phantom.boxes import box_shard
from spinexplain.data.prepare import PrepareOptions, prepare
from spinexplain.spine import localize


def both_ways(folder, scan, monkeypatch):
    """Draw boxes, and write and prepare the scan, about the true centers in both ways."""
    monkeypatch.setattr(writing, "make_subject", lambda *arguments, **more: scan)
    monkeypatch.setattr(localize, "_SAME_PLACE_MM", -1.0)  # else they move to the mask's middles
    table = writing.write_phantom(folder / "spines", 1, scan.seed, scan.preset)
    prepare([folder / "spines"], table, folder / "long", PrepareOptions(patches="3d"))
    writer = CohortWriter.create(folder / "short", {})
    writer.add_series(box_shard(scan))
    writer.finish()
    return Cohort.open(folder / "long"), Cohort.open(folder / "short")


def test_boxes_are_those_of_the_written_and_prepared_scan(tmp_path, demo_scan, monkeypatch):
    long, short = both_ways(tmp_path, replace(demo_scan, twin=None), monkeypatch)
    assert short.index["level"].tolist() == long.index["level"].tolist()
    assert short.index["grade"].tolist() == long.index["grade"].tolist()
    np.testing.assert_allclose(short.index["loss"], long.index["loss"], atol=1e-4)
    assert short.index["synthetic"].all()
    rows = np.arange(len(short))
    for kind in ("patches_3d", "body_3d", "evidence_3d"):
        one, other = short.read(kind, rows).astype(int), long.read(kind, rows).astype(int)
        # A file holds whole HU and rounded places: samples between voxels differ by a little.
        if kind == "patches_3d":
            assert np.mean(abs(one - other)) < 0.5
        else:
            assert np.mean(one != other) < 2e-3


def test_boxes_hold_the_marks_that_the_prepared_scan_holds(tmp_path, marked_scan, monkeypatch):
    long, short = both_ways(tmp_path, marked_scan, monkeypatch)
    rows = np.arange(len(short))
    one, other = short.read("shortcut_3d", rows), long.read("shortcut_3d", rows)
    assert one.sum() > 200
    assert np.mean(one != other) < 2e-5


def test_only_a_marked_vertebra_of_its_own_has_its_mark_and_that_in_front(marked_scan):
    shard = box_shard(marked_scan)
    marks = shard.arrays["shortcut_3d"]
    for row, mark in zip(shard.rows, marks, strict=True):
        assert mark.any() == (row.grade != "G0")
        if mark.any():
            caudal, posterior, left = np.argwhere(mark).mean(axis=0) - (mark.shape[0] - 1) / 2
            assert posterior < -20
            assert abs(caudal) < 8
            assert abs(left) < 8


def test_a_scan_without_marks_has_none_in_its_boxes(marked_scan):
    shard = box_shard(replace(marked_scan, image=marked_scan.unmarked))
    assert "shortcut_3d" not in shard.arrays
    assert [row.level for row in shard.rows] == [row.level for row in box_shard(marked_scan).rows]
