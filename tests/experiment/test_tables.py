import json

import pytest

from spinexplain.errors import ConfigError
from spinexplain.experiment.stored import find_results
from spinexplain.experiment.tables import NOT_A_REPLICATION, make_tables, published


def tables_of(folder):
    return {table.key: table for table in make_tables(find_results(folder))}


def rater(name, unit):
    said = {"unit": unit, "name": "endplate", "meaningful": True}
    return {"schema": "spinexplain/unit-names/1", "key": "k", "rater": name, "names": [said]}


def cells(table, origin, name):
    return next(row.cells for row in table.rows if (row.origin, row.name) == (origin, name))


def test_published_numbers_are_those_of_the_counts():
    """Table 1 follows from the counts of right vertebrae; see the paper's class accuracies."""
    rows = {row["name"]: row["values"] for row in published()["protoverse"]["table1"]["rows"]}
    for name, right in {"baseline": 308, "protopnet": 298, "protoverse": 323}.items():
        assert rows[name][2] == pytest.approx(100 * right / 358, abs=0.006)


def test_ours_stand_beside_the_published(stored, tmp_path):
    entries = [stored.entry("baseline", 0.7), stored.entry("mine", 0.81, stored.prototypes)]
    stored.write(tmp_path, cv=stored.crossval(entries), ev=stored.evaluation("m"))
    made = tables_of(tmp_path)
    assert set(made) == {"protoverse-table1", "protoverse-table2", "protoverse-table3-mine"}
    second = made["protoverse-table2"]
    assert cells(second, "published", "protoverse")[1] == "75.97 ± 4.80"
    assert cells(second, "ours", "mine") == ("81.0 ± 2.0",) * 3
    notes = " ".join(second.notes)
    assert NOT_A_REPLICATION in notes
    assert "conv at 112 (from scratch)" in notes
    assert "synthetic" in notes
    assert "dddddddddddd" in notes
    assert cells(made["protoverse-table1"], "ours", "m")[0] == "80.0 (70.0 to 90.0)"
    third = made["protoverse-table3-mine"]
    assert third.title.endswith("(table 3): mine")
    assert cells(third, "ours", "G2") == ("1.00", "2.00", "1.00")


def test_ablations_give_tables_by_factor(stored, tmp_path):
    entries = [stored.entry("p", 0.8), stored.entry("p-0.1", 0.7), stored.entry("p-ins", 0.6)]
    stored.write(tmp_path, ab=stored.crossval(entries, factors=stored.ablation))
    made = tables_of(tmp_path)
    assert set(made) == {"protoverse-table6"}
    ours = [
        (row.name, row.cells[0]) for row in made["protoverse-table6"].rows if row.origin == "ours"
    ]
    assert ours == [("0.3", "80.0 ± 2.0"), ("0.1", "70.0 ± 2.0")]
    assert "All share one classifier." in made["protoverse-table6"].notes


def test_trials_and_dissections_have_their_tables(stored, tmp_path):
    figures = {"f1": 0.5, "accuracy": 0.6, "auc": None, "ap": 0.7}
    crossing = {"train": "a", "test": "b", "mean": figures, "standard_deviation": figures}
    trials = {"schema": "spinexplain/trials/1", "crossings": [crossing]}
    dissection = {
        "schema": "spinexplain/dissection/1",
        "layer": "encoder",
        "key": "k",
        "model": {"name": "m"},
        "regions": ["body"],
        "units": {
            "rank": [2, 0, 1],
            "iou_body": [0.1, 0.0, 0.3],
            "inside_body": [0.2, 0.0, 0.6],
            "lift_body": [1.0, 0.0, 2.0],
        },
    }
    stored.write(tmp_path, t=trials, d=dissection)
    (tmp_path / "d" / "names.json").write_text(json.dumps([rater("A", 0), rater("B", 0)]))
    made = tables_of(tmp_path)
    assert cells(made["dissection-table1"], "ours", "a, tested on b")[2] == "–"
    assert [r.cells for r in made["dissection-table2"].rows if r.origin == "ours"] == [
        ("unit 2, suggested: body",),
        ("unit 0: endplate (meaningful to 2 of 2)",),
    ]
    assert "table2.html" in " ".join(made["dissection-table2"].notes)


def test_heads_on_a_frozen_trunk_have_a_table_of_their_own(stored, tmp_path):
    whole, heads = stored.crossval([stored.entry("a")]), stored.crossval([stored.entry("b", 0.6)])
    stored.write(tmp_path, cv=whole, heads=heads | {"trunk": "Frozen, said so."})
    made = tables_of(tmp_path)
    assert set(made) == {"protoverse-table2", "protoverse-table2-heads"}
    assert "Frozen, said so." in made["protoverse-table2-heads"].notes
    assert made["protoverse-table2-heads"].title.endswith("(table 2), heads alone")
    with pytest.raises(StopIteration):
        cells(made["protoverse-table2"], "ours", "b")


def test_candidates_are_told(stored, tmp_path):
    entry = stored.entry("a") | {"candidates": [{"loss.lambda_div": 0.1}, {"loss.lambda_div": 1}]}
    stored.write(tmp_path, cv=stored.crossval([entry | {"chosen": [1, 0]}]))
    notes = " ".join(tables_of(tmp_path)["protoverse-table2"].notes)
    assert "2 candidates for each entry" in notes
    assert "a lambda_div=1, lambda_div=0.1" in notes


def test_the_backbone_of_an_evaluated_model_is_told(stored, tmp_path):
    config = {"trunk": {"name": "vgg11", "weights": "imagenet"}, "input": {"size": 224}}
    found = stored.evaluation("m") | {"config": config, "trained_on": "60 squares"}
    stored.write(tmp_path, ev=found)
    notes = " ".join(tables_of(tmp_path)["protoverse-table1"].notes)
    assert "vgg11 at 224 (ImageNet weights)" in notes
    assert "m: trained on 60 squares" in notes


def test_results_of_different_data_are_never_mixed(stored, tmp_path):
    stored.write(tmp_path, a=stored.evaluation("m"), b=stored.evaluation("n", "e" * 64))
    with pytest.raises(ConfigError, match="table 1 would mix"):
        tables_of(tmp_path)
