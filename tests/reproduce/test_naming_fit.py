from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from spinexplain.localizer.locate import ReadChain
from spinexplain.localizer.located import LocatedCenter
from spinexplain.localizer.naming import STATES, NamingPrior
from spinexplain.localizer.prior import PRIOR_FILE, read_prior, write_prior
from spinexplain.reproduce import naming_fit
from spinexplain.reproduce.found_scans import FoundScan
from spinexplain.reproduce.naming_fit import fit_naming, left_out, reweighed, validated
from spinexplain.reproduce.setting import Setting

GAP_MM = 25.0
PRIOR = NamingPrior(gap_mm=(GAP_MM,) * len(STATES))


def scan(person, names, seen_as):
    rows = np.full((len(names), len(STATES)), 0.1 / len(STATES))
    for row, name in enumerate(seen_as):
        rows[row, STATES.index(name)] += 0.9
    at = [(0.0, 0.0, -GAP_MM * k) for k in range(len(names))]
    centers = tuple(LocatedCenter(one, 0.95) for one in at)
    chain = ReadChain(centers, np.log(rows), np.full(len(names) - 1, GAP_MM), (), 0.0)
    return FoundScan(person, "crops", names, np.array(at), chain, np.zeros((0, 3)))


def test_no_person_is_judged_by_a_fit_that_saw_it():
    persons = np.array([2, 1, 2, 3])
    seen = []
    judged = left_out(
        persons, lambda kept: kept, lambda kept, rows: seen.append((kept & rows).any()) or 1.0
    )
    assert not any(seen)
    assert len(seen) == 3
    assert judged.tolist() == [1.0] * 4


def test_ways_of_weighing_stand_side_by_side():
    right = ("T9", "T10", "T11", "T12")
    wrong = ("T8", "T9", "T10", "T11")
    scans = [scan(k, right, right) for k in range(3)] + [scan(3, right, wrong)]
    refused = FoundScan(4, "crops", right, np.zeros((4, 3)), None, np.zeros((0, 3)))
    found = validated([*scans, refused], PRIOR)
    assert (found["persons"], found["scans"]) == (4, 5)
    assert found["before"]["right"] == found["tried"]["right"] == 3
    assert found["before"]["true_names"] == pytest.approx(found["tried"]["true_names"], abs=0.1)
    assert found["before"]["shipped_line"] > 0
    assert found["other_weights"] < 0
    assert found["chosen"]["gaps"] > 0


def known(levels_seen):
    right = ("T9", "T10", "T11", "T12")
    return naming_fit.known_chains([scan(k, right, seen) for k, seen in enumerate(levels_seen)])


def test_weights_are_changed_where_that_is_better_for_persons_left_out():
    right = ("T9", "T10", "T11", "T12")
    chains, persons = known([right] * 6)
    timid = replace(PRIOR, level_weight=0.2, gap_weight=0.6)
    assert reweighed(chains, persons, timid).level_weight > 0.5
    best = reweighed(chains, persons, timid)
    assert reweighed(chains, persons, best) == best


def test_of_the_prior_in_the_folder_only_the_line_is_fitted_anew(tmp_path, monkeypatch):
    out = tmp_path / "localizer"
    out.mkdir()
    given = replace(PRIOR, level_weight=0.7, gap_weight=0.1, slope=3.0, offset=-2.0)
    write_prior(out / PRIOR_FILE, given)
    asked = []

    def find(setting, drawn, networks, prior):
        asked.append((networks.of, prior))
        right = ("T9", "T10", "T11", "T12")
        return [scan(k, right, right) for k in range(3)]

    monkeypatch.setattr(naming_fit, "load_networks", lambda folder: SimpleNamespace(of=folder))
    monkeypatch.setattr(naming_fit, "found_scans", find)
    monkeypatch.setattr(naming_fit, "validated", lambda *_: {})
    monkeypatch.setattr(naming_fit, "reweighed", lambda chains, persons, prior: prior)
    fit_naming(Setting(tmp_path, tmp_path, tmp_path, tmp_path), out)
    assert {folder for folder, _ in asked} == {out}
    assert all(prior == given for _, prior in asked)
    found = read_prior(out / PRIOR_FILE)
    assert found.slope != given.slope
    line = {name: getattr(given, name) for name in ("slope", "offset", "landmark")}
    assert replace(found, **line) == given
    assert found.landmark == 0.0  # in no scan of these levels are counted from one


def test_learned_shares_are_divided_out_where_that_names_more_scans():
    right = ("T11", "T12", "T13", "L1")
    seen_as = ("T11", "T12", "L1", "L2")
    rows = [scan(k, right, right) for k in range(12)] + [scan(12, seen_as, seen_as)]
    chains, persons = naming_fit.known_chains(rows)
    found = reweighed(chains, persons, replace(PRIOR, level_weight=0.35, t13=0.001))
    assert found.learned_t13 < 1
    assert not naming_fit._better(chains, persons, PRIOR, PRIOR)


def test_what_is_better_in_half_of_the_persons_alone_is_not_taken():
    right = ("T11", "T12", "T13", "L1")
    usual = ("T9", "T10", "T11", "T12")
    gain = scan(0, right, right), scan(1, usual, ("T11", "T12", "T13", "L1"))
    rows = [replace(gain[k % 2], person=k) for k in range(12)]
    chains, persons = naming_fit.known_chains(rows)
    one, other = replace(PRIOR, learned_t13=0.05), PRIOR
    more = naming_fit.log_scores(chains, one) - naming_fit.log_scores(chains, other)
    assert more.min() < 0 < more.max()
    assert not naming_fit._better(chains, persons, one, other)
