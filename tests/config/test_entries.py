import pytest

from spinexplain.config.entries import (
    Entry,
    parse_config_text,
    parse_entries,
    parse_entry,
    slug,
    with_setting,
)
from spinexplain.config.tasks import TASKS
from spinexplain.config.training import TrainConfig
from spinexplain.errors import ConfigError


def test_a_preset_keeps_its_name():
    assert parse_entry("protoverse").name == "protoverse"


def test_overrides_change_settings_and_name():
    entry = parse_entry("protoverse:loss.lambda_div=0,trunk.widths=[4, 8, 8, 8]")
    assert entry.config.loss.lambda_div == 0
    assert entry.config.trunk.widths == (4, 8, 8, 8)
    assert entry.name == "protoverse-loss.lambda_div=0-trunk.widths=-4-8-8-8"


def test_as_names_the_entry_whatever_else_is_given():
    entry = parse_entry("protoverse:as=protoverse,loss.lambda_div=0")
    assert entry.name == "protoverse"
    assert entry.config.loss.lambda_div == 0


def test_text_needs_no_quotes():
    assert parse_entry("protoverse:loss.class_weights=isns").config.loss.class_weights == "isns"
    assert parse_entry("baseline:head.pooling='average'").config.head.pooling == "average"


def test_a_toml_file_works_like_a_preset(tiny_preset):
    assert parse_entry(f"{tiny_preset}:seed=3").config.seed == 3


def test_the_hash_follows_the_settings_not_the_name():
    one, two = parse_entry("protoverse:as=a"), parse_entry("protoverse:as=b")
    assert one.sha256 == two.sha256 != parse_entry("protoverse:seed=1").sha256


def test_steps_count_every_phase():
    phases = {"classifier": {"steps": 10}, "warm": {"steps": 3}, "joint": {"steps": 5}}
    assert Entry("x", TrainConfig(**phases, rounds=2)).steps == 23
    assert Entry("x", TrainConfig(**phases, head={"kind": "linear"})).steps == 10


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("protovers", "Did you mean"),
        ("protoverse:loss.lamda_div=0", "lambda_div"),
        ("protoverse:loss.lambda_div=-1", "greater than"),
        ("protoverse:los.lambda_div=0", "names no section"),
        ("protoverse:seed.x=0", "names no section"),
        ("protoverse:seed", "no value"),
    ],
)
def test_mistakes_are_named(text, words):
    with pytest.raises(ConfigError, match=words):
        parse_entry(text)


def test_every_name_once():
    with pytest.raises(ConfigError, match="every name once"):
        parse_entries(["protoverse", "protoverse"])
    with pytest.raises(ConfigError, match="0 entries"):
        parse_entries([])


@pytest.mark.parametrize("name", ["../../x", "/etc", "..", "a b", ""])
def test_a_name_never_leaves_its_folder(name):
    assert slug(name) not in ("", ".", "..")
    assert "/" not in slug(name)


def test_nested_sections_are_replaced_alone():
    config = with_setting(TrainConfig(), "last_layer.lambda_l2", 0.5, "here")
    assert config.last_layer.lambda_l2 == 0.5
    assert config.loss == TrainConfig().loss


def test_a_named_task_replaces_classes_and_grades():
    entry = parse_entry("protoverse:task=any-fracture")
    assert entry.config.task == TASKS["any-fracture"]
    assert entry.config.last_layer.class_shares is None  # those were of G0, G2 and G3
    assert parse_entry("detector:task=g0-g1-g2-g3").config.grades == {}


def test_bars_make_candidates():
    entry = parse_entry("protoverse:loss.lambda_div=0.1|0.3,warm.head_lr=1e-3|3e-3,as=p")
    points = [(c.loss.lambda_div, c.warm.head_lr) for c in entry.candidates]
    assert points == [(0.1, 1e-3), (0.1, 3e-3), (0.3, 1e-3), (0.3, 3e-3)]
    assert entry.sha256 != parse_entry("protoverse:loss.lambda_div=0.1,warm.head_lr=1e-3").sha256


def test_commas_in_tables_do_not_split():
    entry = parse_entry("protoverse:last_layer.class_shares={G0=0.5, G2=0.3, G3=0.2},seed=4")
    assert entry.config.last_layer.class_shares == {"G0": 0.5, "G2": 0.3, "G3": 0.2}
    assert entry.config.seed == 4


def test_candidates_are_refused_where_one_is_wanted():
    with pytest.raises(ConfigError, match="2 candidates"):
        parse_config_text("protoverse:seed=1|2")
