import pytest

from spinexplain.config.tasks import TASKS, with_task
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
