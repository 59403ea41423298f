import pytest

from spinexplain.config.tasks import TASKS
from spinexplain.config.training import TrainConfig, parse_config, read_config
from spinexplain.errors import ConfigError

BINARY = {"no fracture": ["G0"], "fracture": ["G2", "G3"]}


def binary(**grades):
    return {"classes": ["no fracture", "fracture"], "grades": BINARY | grades}


def test_classes_named_like_grades_stand_for_themselves():
    assert TrainConfig().task.grades == (("G0",), ("G2",), ("G3",))


def test_mild_fractures_go_where_the_setting_says():
    mild = parse_config(binary(fracture=["G1", "G2", "G3"]), "x")
    assert mild.task == TASKS["any-fracture"]


def test_order_of_the_logits_is_that_of_classes():
    swapped = TrainConfig(classes=("fracture", "no fracture"), grades=BINARY)
    assert swapped.task.classes == ("fracture", "no fracture")
    assert swapped.task.healthy == "no fracture"


def test_a_grade_in_two_classes_is_refused():
    with pytest.raises(ConfigError, match="puts G2 into two classes"):
        parse_config(binary(**{"no fracture": ["G0", "G2"]}), "x")


def test_a_class_without_grades_is_refused():
    with pytest.raises(ConfigError, match='class "fracture" stands for'):
        parse_config(binary(fracture=[]), "x")
    with pytest.raises(ConfigError, match='class "broken" stands for'):
        parse_config({"classes": ["G0", "broken"], "grades": {"G0": ["G0"]}}, "x")


def test_a_class_that_is_none_is_refused():
    with pytest.raises(ConfigError, match=r"names \['healthy'\], which are not in classes"):
        parse_config({"grades": {"healthy": ["G0"]}}, "x")


def test_an_unknown_grade_is_refused():
    with pytest.raises(ConfigError, match="G7"):
        parse_config(binary(fracture=["G7"]), "x")


def test_typo_in_an_optional_section_is_answered_with_the_nearest_key():
    with pytest.raises(ConfigError, match=r'"shift" in \[volume_augment\] of x. Did you mean'):
        parse_config({"volume_augment": {"shift": 1}}, "x")


def test_presets_of_the_detector_are_what_paper_and_code_say():
    published, released, ours = (
        read_config(name) for name in ("detector-as-published", "detector-as-released", "detector")
    )
    assert (published.input.size, published.head.dropout) == (96, 0.3)
    assert (published.trunk.name, published.detector.patience) == ("unet3d", 50)
    assert published.volume_augment.share > 0
    assert (released.input.size, released.head.dropout) == (64, 0.0)
    assert (released.trunk.name, released.detector.patience) == ("unet3d_as_released", 40)
    assert (released.volume_augment.share, released.volume_augment.mirror) == (0, False)
    assert released.detector.epoch == "rarest"
    assert [c.dissection.quantile for c in (published, released, ours)] == [0.995, 0.99, 0.995]
    assert {c.detector.lr for c in (published, released, ours)} == {1e-3}
    assert ours.trunk.name == "compact3d"
