from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.reproduce import own_verdicts
from spinexplain.reproduce.own_verdicts import (
    matched_names,
    measure,
    moved_by,
    verdict_rows,
)
from spinexplain.reproduce.setting import Setting
from spinexplain.types import Vertebra


def spine(names, top_mm=0.0, off_mm=0.0):
    return [
        Vertebra(VertebraLevel(name), (off_mm, 0.0, top_mm - 30.0 * i))
        for i, name in enumerate(names)
    ]


GIVEN = spine(["T11", "T12", "L1"])


@dataclass
class Scan:
    """A scan whose verdict is the level's name and where its center lies; masks add a mark."""

    image: SimpleNamespace
    truth: tuple[SimpleNamespace, ...] = tuple(
        SimpleNamespace(level=one.level.value, grade=k) for k, one in enumerate(GIVEN)
    )


@pytest.fixture
def graded_by_place(monkeypatch):
    def grade(volume, *, models, labels=None, body=None, centroids=None, found=None):
        vertebrae = found.vertebrae if found is not None else centroids
        mark = "given" if labels is not None else "painted" if found is not None else "none"
        return {
            one.level.value: f"{one.level.value} {one.centroid_mm[0]:.0f} {mark}"
            for one in vertebrae
        }

    monkeypatch.setattr(own_verdicts, "grade", grade)
    monkeypatch.setattr(own_verdicts, "states_of", lambda findings: findings)


def rows_of(own):
    image = SimpleNamespace(volume="ct", vertebrae=tuple(GIVEN), labels="mask", body="body")
    found = None if own is None else SimpleNamespace(vertebrae=own)
    return verdict_rows(Scan(image), found, "grader", np.random.default_rng(0), "hard 0")


def test_pairs_are_the_nearest_within_ten_millimeters_each_used_once():
    own = [*spine(["T12"], top_mm=2.0), *spine(["L2"], top_mm=-49.0)]
    pairs = matched_names(GIVEN, own)
    assert [(a.level.value, b.level.value) for a, b in pairs] == [("T11", "T12")]


def test_a_center_moves_by_the_distance_and_alike_for_a_seed():
    one, again = (moved_by(GIVEN[0], np.random.default_rng(3)) for _ in range(2))
    assert one == again
    assert np.linalg.norm(np.subtract(one.centroid_mm, GIVEN[0].centroid_mm)) == pytest.approx(2.0)


def test_states_stand_beside_each_other_by_place_whatever_the_name(graded_by_place):
    rows = rows_of(spine(["T12", "L1"], off_mm=4.0))
    first, _, last = rows
    assert (first.level, first.named, first.away_mm) == ("T11", "T12", 4.0)
    assert [row.grade for row in rows] == [0, 1, 2]
    assert first.given == "T11 0 none"
    assert first.placed == "T11 4 none"
    assert first.own == "T12 4 none"
    assert (first.masked, first.bare) == ("T11 0 given", "T12 4 painted")
    assert (last.named, last.placed, last.own, last.bare) == ("", "", "", "")
    assert last.away_mm is None


def test_right_names_need_no_second_grading(graded_by_place):
    rows = rows_of(spine(["T11", "T12", "L1"], off_mm=3.0))
    assert [row.placed for row in rows] == [row.own for row in rows]


def test_a_scan_that_is_refused_has_no_own_verdicts(graded_by_place):
    rows = rows_of(None)
    assert [row.own for row in rows] == ["", "", ""]
    assert [row.given for row in rows] == ["T11 0 none", "T12 0 none", "L1 0 none"]


def test_a_study_takes_up_the_scans_it_graded_before(tmp_path, monkeypatch, graded_by_place):
    asked = []

    def graded(index, networks, grader):
        asked.append(index)
        return rows_of(GIVEN)

    networks = SimpleNamespace(info=SimpleNamespace(version="9"))
    monkeypatch.setattr(own_verdicts, "graded_rows", graded)
    monkeypatch.setattr(own_verdicts, "shipped_networks", lambda: networks)
    monkeypatch.setattr(own_verdicts, "load_grader", lambda name: "grader")
    setting = Setting(tmp_path, tmp_path / "work", tmp_path / "results", tmp_path)
    measure(setting, 1)
    measure(setting, 2)
    assert asked == [0, 1]
    assert len(setting.stored(own_verdicts.RESULTS)["rows"]) == 6


def test_a_scan_of_the_neck_alone_has_no_verdicts(graded_by_place):
    image = SimpleNamespace(volume="ct", vertebrae=tuple(spine(["C2", "C3"])))
    assert verdict_rows(Scan(image), None, "grader", np.random.default_rng(0), "wide 0") == []
