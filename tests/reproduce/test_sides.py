import json
from dataclasses import replace

import numpy as np
import pytest

from spinexplain.data.phantom.presets import load_preset
from spinexplain.models.bundle.store import load_grader
from spinexplain.reproduce import sides
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.sides import (
    OFFSETS_MM,
    TEST,
    VALIDATION,
    asked_person,
    close_around,
    measure,
    reliability,
)


@pytest.fixture(scope="module")
def person():
    return asked_person(TEST[0], 0, load_grader("protoverse-phantom-4"), None)


def test_a_persons_fractures_and_a_healthy_vertebra_are_asked(person):
    assert [one.level for one in person] == ["T8", "T10", "T7"]
    assert [one.grade for one in person] == [3, 2, 0]
    assert all(len(one.grades) == len(one.strengths) == 2 * len(OFFSETS_MM) + 1 for one in person)
    assert person[2].moved_mm == (0.0, 0.0)
    assert not person[2].called
    sank, held = person[0].moved_mm[1], person[0].moved_mm[0]
    left, right = person[0].heights_mm
    assert sank > held
    assert left - right == pytest.approx(sank - held, abs=1.5)  # thirds, and halves


def test_cutting_the_scan_close_moves_no_fracture(person):
    from spinexplain.data.phantom.scan import drawn_person

    wide = load_preset("placement")
    close = close_around(wide, TEST[0])
    assert close.fractures == wide.fractures
    assert replace(close, field=wide.field) == wide
    known = [drawn_person(one, TEST[0].seed, 0).is_normal for one in (wide, close)]
    assert known == [False, False]


def test_no_person_is_in_both_halves():
    assert not {one.seed for one in VALIDATION} & {one.seed for one in TEST}


def test_what_was_answered_is_taken_up_and_figures_are_stored(tmp_path, monkeypatch, person):
    few = [replace(one, number=2) for one in VALIDATION], [replace(one, number=2) for one in TEST]
    monkeypatch.setattr(sides, "VALIDATION", few[0])
    monkeypatch.setattr(sides, "TEST", few[1])
    rng, drawn = np.random.default_rng(0), []

    def answer(persons, index, grader, detector):
        drawn.append((persons.name, index))
        moved = (4.0, 4.0) if persons.name == "straight" else (6.0, 2.0 + 9 * (index % 2))
        grades = tuple(rng.normal(1.0, 0.01, 9) + (moved[0] - moved[1]) * np.arange(-4, 5) / 9)
        return [replace(person[0], subject=str(index), moved_mm=moved, grades=grades)]

    monkeypatch.setattr(sides, "asked_person", answer)
    folders = (tmp_path / name for name in ("work", "results", "images"))
    setting = Setting(tmp_path, *folders)
    measure(setting)
    found = json.loads((tmp_path / "results" / "sides.json").read_text())
    assert found["test"]["right"]["grades"][0] == 1
    count = len(drawn)
    measure(setting)
    assert len(drawn) == count
    known = reliability(found)
    assert known.right == 1
    assert known.fractures == 2
    assert known.offsets_mm == tuple(found["chosen"]["offsets_mm"])
