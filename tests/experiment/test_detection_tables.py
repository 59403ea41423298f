import pytest

from spinexplain.experiment.stored import find_results
from spinexplain.experiment.tables import make_tables
from spinexplain.experiment.trials_result import Crossing, TrialsResult, write_result


def only_table(folder):
    (table,) = make_tables(find_results(folder))
    return table


def ours(table):
    return [(row.name, *row.cells) for row in table.rows if row.origin == "ours"]


def test_what_trials_write_becomes_table_1(tmp_path):
    figures = dict.fromkeys(("f1", "f1_fracture", "accuracy", "auc", "ap"), 0.5)
    unknown = figures | {"auc": float("nan")}
    crossings = (
        Crossing("a", "b", 40, 7, (figures, {name: 0.7 for name in figures})),
        Crossing("a", "c", 30, 5, (unknown,)),
    )
    write_result(TrialsResult(crossings), tmp_path)
    table = only_table(tmp_path / "result.json")
    assert ours(table) == [
        ("a, tested on b", *["60.0 ± 14.1"] * 4),
        ("a, tested on c", "50.0", "50.0", "–", "50.0"),
    ]
    notes = " ".join(table.notes)
    assert "b 40 (7), 2 by a; c 30 (5), 1 by a" in notes
    assert table.rows[1].cells[0] == "86.1 ± 2.6"


@pytest.mark.parametrize(("grade", "tables"), [("fracture", 1), ("no fracture", 0), (None, 0)])
def test_a_dissected_prediction_becomes_table_3(grade, tables, stored, tmp_path):
    evidence = [
        {"terms": {"unit": 22.0, "rank": 3.0, "units": 64.0}},
        {"terms": {"unit": 5.0, "rank": 1.0, "units": 64.0}},
    ]
    explanation = {"method": "dissection", "evidence": evidence}
    reading = {
        "schema": "spinexplain/result/1",
        "ct": {"name": "ct.nii.gz"},
        "models": [{"name": "detector", "classes": ["no fracture", "fracture"]}],
        "vertebrae": [
            {"level": "T12", "grade": None, "explanation": None},
            {"level": "L1", "grade": grade, "explanation": explanation},
        ],
    }
    stored.write(tmp_path, r=reading)
    made = make_tables(find_results(tmp_path))
    assert len(made) == tables
    if tables:
        assert ours(made[0]) == [("unit 22", "1; rank 3 of 64"), ("unit 5", "2; rank 1 of 64")]
        assert made[0].rows[0].name == "unit 22"
        assert "L1 of ct.nii.gz, called fracture by detector" in " ".join(made[0].notes)
