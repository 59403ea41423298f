from spinexplain.study.panel import Panel, simulate
from spinexplain.study.score import score_study
from spinexplain.study.score_tables import score_tables
from study.conftest import opened


def _tables(folder):
    study, key = opened(folder)
    score = score_study(study, key, simulate(study, key, Panel(), 0), draws=20)
    return {table.key: table for table in score_tables(score)}


def test_everything_there_is_has_its_table(written):
    tables = _tables(written(unaided=True, cases=15, foils=15, repeats=3))
    expected = {"readers", "protoverse-table4", "foils", "right-or-wrong", "reading"}
    assert expected | {"agreement", "repeats", "power"} == set(tables)
    for table in tables.values():
        assert all(len(row.cells) == len(table.columns) for row in table.rows), table.key


def test_what_there_is_not_has_none(written):
    tables = _tables(written(cases=15, foils=0, repeats=0))
    assert not {"foils", "reading", "arms", "power", "repeats"} & set(tables)


def test_published_raters_stand_above_ours(written):
    table = _tables(written())["protoverse-table4"]
    assert [row.origin for row in table.rows] == ["published", "published", "ours", "ours"]
    assert table.rows[0].cells[:3] == ("1.00", "1.00", "1.00")
    assert table.notes[0].startswith("SIMULATED READERS")
    assert any("of foils" in note for note in table.notes)
