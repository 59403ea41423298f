from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import ModelError
from spinexplain.localizer.locate import ReadChain
from spinexplain.localizer.located import LocatedCenter
from spinexplain.localizer.naming import STATES, NamingPrior
from spinexplain.reproduce import found_by_grade, localizer
from spinexplain.reproduce.found_scans import FoundScan
from spinexplain.reproduce.localizer import counted, judged_ways, measure
from spinexplain.reproduce.setting import Setting
from spinexplain.types import Vertebra

LEVELS = ("L2", "L3", "L4", "L5")


def test_counting_from_either_end_needs_no_image():
    assert counted(3, first="T11") == ("T11", "T12", "L1")
    assert counted(3, last="L5") == ("L3", "L4", "L5")


@pytest.mark.parametrize("count", [1, 6, 24])
def test_beyond_the_named_levels_there_is_no_name(count):
    below = counted(count, first="L4")
    assert len(below) == count
    assert below[:2] == ("L4", "L5")[:count]
    assert "L6" not in below
    assert "T13" not in counted(count, last="L5")


def found(person, group, chain=None):
    truth = np.array([(0.0, 0.0, -25.0 * k) for k in range(4)])
    return FoundScan(person, group, LEVELS, truth, chain, np.zeros((0, 3)))


def seen(levels):
    rows = np.full((4, len(STATES)), 0.1 / len(STATES))
    for row, name in enumerate(levels):
        rows[row, STATES.index(name)] += 0.9
    centers = tuple(LocatedCenter((0.0, 1.0, -25.0 * k), 0.95) for k in range(4))
    return ReadChain(centers, np.log(rows), np.full(3, 25.0), ("sacrum",), 0.0)


def test_ways_of_naming_are_judged_on_the_same_centers():
    prior = NamingPrior(gap_mm=(25.0,) * len(STATES), offset=-0.5)
    ways = judged_ways(found(0, "crops", seen(LEVELS)), prior)
    assert {way: one.named for way, one in ways.items()} == {
        "localizer": 4, "from below": 4,
        "gaps alone": ways["gaps alone"].named,
        "one answer": 0, "classical": 0,
    }  # fmt: skip
    assert 0 < ways["localizer"].probability < 1
    refused = judged_ways(found(0, "crops"), prior)
    assert set(refused) == set(ways)
    assert refused["localizer"].refused
    assert refused["gaps alone"].found == 0


def setting_of(tmp_path, monkeypatch, asked):
    def find(setting, drawn, networks, prior):
        asked.append((networks.info.version, drawn.persons, drawn.groups))
        wrong = ("L1", "L2", "L3", "L4")
        return [
            found(k, group, seen(LEVELS if k or networks.info.version == "8" else wrong))
            for k in range(drawn.persons)
            for group in drawn.groups
        ]

    def networks(version):
        return SimpleNamespace(info=SimpleNamespace(version=version, sha256=version))

    prior = NamingPrior(gap_mm=(25.0,) * len(STATES))
    truth = [SimpleNamespace(level=level, grade=0) for level in LEVELS]
    monkeypatch.setattr(found_by_grade, "draw_wide_truth", lambda *_: truth)
    monkeypatch.setattr(localizer, "found_scans", find)
    monkeypatch.setattr(localizer, "judged_real", lambda *_: {})
    monkeypatch.setattr(localizer, "real_scan", lambda *_: None)
    monkeypatch.setattr(localizer, "measured_parts", lambda _, networks, *__: networks.info.version)
    monkeypatch.setattr(localizer, "shipped_networks", lambda: networks("9"))
    monkeypatch.setattr(localizer, "load_networks", lambda _: networks("8"))
    monkeypatch.setattr(localizer, "read_prior", lambda _: prior)
    return Setting(tmp_path, tmp_path / "work", tmp_path / "results", tmp_path)


def test_a_study_stores_every_group_and_all_together(tmp_path, monkeypatch):
    asked = []
    setting = setting_of(tmp_path, monkeypatch, asked)
    measure(setting, persons=4, whole=2)
    assert asked == [("9", 4, ("crops", "narrow")), ("9", 2, ("whole",))] * 2
    stored = setting.stored(localizer.RESULTS)
    assert stored["phantoms"]["narrow"]["localizer"]["right"] == 0.75
    assert stored["phantoms"]["all"]["localizer"]["scans"] == len(stored["scans"]) == 10
    assert stored["intervals"]["all"]["named"] == [0.7, None, None]
    assert "more" not in stored["intervals"]["all"]
    assert stored["before"] is stored["real_before"] is None
    assert stored["usual"] == stored["phantoms"]["all"]["localizer"]
    assert sum(row["bodies"] for row in stored["grades"]["localizer"].values()) == 40
    assert not any(one["rare"] or one["open"] for one in stored["scans"])
    assert {(one["person"], one["group"]) for one in stored["scans"]} >= {(1, "whole")}
    assert (stored["persons"], stored["whole"]) == (4, 2)
    assert set(stored["chance"]) == {"whole", "crops", "narrow", "all"}


def test_what_was_measured_of_other_persons_is_kept(tmp_path, monkeypatch):
    setting = setting_of(tmp_path, monkeypatch, [])
    measure(setting, persons=4, whole=2)
    assert setting.stored(localizer.RESULTS)["earlier"] == []
    monkeypatch.setattr(localizer, "TEST", replace(localizer.TEST, seed=77))
    for _ in range(2):
        measure(setting, persons=4, whole=2)
        (row,) = setting.stored(localizer.RESULTS)["earlier"]
        assert (row["preset"], row["version"], row["persons"]) == ("wide-test", "9", 4)
        assert row["phantoms"]["narrow"]["right"] == 0.75


def test_an_earlier_localizer_is_measured_in_the_same_scans(tmp_path, monkeypatch):
    asked = []
    setting = setting_of(tmp_path, monkeypatch, asked)
    (setting.work / localizer.EARLIER).mkdir(parents=True)
    measure(setting, persons=4, whole=2)
    assert asked[2:4] == [("8", *rest) for _, *rest in asked[:2]]
    stored = setting.stored(localizer.RESULTS)
    assert (stored["version"], stored["before"]) == ("9", "8")
    assert stored["phantoms"]["all"]["before"]["right"] == 1.0
    assert stored["intervals"]["all"]["more"][0] == -0.3
    assert set(stored["real_before"]) == set(localizer.REAL)
    assert (stored["real_parts"], stored["real_parts_before"]) == ("9", "8")


def test_a_localizer_is_not_measured_beside_itself(tmp_path, monkeypatch):
    setting = setting_of(tmp_path, monkeypatch, [])
    (setting.work / localizer.EARLIER).mkdir(parents=True)
    monkeypatch.setattr(localizer, "load_networks", lambda _: localizer.shipped_networks())
    prior = localizer.read_prior(None)
    monkeypatch.setattr(localizer, "shipped_prior", lambda: prior)
    with pytest.raises(ModelError, match="holds the shipped localizer 9; expected an earlier"):
        measure(setting, persons=4, whole=2)
    monkeypatch.setattr(localizer, "shipped_prior", lambda: replace(prior, offset=-0.1))
    measure(setting, persons=4, whole=2)  # another line is another localizer


def test_a_real_ct_is_judged_by_the_levels_that_lie_in_it_whole(monkeypatch):
    centers = [
        Vertebra(VertebraLevel(name), (0.0, 0.0, -25.0 * k)) for k, name in enumerate(LEVELS)
    ]
    monkeypatch.setattr(localizer, "find_chain", lambda *_: seen(LEVELS))
    prior = NamingPrior(gap_mm=(25.0,) * len(STATES))
    scan = SimpleNamespace(volume=None, centroids=centers)
    row = localizer.judged_real(scan, LEVELS[1:], None, prior)
    assert (row["bodies"], row["named"]) == (3, 3)
    unsure = localizer.judged_real(scan, LEVELS, None, replace(prior, slope=0.1))
    assert unsure["probability"] < row["probability"]
