from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.localizer.locate import ReadChain
from spinexplain.localizer.located import LocatedCenter
from spinexplain.localizer.naming import STATES, NamingPrior
from spinexplain.reproduce import localizer
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
        "localizer": 4, "tried": 4, "before": 4, "from below": 4,
        "gaps alone": ways["gaps alone"].named,
        "one answer": 0, "classical": 0,
    }  # fmt: skip
    assert ways["localizer"].probability < ways["before"].probability
    refused = judged_ways(found(0, "crops"), prior)
    assert set(refused) == set(ways)
    assert refused["localizer"].refused
    assert refused["before"].found == 0


def test_a_study_stores_every_group_and_all_together(tmp_path, monkeypatch):
    asked = []

    def find(setting, drawn, networks, prior):
        asked.append((drawn.persons, drawn.groups))
        return [
            found(k, group, seen(LEVELS if k else ("L1", "L2", "L3", "L4")))
            for k in range(drawn.persons)
            for group in drawn.groups
        ]

    networks = SimpleNamespace(info=SimpleNamespace(version="9"))
    monkeypatch.setattr(localizer, "found_scans", find)
    monkeypatch.setattr(localizer, "judged_real", lambda *of: {key: {} for key in of[-1]})
    monkeypatch.setattr(localizer, "real_scan", lambda *_: None)
    monkeypatch.setattr(localizer, "shipped_networks", lambda: networks)
    setting = Setting(tmp_path, tmp_path / "work", tmp_path / "results", tmp_path)
    measure(setting, persons=4, whole=2)
    assert asked == [(4, ("crops", "narrow")), (2, ("whole",))]
    stored = setting.stored(localizer.RESULTS)
    assert stored["phantoms"]["narrow"]["localizer"]["right"] == 0.75
    assert stored["phantoms"]["all"]["localizer"]["scans"] == len(stored["scans"]) == 10
    assert stored["intervals"]["all"]["named"] == [0.7, None, None]
    assert stored["intervals"]["all"]["more"][0] == 0.0
    assert {(one["person"], one["group"]) for one in stored["scans"]} >= {(1, "whole")}
    assert (stored["persons"], stored["whole"]) == (4, 2)
    assert set(stored["chance"]) == {"whole", "crops", "narrow", "all"}


def test_a_real_ct_is_searched_once_and_named_by_every_prior(tmp_path, monkeypatch):
    asked = []

    def find(volume, networks, prior):
        asked.append(volume)
        return seen(LEVELS)

    centers = [
        Vertebra(VertebraLevel(name), (0.0, 0.0, -25.0 * k)) for k, name in enumerate(LEVELS)
    ]
    scans = {name: SimpleNamespace(volume=name, centroids=centers) for name in localizer.REAL}
    monkeypatch.setattr(localizer, "find_chain", find)
    monkeypatch.setattr(localizer, "real_scan", lambda _, name: scans[name])
    monkeypatch.setattr(localizer, "WHOLE", dict.fromkeys(localizer.REAL, LEVELS))
    prior = NamingPrior(gap_mm=(25.0,) * len(STATES))
    priors = {"real": prior, "real_tried": replace(prior, slope=0.1)}
    setting = Setting(tmp_path, tmp_path, tmp_path, tmp_path)
    found = localizer.real_cts(setting, None, priors)
    assert asked == list(localizer.REAL)
    for rows in found.values():
        assert {one["named"] for one in rows.values()} == {4}
    now, tried = (found[key]["lumbar"]["probability"] for key in priors)
    assert now > tried
