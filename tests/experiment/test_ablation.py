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
    config = made("backbone=vgg11@none").entries[1].config
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


def weights(found):
    return {e.name: (e.config.trunk.name, e.config.trunk.weights) for e in found.entries}


def test_backbones_are_crossed_with_their_own_weights():
    """The preset stands on efficientnet_lite0 with ImageNet weights, which are its own."""
    over = ("backbone=efficientnet_lite0,vgg11@v.pth,resnet18@r.pth", "init=pretrained,scratch")
    assert sorted(weights(made(*over, full=True)).values()) == [
        ("efficientnet_lite0", "imagenet"),
        ("efficientnet_lite0", "none"),
        ("resnet18", "none"),
        ("resnet18", "r.pth"),
        ("vgg11", "none"),
        ("vgg11", "v.pth"),
    ]
    alone = made("backbone=vgg11@v.pth", "init=scratch")
    assert sorted(weights(alone).values()) == [
        ("efficientnet_lite0", "imagenet"),
        ("efficientnet_lite0", "none"),
        ("vgg11", "v.pth"),
    ]
    assert alone.settings[alone.entries[0].name]["trunk.weights"] == "pretrained"


def test_from_scratch_other_backbones_start_from_scratch():
    base = TrainConfig(name="p", trunk={"name": "conv", "weights": "none", "blocks": 3})
    found = made("backbone=vgg11", base=base)
    assert list(weights(found).values()) == [("conv", "none"), ("vgg11", "none")]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (("backbone=vgg11",), "no weights are named for the backbone vgg11"),
        (("backbone=vgg11@v.pth", "init=r.pth"), "init=pretrained or init=scratch"),
    ],
)
def test_another_backbones_weights_are_never_taken(texts, words):
    with pytest.raises(ConfigError, match=words):
        made(*texts, full=True)


def test_the_preset_is_trained_with_other_seeds_beside_the_design():
    factors = [parse_factor("lambda_div=0")]
    found = design(BASE, factors, False, "test", seeds=3)
    assert [entry.config.seed for entry in found.trained] == [0, 0, 1, 2]
    assert {entry.name for entry in found.again}.isdisjoint(found.settings)


def test_weights_that_are_missing_stop_before_any_training(toy_cohort, tiny_preset, tmp_path):
    base = parse_entry(str(tiny_preset)).config
    found = design(base, [parse_factor("backbone=vgg11@no.pth")], False, "tiny")
    with pytest.raises(ConfigError, match=r"name=vgg11.*no\.pth"):
        ablate(toy_cohort(), found, tmp_path / "out", folds=2)
    assert not (tmp_path / "out").exists()


def test_an_ablation_stores_its_factors(toy_cohort, tiny_preset, tmp_path):
    base = with_frozen_trunk(parse_entry(str(tiny_preset)).config)
    found = design(base, [parse_factor("lambda_div=0,0.3")], False, "tiny", seeds=2)
    results = ablate(toy_cohort(), found, tmp_path / "out", folds=2)
    assert results["factors"]["settings"]["tiny-lambda_div=0"] == {"loss.lambda_div": 0}
    assert len(results["entries"]) == 3
    names = [entry["name"] for entry in results["entries"]]
    assert results["noise"]["entries"] == [names[0], names[2]]
    means = [results["entries"][k]["mean"]["class_average_f1"] for k in (0, 2)]
    assert results["noise"]["floor"]["class_average_f1"] == pytest.approx(abs(means[0] - means[1]))
    assert all("with_training" in pair for pair in results["comparisons"])
