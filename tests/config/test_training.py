import pytest

from spinexplain.config.entries import steps_of
from spinexplain.config.training import (
    InputSpec,
    TrainConfig,
    parse_config,
    preset_names,
    read_config,
)
from spinexplain.errors import ConfigError


def test_every_preset_reads_and_carries_its_own_name():
    assert {"protoverse", "protopnet", "baseline"} <= set(preset_names())
    for name in preset_names():
        assert read_config(name).name == name


def test_typo_in_a_section_is_answered_with_the_nearest_key(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[loss]\nlamda_div = 0.1\n")
    with pytest.raises(ConfigError) as error:
        read_config(path)
    assert str(error.value) == (
        f'Unknown key "lamda_div" in [loss] of {path}. Did you mean "lambda_div"?'
    )


def test_typo_at_the_top_names_the_top():
    with pytest.raises(ConfigError, match=r'Unknown key "sed" at the top of x.*"seed"'):
        parse_config({"sed": 1}, "x")


def test_key_without_a_near_match_lists_the_known_ones():
    with pytest.raises(ConfigError, match=r"Known keys: .*batch"):
        parse_config({"warm": {"zzzzzz": 1}}, "x")


def test_value_out_of_range_names_key_value_and_reason():
    with pytest.raises(ConfigError, match=r'"validation_share" at the top of x is 2'):
        parse_config({"validation_share": 2}, "x")


def test_preset_name_with_a_typo_gets_a_suggestion():
    with pytest.raises(ConfigError, match='Did you mean "protoverse"'):
        read_config("protovers")


def test_broken_toml_is_a_config_error(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text("[loss\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        read_config(path)


def test_binary_file_is_a_config_error(tmp_path):
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe\x00\x9c")
    with pytest.raises(ConfigError, match="not a text file"):
        read_config(path)


def test_channel_without_a_window_is_refused():
    with pytest.raises(ConfigError, match='names "lung"'):
        InputSpec(channels=("lung",))


def test_window_must_have_a_width():
    with pytest.raises(ConfigError, match="low < high"):
        InputSpec(windows_hu={"ct": (100.0, 100.0)})


def test_config_survives_json():
    config = read_config("protoverse")
    assert TrainConfig.model_validate(config.model_dump(mode="json")) == config


def test_every_method_has_its_three_presets():
    methods = ("baseline", "protopnet", "protoverse")
    expected = {f"{m}{kind}" for m in methods for kind in ("", "-as-published", "-as-released")}
    assert expected <= set(preset_names())
    assert read_config("protoverse_as_released") == read_config("protoverse-as-released")


@pytest.mark.parametrize("other", ["baseline", "protopnet"])
def test_methods_are_comparable_as_they_come(other):
    """Input, trunk, augmentation and the number of steps are the same."""
    verse, config = read_config("protoverse"), read_config(other)
    for shared in ("input", "trunk", "augment", "classes"):
        assert getattr(config, shared) == getattr(verse, shared)
    assert steps_of(config) == steps_of(verse)


def test_presets_as_published_and_as_released_differ_where_the_ledger_says():
    printed, released = (read_config(f"protoverse-as-{kind}") for kind in ("published", "released"))
    assert (printed.loss.lambda_sep, released.loss.lambda_sep) == (0.08, -0.08)
    assert (printed.loss.class_weights, released.loss.class_weights) == ("as_printed", "none")
    assert (printed.last_layer.solver, released.last_layer.solver) == ("convex", "adam")
    assert released.joint.decay_early_steps == 366
    assert printed.projection.allow_duplicates
    assert read_config("protopnet-as-released").loss.lambda_div == 0


def test_addressed_prototypes_need_the_healthy_class_first():
    settings = {"head": {"addressed": True}, "classes": ["G2", "G0", "G3"]}
    with pytest.raises(ConfigError, match='Put "G0" first'):
        parse_config(settings, "mine.toml")
    settings["classes"] = ["G0", "G2", "G3"]
    assert parse_config(settings, "mine.toml").head.addressed
