import pytest

from spinexplain.config.tasks import TASKS, Task, derived_task, with_task
from spinexplain.config.training import TrainConfig, parse_config
from spinexplain.errors import ConfigError


@pytest.mark.parametrize("name", TASKS)
def test_a_named_task_is_what_its_classes_and_grades_say(name):
    assert parse_config({"task": name}, "x").task == TASKS[name]


def test_the_default_task_is_the_papers():
    assert TrainConfig().task == TASKS["g0-g2-g3"]


def test_without_a_task_nothing_changes():
    content = {"classes": ["G0", "G3"], "seed": 1}
    assert with_task(content, "x") == content


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"task": "fractures"}, 'Did you mean "fracture"'),
        ({"task": "heights"}, "expected g0-g2-g3, g0-g1-g2-g3, fracture, any-fracture"),
        ({"task": "fracture", "classes": ["G0", "G3"]}, "one or the other"),
        ({"task": "fracture", "grades": {}}, "task and grades"),
    ],
)
def test_mistakes_are_named(content, words):
    with pytest.raises(ConfigError, match=words):
        parse_config(content, "my.toml")


def test_the_healthy_class_is_that_with_g0_else_the_first():
    assert derived_task(("G3", "G0")).healthy == "G0"
    assert derived_task(("calm", "broken")).healthy == "calm"
    assert derived_task(("broken", "calm"), {"calm": ["G0", "G1"]}).healthy == "calm"


def test_severity_goes_by_the_middle_grade_and_orders_the_classes():
    task = Task.of({"bad": ["G2", "G3"], "fine": ["G0"], "mild": ["G1"]})
    assert [task.severity(name) for name in task.classes] == [2, 0, 1]
    assert task.by_severity == (1, 2, 0)
    assert task.fractures == ("bad", "mild")
    assert task.fracture_grades == ("G2", "G3", "G1")
    assert [task.genant(name) for name in task.classes] == [None, 0, 1]
    assert derived_task(("calm", "broken")).severity("broken") == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ((("a", "a"), ((), ()), "a"), "occurs twice"),
        ((("a", "b"), (("G0",),), "a"), "one entry of grades per class"),
        ((("a", "b"), ((), ()), "c"), "the healthy class"),
        ((("a", "b"), (("G0",), ("G0",)), "a"), "puts G0 into two classes"),
        ((("a", "b"), (("G0",), ("G7",)), "a"), "name G7"),
        (((), (), ""), "one entry of grades per class"),
    ],
)
def test_a_task_that_makes_no_sense_is_refused(settings, words):
    with pytest.raises(ConfigError, match=words):
        Task(*settings)
