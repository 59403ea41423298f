import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from spinexplain.errors import FileFormatError
from spinexplain.localizer.locate import ReadChain
from spinexplain.localizer.located import LocatedCenter
from spinexplain.localizer.naming import STATES
from spinexplain.localizer.prior import shipped_prior
from spinexplain.reproduce import public_scans
from spinexplain.reproduce.localizer import Localizer
from spinexplain.reproduce.public_scans import (
    MARKS,
    MarkedScan,
    judged_marked,
    marked_scans,
    marked_vertebrae,
    measure,
    runs,
)
from spinexplain.reproduce.setting import Setting
from spinexplain.types import Volume

NAMES = ("T11", "T12", "L1", "L2", "L3")
HEIGHTS = (140.0, 113.0, 86.0, 57.0, 27.0)
MARKED = MarkedScan("a", "One", "1.2.3", 85, dict(zip(NAMES, HEIGHTS, strict=True)), True, "sacrum")
LOW = -500.0


def volume():
    affine = np.diag([4.0, 4.0, -2.0, 1.0])
    affine[:3, 3] = (-20.0, -20.0, LOW + 2 * 84)
    return Volume(np.zeros((10, 10, 85), np.int16), affine)


def chain_of(names, heights, aside=30.0):
    rows = np.full((len(names), len(STATES)), np.log(1e-3))
    for row, name in zip(rows, names, strict=True):
        row[STATES.index(name)] = 0.0
    centers = tuple(LocatedCenter((aside, 5.0, LOW + z), 0.9) for z in heights)
    return ReadChain(centers, rows, -np.diff(heights), (), 0.0)


def stand_in(monkeypatch, chain):
    monkeypatch.setattr(public_scans, "find_chain", lambda *_: chain)
    monkeypatch.setattr(public_scans, "classical_centers", lambda *_: np.zeros((0, 3)))
    return Localizer(SimpleNamespace(), shipped_prior())


def test_marks_are_heights_above_the_lowest_slice_whatever_the_order_of_slices():
    found = marked_vertebrae(MARKED, volume())
    assert [one.level.value for one in found] == list(NAMES)
    np.testing.assert_allclose([one.centroid_mm[2] for one in found], np.add(HEIGHTS, LOW))


def test_only_heights_are_compared(monkeypatch):
    one = stand_in(monkeypatch, chain_of(NAMES, np.add(HEIGHTS, 4.0)))
    whole = judged_marked(MARKED, volume(), one)[0]["ways"]["localizer"]
    assert (whole.found, whole.close, whole.named, whole.right) == (5, 5, 5, True)
    one = stand_in(monkeypatch, chain_of(NAMES, np.add(HEIGHTS, 7.0)))
    whole = judged_marked(MARKED, volume(), one)[0]["ways"]["localizer"]
    assert (whole.found, whole.close) == (5, 0)


def test_wrong_names_are_wrong_and_only_sure_scans_have_parts(monkeypatch):
    one = stand_in(monkeypatch, chain_of(("T12", "L1", "L2", "L3", "L4"), np.array(HEIGHTS)))
    rows = judged_marked(MARKED, volume(), one)
    assert [row["kind"] for row in rows] == ["whole", "part", "part"]
    assert rows[0]["ways"]["localizer"].named == 0
    unsure = MarkedScan("b", "Two", "1.2.4", 85, MARKED.levels, False, "")
    assert [row["kind"] for row in judged_marked(unsure, volume(), one)] == ["whole"]


def test_runs_overlap():
    assert ["".join(run) for run in runs("abcd", 3)] == ["abc", "bcd"]


def test_without_scans_the_study_says_what_to_do(tmp_path, monkeypatch):
    checkout = tmp_path / "checkout"
    (checkout / MARKS).parent.mkdir(parents=True)
    (checkout / MARKS).write_text(json.dumps({"scans": []}))
    setting = Setting(checkout, tmp_path, tmp_path, tmp_path)
    with pytest.raises(FileFormatError, match=r"holds none of the scans .* Download some"):
        measure(setting)


@pytest.mark.parametrize(
    ("slices", "tilt", "wanted"),
    [(84, 0.0, "85 slices; the marks of a are of 84"), (85, 0.2, "slices are not axial")],
)
def test_another_grid_than_the_marked_one_is_refused(monkeypatch, slices, tilt, wanted):
    """Heights would be counted from another slice, or along another axis."""
    given = volume()
    given.affine[1, 2] = tilt
    monkeypatch.setattr(public_scans, "read_scan", lambda *_: given)
    marked = replace(MARKED, slices=slices)
    with pytest.raises(FileFormatError, match=wanted):
        public_scans._whole(Path("scan"), marked)


def test_the_marks_of_the_repository_are_in_order(request):
    scans = marked_scans(request.config.rootpath / MARKS)
    assert len({one.series for one in scans}) == len(scans) >= 5
    for one in scans:
        places = [STATES.index(name) for name in one.levels]
        ordered = sorted(places)
        heights = [one.levels[STATES[k]] for k in ordered]
        assert heights == sorted(heights, reverse=True)
        if one.named:
            assert one.evidence
            assert (np.diff(ordered) <= 2).all()  # T13 lies between T12 and L1
