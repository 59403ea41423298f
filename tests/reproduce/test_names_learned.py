from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from spinexplain.errors import ModelError
from spinexplain.localizer.naming import STATES
from spinexplain.localizer.prior import shipped_prior
from spinexplain.models.localizing import LEVELS, SECTION_SHAPE
from spinexplain.reproduce import names_learned
from spinexplain.reproduce.names_learned import (
    KINDS,
    Section,
    drawn_sections,
    measure,
    missed_name,
    of_kind,
    validated,
)
from spinexplain.reproduce.setting import Setting
from spinexplain.train.localizer.chain_loss import TrueChain

PRIOR = shipped_prior()
NAMES = ("T11", "T12", "L1", "L2")
CHAIN = TrueChain(
    np.array([8, 20, 33, 47]),
    np.array([STATES.index(name) for name in NAMES]),
    np.array([24.7, 26.0, 27.9]),
)


def section(person="a", kind="short"):
    return Section(person, kind, np.zeros((64, *SECTION_SHAPE), np.float32), CHAIN)


def reads(shift):
    """A network that sees every level some levels too low, whatever it is shown."""

    def network(x):
        answer = np.zeros((1, LEVELS.stop, x.shape[2]), np.float32)
        for at, state in zip(CHAIN.positions, CHAIN.states, strict=True):
            answer[0, LEVELS.start + state + shift, at - 3 : at + 4] = 8.0
        return answer

    return network


def test_a_right_reading_is_told_from_a_wrong_one_and_from_none():
    right = missed_name(section(), reads(0), PRIOR)
    wrong = missed_name(section(), reads(-1), PRIOR)
    blind = missed_name(section(), None, PRIOR)
    assert right[1:] == (True, 1.0)
    assert wrong[1:] == (False, 0.0)
    assert right[0] < blind[0] < wrong[0] <= 9.2


def test_sections_show_bodies_in_a_row(drawn_body):
    sections = list(drawn_sections([drawn_body]))
    assert {one.kind for one in sections} == set(KINDS)
    assert all(len(one.chain.states) >= 2 for one in sections)
    short = [len(one.chain.states) for one in sections if one.kind == "short"]
    assert max(short) <= 8


def test_what_is_gained_is_paired():
    sections = [section(person) for person in "abcdefghijkl"]
    before = [(1.0, False, 0.5)] * 12
    now = [(0.25, True, 1.0)] * 12
    found = of_kind(sections, {"before": before, "now": now}, "short")
    assert found["ways"]["now"] == {"missed": 0.25, "right": 1.0, "named": 1.0}
    assert found["gain"] == [0.75, 0.75, 0.75]
    assert found["sections"] == 12


def test_validation_compares_scans_that_both_take(monkeypatch):
    scans = [SimpleNamespace(chain=one, person=k) for k, one in enumerate("abcd")]
    refused = [SimpleNamespace(chain=None, person=0), *scans[1:]]
    found = {"one": scans, "other": refused}
    monkeypatch.setattr(names_learned, "validation_scans", lambda _, nets, *__: found[nets])
    monkeypatch.setattr(
        names_learned,
        "known_chains",
        lambda kept: ([one.chain for one in kept], np.array([one.person for one in kept])),
    )
    monkeypatch.setattr(names_learned, "reweighed", lambda chains, persons, prior: prior)
    scores = {0.1: -2.0, 0.2: -1.0}
    monkeypatch.setattr(
        names_learned,
        "log_scores",
        lambda chains, one: np.full(len(chains), scores[one.gap_spread]),
    )
    monkeypatch.setattr(names_learned, "right_namings", lambda chains, _: len(chains))
    priors = {
        way: replace(PRIOR, gap_spread=spread) for way, spread in (("before", 0.1), ("now", 0.2))
    }
    row = validated(None, {"before": "one", "now": "other"}, priors, ())
    assert row["scans"] == 3
    assert row["refused"] == {"before": 0, "now": 1}
    assert row["true_names"] == {"before": -2.0, "now": -1.0}
    assert row["gain"][0] == 1.0


def test_the_shipped_localizer_does_not_stand_beside_itself(tmp_path, monkeypatch):
    folder = names_learned.shipped_folder()
    monkeypatch.setattr(names_learned, "_folders", lambda _: {"before": folder, "now": folder})
    setting = Setting(tmp_path, tmp_path, tmp_path, tmp_path)
    with pytest.raises(ModelError, match="holds the shipped localizer; expected an earlier one"):
        measure(setting)
