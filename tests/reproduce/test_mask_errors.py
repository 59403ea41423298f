"""Masks that are wrong: who is judged where, and that nothing is left out in silence."""

import json

import numpy as np
import pandas as pd
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.data.phantom.mask_errors import SURFACE_ERRORS
from spinexplain.reproduce import mask_errors
from spinexplain.reproduce.mask_errors import (
    CENTERS,
    CUT,
    EXACT,
    MERGED,
    PERSONS,
    Given,
    Person,
    conditions,
    persons,
    rows_of,
    stated,
)
from spinexplain.types import LabelMap, Vertebra


class Image:
    """Two blocks for vertebrae."""

    def __init__(self):
        array = np.zeros((30, 30, 60), np.uint8)
        array[5:25, 5:25, 35:50], array[5:25, 5:25, 10:25] = 20, 21
        self.labels = self.body = LabelMap(array, np.eye(4))
        self.vertebrae = tuple(
            Vertebra(VertebraLevel(name), (15.0, 15.0, z)) for name, z in (("L1", 42), ("L2", 17))
        )


class Fact:
    def __init__(self, level, grade):
        self.level, self.grade, self.loss = level, grade, 0.1 * grade
        self.look_alikes, self.foreign_material = (), False


FACTS = {VertebraLevel("L1"): Fact("L1", 0), VertebraLevel("L2"): Fact("L2", 2)}


def test_seeds_are_those_of_no_other_study():
    from spinexplain.reproduce import verdict

    assert not {seed for seed, _ in PERSONS.values()} & {seed for seed, _ in verdict.SCANS.values()}


def test_every_condition_names_the_levels_that_it_is_judged_at():
    made = conditions(Image(), FACTS, np.random.default_rng(0))
    assert list(made) == [EXACT, *SURFACE_ERRORS, MERGED, CUT, CENTERS]
    assert made[CENTERS].mask is None
    assert made[CENTERS].levels is None
    both = {VertebraLevel("L1"), VertebraLevel("L2")}
    assert made[MERGED].levels == made[CUT].levels == made[EXACT].levels == both


def test_a_vertebra_that_nobody_speaks_of_is_a_row_all_the_same(tmp_path, monkeypatch):
    class Made:
        image, truth = Image(), tuple(FACTS.values())

    Made.image.volume = None

    def spoken(volume, given: Given):
        if given.mask is None:
            return {None: "no center lies in the scan"}
        level = VertebraLevel("L2")
        return {level: mask_errors._SILENT | {"heights": 1.0, "measured_loss": 0.3}}

    monkeypatch.setattr(mask_errors, "make_subject", lambda *a: Made)
    monkeypatch.setattr(mask_errors, "witnesses", spoken)
    person = Person("hard", 1, 0, tmp_path)
    rows_of(person)
    rows = pd.DataFrame(json.loads(person.path.read_text()))
    assert len(rows) == 2 * 6
    assert set(rows[rows["condition"] == CENTERS]["refusal"]) == {"no center lies in the scan"}
    exact = rows[rows["condition"] == EXACT].set_index("level")
    assert exact.loc["L1", "refusal"] == "not found"
    assert exact.loc["L2", "measured_loss"] == 0.3


def test_rows_are_judged_by_the_shipped_calibration():
    row = {
        "preset": "hard",
        "subject": "a",
        "condition": EXACT,
        "level": "L1",
        "grade": 3,
        "loss": 0.5,
        "look_alikes": "",
        **mask_errors._SILENT,
        "prototypes": 8.0,
        "prototypes_spread": 0.0,
        "heights": 4.0,
        "measured_loss": 0.5,
    }
    content = stated(pd.DataFrame([row, row | {"refusal": "quality flag metal"}]))
    table = pd.DataFrame(content["rows"], columns=content["columns"])
    assert list(table["verdict_together"]) == ["fracture suspected", "not assessable"]
    assert table["detector"].isna().all()
    assert [model["name"] for model in content["models"]] == [
        DEFAULT_MODEL,
        "detector-phantom",
    ]


def test_persons_are_the_ones_written_down(tmp_path):
    found = persons(tmp_path)
    assert len(found) == sum(count for _, count in PERSONS.values())
    assert len({person.path for person in found}) == len(found)


@pytest.mark.parametrize("value", [np.nan, 0.123456])
def test_what_was_not_said_is_none(value):
    assert mask_errors._plain({"a": value, "b": "x"})["a"] == (None if np.isnan(value) else 0.1235)
