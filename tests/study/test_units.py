"""A study of the toy network's units: large pictures, nothing that anchors, names for the atlas."""

import pytest

import toy_dissection
from spinexplain.data.cohort import Cohort
from spinexplain.errors import ConfigError, ModelError
from spinexplain.study.asking import read_questions
from spinexplain.study.figure8 import draw_figure8
from spinexplain.study.panel import Panel, simulate
from spinexplain.study.record import missing_pictures, read_key
from spinexplain.study.score import reader_rows
from spinexplain.study.tally import tally
from spinexplain.study.units import UnitsPlan, create_units_study

PLAN = UnitsPlan("Naming", read_questions("units"), units=3, pictures=2, seed=4)


@pytest.fixture(scope="module")
def made(known_dissected, tmp_path_factory):
    folder = tmp_path_factory.mktemp("units")
    cohort = Cohort.open(toy_dissection.write_toy_cohort(folder / "cohort").path)
    out = folder / "study"
    out.mkdir()
    study = create_units_study(
        out, toy_dissection.toy_grader(), cohort, known_dissected.dissection, PLAN
    )
    return out, study, cohort


def test_a_page_is_a_unit_with_its_strongest_vertebrae(made, known_dissected):
    folder, study, _ = made
    key = read_key(folder, study)
    assert sorted(unit.unit for unit in key.units.values()) == sorted(
        known_dissected.dissection.top(3)
    )
    assert missing_pictures(folder, study) == []
    for item in study.items:
        assert item.image is None
        assert len(item.pieces) == 2
        for piece in item.pieces:
            (plane,) = piece.exemplar.slices
            assert plane.wash
            assert plane.target
            assert piece.exemplar.width == 64
    assert key.names_key == known_dissected.dissection.key


def test_units_have_no_foils_to_be_alike_and_no_figure_8(made, tmp_path):
    folder, study, _ = made
    key = read_key(folder, study)
    files = simulate(study, key, Panel(kinds=("yes",)), 0)
    found = tally(study, key, files)
    notes = reader_rows(found, study, files)[0]["notes"]
    assert notes == ["meaningful: yes to all 3: uninformative"]
    assert draw_figure8(tmp_path, study, found, folder / "pictures") == []


def test_nothing_that_anchors_is_in_what_readers_get(made):
    folder, study, _ = made
    text = (folder / "study.json").read_text()
    listed = text.split('"items"')[1]
    for word in ("endplate", "rank", "fracture", "unit", "sub-"):
        assert word not in listed, word
    assert "superior endplate" in (folder / "reveal.json").read_text()
    assert study.plan(1).sessions != study.plan(2).sessions


def test_another_model_or_cohort_is_refused(made, known_dissected, other_cohort, tmp_path):
    from dataclasses import replace

    _, _, cohort = made
    grader = toy_dissection.toy_grader()
    foreign = replace(grader, info=replace(grader.info, sha256="b2" * 32))
    with pytest.raises(ModelError, match="Units mean nothing"):
        create_units_study(tmp_path, foreign, cohort, known_dissected.dissection, PLAN)
    with pytest.raises(ConfigError, match="holds none of the vertebrae"):
        create_units_study(
            tmp_path, grader, Cohort.open(other_cohort), known_dissected.dissection, PLAN
        )


def test_boxes_scroll_through_their_planes(known_dissected_3d, tmp_path):
    grades = ("G0", "G2", "G3", "G0")
    cohort = toy_dissection.write_toy_cohort(tmp_path / "cohort", 3, grades, framed=True)
    (tmp_path / "study").mkdir()
    grader = toy_dissection.toy_grader(3)
    study = create_units_study(
        tmp_path / "study",
        grader,
        Cohort.open(cohort.path),
        known_dissected_3d.dissection,
        UnitsPlan("Naming", read_questions("units"), units=1, pictures=1),
    )
    view = study.items[0].pieces[0].exemplar
    assert len(view.slices) > 10
    assert view.slices[view.start].wash
    assert any(plane.target for plane in view.slices)
