from spinexplain.experiment.stored import find_results
from spinexplain.experiment.tables import make_tables
from spinexplain.experiment.task_table import task_name


def entry(stored, name, loss, confusion):
    pooled = {"confusion": confusion, "vertebra": {"quadratic_kappa": {"value": 0.5}}}
    made = stored.entry(name) | {"pooled": pooled}
    return made | {"config": made["config"] | {"loss": {"grading": loss}, "grades": {}}}


def test_tasks_and_losses_stand_under_one_another(stored, tmp_path):
    three, four = [[8, 1, 1], [2, 3, 5], [0, 1, 9]], [[1, 0, 0, 0]] * 4
    own = stored.crossval([entry(stored, n, n, three) for n in ("cross_entropy", "ordinal")])
    other = stored.crossval([entry(stored, "soft", "soft", four)])
    other["classes"] = ["G0", "G1", "G2", "G3"]
    stored.write(tmp_path, a=own, b=other)
    (table,) = make_tables(find_results(tmp_path))
    assert table.key == "tasks"
    assert [row.name for row in table.rows] == [
        "g0-g2-g3, cross-entropy",
        "g0-g2-g3, ordinal",
        "g0-g1-g2-g3, raters' shares",
    ]
    assert table.rows[0].cells[-2:] == ("0.50", "90.0")
    assert table.rows[2].cells[-1] == "0.0"


def test_a_task_without_a_name_is_its_classes():
    content = {"classes": ["a", "b"], "entries": [{"config": {"grades": {"a": ["G0"]}}}]}
    assert task_name(content) == "a, b"
