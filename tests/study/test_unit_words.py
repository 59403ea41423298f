import pytest

from spinexplain.study.answers import Answer, AnswerFile
from spinexplain.study.asking import read_questions
from spinexplain.study.orders import Planned, reader_plan
from spinexplain.study.record import ArmKey, Item, ItemKey, Key, Piece, Study, UnitKey, write_study
from spinexplain.study.score import score_study
from spinexplain.study.score_tables import score_tables
from spinexplain.study.tally import tally
from spinexplain.study.unit_words import is_tied, rater_names, revealed, unit_rows
from study.conftest import VIEW

TIED = UnitKey(unit=7, rank=1, contrast=0.4, q=0.001, suggestion="superior endplate (9.0 × chance)")
BY_CHANCE = UnitKey(unit=2, rank=2, contrast=0.1, q=0.3)


@pytest.fixture
def said(tmp_path):
    """Two units, two readers: the first names both, the second one."""
    items = tuple(Item(id=name, pieces=(Piece(exemplar=VIEW),)) for name in ("BBBBBB", "CCCCCC"))
    order = [Planned(item.id, item.id) for item in items]
    study = Study(
        title="Naming",
        kind="units",
        questions=read_questions("units"),
        items=items,
        readers=tuple(reader_plan(order, "evidence", k, 0) for k in (1, 2)),
    )
    key = Key(
        study="",
        seed=0,
        arms={"units": ArmKey(model="m", version="1", sha256="a", method="units")},
        cases={},
        items={"BBBBBB": ItemKey(case="unit-7"), "CCCCCC": ItemKey(case="unit-2")},
        units={"unit-7": TIED, "unit-2": BY_CHANCE},
        names_key="k",
        layer="trunk",
    )
    study = write_study(tmp_path, study, key, {})
    key = key.model_copy(update={"study": study.id})

    def file(reader, words):
        answers = [
            Answer(item=item, piece=0, question=question, value=value, at="2026")
            for item, question, value in words
        ]
        return AnswerFile(study=study.id, reader=reader, source="app", answers=tuple(answers))

    files = [
        file(
            1,
            [
                ("BBBBBB", "name", "endplate"),
                ("BBBBBB", "meaningful", "yes"),
                ("CCCCCC", "name", "noise"),
                ("CCCCCC", "meaningful", "no"),
            ],
        ),
        file(2, [("BBBBBB", "name", "Endplate"), ("BBBBBB", "meaningful", "yes")]),
    ]
    return study, key, files


def test_units_by_rank_with_what_was_said(said):
    study, key, files = said
    rows = unit_rows(tally(study, key, files), key)
    assert [row["unit"] for row in rows] == [7, 2]
    assert rows[0]["names"] == ["endplate", "Endplate"]
    assert rows[1]["meaningful"] == ["no", None]
    assert [row["tied"] for row in rows] == [True, False]
    table = next(
        t for t in score_tables(score_study(study, key, files, draws=10)) if t.key == "units"
    )
    assert table.rows[0].cells[2] == "2 of 2"
    assert table.rows[1].cells[-1] == "no, q 0.300"


def test_names_are_those_that_the_names_command_reads(said, tmp_path):
    from spinexplain.explainers.dissection.names import consensus, read_raters

    study, key, files = said
    raters = rater_names(tally(study, key, files), key)
    path = tmp_path / "names.json"
    path.write_text(raters[0].model_dump_json(by_alias=True))
    (read,) = read_raters(path, "k", 10)
    assert [(n.unit, n.name, n.meaningful) for n in read.names] == [
        (7, "endplate", True),
        (2, "noise", False),
    ]
    assert consensus(raters, 7).meaningful == 2


def test_ties_are_said_as_they_are():
    assert is_tied(TIED)
    assert not is_tied(BY_CHANCE)
    assert revealed(TIED)["suggested by anatomy"].startswith("superior endplate")
    assert revealed(BY_CHANCE)["suggested by anatomy"] == "nothing stands out"
    assert (
        "healthy vertebrae"
        in revealed(BY_CHANCE.model_copy(update={"contrast": -0.1}))["tied to fracture"]
    )
