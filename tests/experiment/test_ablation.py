import pytest

from spinexplain.config.entries import parse_entry
from spinexplain.config.training import TrainConfig
from spinexplain.errors import ConfigError
from spinexplain.experiment.ablation import (
    ablate,
    design,
    how_compared,
    parse_factor,
    setting_of,
    with_frozen_trunk,
)

BASE = TrainConfig(name="p", last_layer={"class_weights": "none"})


def made(*texts, full=False, base=BASE):
    return design(base, [parse_factor(text) for text in texts], full, "test")


def test_one_factor_at_a_time():
    found = made("prototypes=2,3,4", "lambda_div=0,0.3")
    assert [entry.name for entry in found.entries] == [
        "p",
        "p-prototypes_per_class=2",
        "p-prototypes_per_class=4",
        "p-lambda_div=0",
    ]
    assert found.entries[3].config.loss.lambda_div == 0
    assert found.entries[3].config.head.prototypes_per_class == 3


def test_a_full_grid_holds_every_combination_once():
    found = made("prototypes=2,3", "lambda_div=0,0.3", full=True)
    points = {tuple(point.values()) for point in found.settings.values()}
    assert points == {(2, 0), (2, 0.3), (3, 0), (3, 0.3)}


def test_weighting_reaches_the_last_layer_too():
    config = made("weighting=ins").entries[1].config
    assert config.loss.class_weights == "ins"
    assert config.last_layer.class_weights is None


def test_a_backbone_comes_with_its_cut():
    config = made("backbone=vgg11").entries[1].config
    assert (config.trunk.name, config.trunk.blocks, config.trunk.max_stride) == ("vgg11", 5, 32)


def test_scratch_means_no_weights():
    assert made("init=imagenet,scratch").entries[1].config.trunk.weights == "none"


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["prototypes"], "no values"),
        (["prototypes="], "no values"),
        (["lamda=1"], 'no setting "lamda"'),
        (["prototypes=0"], "prototypes_per_class"),
        (["prototypes=2", "head.prototypes_per_class=3"], "every key once"),
        ([], "names nothing"),
    ],
)
def test_mistakes_are_named(texts, words):
    with pytest.raises(ConfigError, match=words):
        made(*texts)


def test_what_is_shared_is_said():
    assert "different classifier phases" in how_compared(made("weighting=ins").entries)
    heads = made("lambda_div=0,0.5")
    assert "start from the same classifier" in how_compared(heads.entries)
    frozen = made("lambda_div=0,0.5", base=with_frozen_trunk(BASE))
    assert "frozen trunk" in how_compared(frozen.entries)


def test_setting_of_reads_dotted_keys():
    assert setting_of(BASE, "last_layer.class_weights") == "none"


def test_an_ablation_stores_its_factors(toy_cohort, tiny_preset, tmp_path):
    base = with_frozen_trunk(parse_entry(str(tiny_preset)).config)
    found = design(base, [parse_factor("lambda_div=0,0.3")], False, "tiny")
    results = ablate(toy_cohort(), found, tmp_path / "out", folds=2)
    assert results["factors"]["settings"]["tiny-lambda_div=0"] == {"loss.lambda_div": 0}
    assert len(results["entries"]) == 2
