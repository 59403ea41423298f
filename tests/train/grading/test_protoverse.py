"""Whole trainings on the toy set, seconds each."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from spinexplain.config.training import TrainConfig, preset_names, read_config
from spinexplain.errors import ConfigError, ModelError, OutputError
from spinexplain.models.bundle.store import load_grader, save_bundle
from spinexplain.models.grader import Scope
from spinexplain.models.heads.prototype import LinearNet, PrototypeNet
from spinexplain.progress import Steps
from spinexplain.train.grading.package import Statement, bundle_of
from spinexplain.train.grading.plain_inputs import inputs_in_batches
from spinexplain.train.grading.projection import project
from spinexplain.train.grading.protoverse import trained_classifier
from spinexplain.train.grading.recipes import train_model


class Killed(Exception):
    pass


def killed_at(phase, step):
    def progress(name, done, steps):
        if (name, done) == (phase, step):
            raise Killed

    return Steps(progress)


def equal_bits(one, two):
    states = one.state_dict(), two.state_dict()
    return all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.fixture
def trained(toy_set, toy_config, tmp_path):
    return train_model(toy_config(), toy_set(), tmp_path / "run")


def stored_patches(trained, model):
    rows = np.array([source.row for source in trained.sources])
    with torch.no_grad():
        batches = inputs_in_batches(trained.data, rows, trained.config.input)
        latent = torch.cat([model.latent(x) for _, x, _ in batches])
    return torch.stack([latent[(i, slice(None), *s.cell)] for i, s in enumerate(trained.sources)])


def test_prototypes_equal_training_patches_to_the_end_and_after_loading(trained, tmp_path):
    """After projection, after the last layer was tuned, and after save and load."""
    model = trained.model
    assert isinstance(model, PrototypeNet)
    torch.testing.assert_close(
        model.prototypes.detach(), stored_patches(trained, model), atol=1e-6, rtol=0
    )
    statement = Statement("toy", "1", "squares", Scope())
    loaded = load_grader(save_bundle(bundle_of(trained, statement), tmp_path / "toy")).model
    torch.testing.assert_close(
        loaded.prototypes, stored_patches(trained, loaded), atol=1e-6, rtol=0, check_stride=False
    )


def test_bundle_keeps_the_patch_the_prototype_came_from(trained, tmp_path):
    statement = Statement("toy", "1", "squares", Scope(levels=("T12", "L1")))
    grader = load_grader(save_bundle(bundle_of(trained, statement), tmp_path / "toy"))
    for source, exemplar in zip(trained.sources, grader.exemplars, strict=True):
        assert exemplar.provenance.subject == trained.data.subjects[source.row]
        assert exemplar.cell == source.cell
        stored = trained.data.patches_hu[source.row, 6:-6, 6:-6]
        assert np.abs(exemplar.array - stored).max() <= 1
        assert exemplar.heatmap.max() > 0.9 * np.log(1 / trained.config.head.log_epsilon)


def test_last_layer_keeps_its_signs(trained):
    weight, own = trained.model.last_layer.weight.detach(), trained.model.own_class.T
    assert torch.all(weight[own] >= 0)
    assert torch.all(weight[~own] <= 0)


def test_run_folder_tells_the_story(trained, tmp_path):
    rows = list(csv.DictReader((tmp_path / "run" / "log.csv").open()))
    assert [r["phase"] for r in rows if r["term"] == "total"] == (
        ["classifier"] * 12 + ["warm"] * 4 + ["joint-1"] * 6
    )
    assert {"cluster", "separation", "diversity", "l1", "cross_entropy", "outside"} <= {
        r["term"] for r in rows
    }
    history = json.loads((tmp_path / "run" / "validation.json").read_text())
    assert [entry["after"] for entry in history] == ["classifier", "round-1"]
    assert trained.figures["f1"] == history[-1]["f1"]


@pytest.mark.parametrize(
    ("phase", "step"), [("classifier", 9), ("warm", 2), ("joint-1", 5), ("joint-2", 3)]
)
def test_resuming_after_a_kill_gives_the_same_bits(
    toy_set, toy_config, tmp_path, phase, step, monkeypatch
):
    monkeypatch.setattr("spinexplain.train.engine.loop.SAVE_EVERY_STEPS", 2)
    config, data = toy_config(rounds=2), toy_set()
    whole = train_model(config, data, tmp_path / "whole")
    with pytest.raises(Killed):
        train_model(config, data, tmp_path / "cut", progress=killed_at(phase, step))
    resumed = train_model(config, data, tmp_path / "cut", resume=True)
    assert equal_bits(whole.model, resumed.model)
    assert whole.sources == resumed.sources


def test_trunk_and_its_statistics_are_frozen_while_the_head_warms_up(toy_set, toy_config, tmp_path):
    config = toy_config(joint={"steps": 0})
    trained = train_model(config, toy_set(), tmp_path / "run")
    saved = torch.load(tmp_path / "run" / "classifier.ckpt", weights_only=True)["model"]
    for name, value in trained.model.trunk.state_dict().items():
        assert torch.equal(value, saved[f"linear.trunk.{name}"])


def test_batch_statistics_stay_frozen_in_the_joint_phase(toy_set, toy_config, tmp_path):
    trained = train_model(toy_config(), toy_set(), tmp_path / "run")
    saved = torch.load(tmp_path / "run" / "classifier.ckpt", weights_only=True)["model"]
    state = trained.model.trunk.state_dict()
    moving = [name for name in state if "running" in name]
    assert moving
    assert all(torch.equal(state[name], saved[f"linear.trunk.{name}"]) for name in moving)
    assert not torch.equal(state["layers.0.weight"], saved["linear.trunk.layers.0.weight"])


def test_heights_beside_prototypes_move_the_trunk_and_are_resumed(toy_set, toy_config, tmp_path):
    data = replace(toy_set(), height_loss=np.linspace(0, 0.6, len(toy_set())))
    configs = {name: toy_config(loss={"lambda_joint_height": name}) for name in (0.0, 1.0)}
    runs = {name: train_model(one, data, tmp_path / str(name)) for name, one in configs.items()}
    assert not equal_bits(runs[0.0].model.trunk, runs[1.0].model.trunk)
    assert isinstance(runs[1.0].model, PrototypeNet)
    last = configs[1.0].joint.steps
    with pytest.raises(Killed):
        train_model(configs[1.0], data, tmp_path / "two", progress=killed_at("joint-1", last))
    again = train_model(configs[1.0], data, tmp_path / "two", resume=True)
    assert equal_bits(again.model, runs[1.0].model)


def test_baseline_learns_the_toy_task(toy_set, toy_config, tmp_path):
    config = toy_config(head={"kind": "linear"}, classifier={"steps": 60})
    trained = train_model(config, toy_set(n=90), tmp_path / "run")
    assert isinstance(trained.model, LinearNet)
    assert trained.figures["f1"] > 0.8
    bundle = bundle_of(trained, Statement("toy", "1", "squares", Scope()))
    grader = load_grader(save_bundle(bundle, tmp_path / "toy"))
    assert grader.explainer == "gradcam"
    assert grader.exemplars == ()


def test_global_random_state_is_left_alone(toy_set, toy_config, tmp_path):
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    train_model(toy_config(), toy_set(), tmp_path / "run")
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_checkpoint(
    toy_set, toy_config, tmp_path, monkeypatch
):
    monkeypatch.setattr("spinexplain.train.engine.loop.SAVE_EVERY_STEPS", 1)
    config = toy_config(classifier={"trunk_lr": 1e30, "head_lr": 1e30, "decay": "none"})
    with pytest.raises(ModelError, match="in phase classifier at step"):
        train_model(config, toy_set(), tmp_path / "run")
    assert (tmp_path / "run" / "classifier.ckpt").is_file()


def test_an_existing_run_is_not_overwritten_and_not_resumed_with_other_settings(
    toy_set, toy_config, tmp_path
):
    train_model(toy_config(head={"kind": "linear"}), toy_set(), tmp_path / "run")
    with pytest.raises(OutputError, match="holds a run already"):
        train_model(toy_config(), toy_set(), tmp_path / "run")
    with pytest.raises(ModelError, match="other settings"):
        train_model(toy_config(), toy_set(), tmp_path / "run", resume=True)


def test_a_missing_class_stops_before_anything_is_trained(toy_set, toy_config, tmp_path):
    data = toy_set()
    data.grades[data.grades == 3] = 0
    with pytest.raises(ConfigError, match="class G3 has 0"):
        train_model(toy_config(), data, tmp_path / "run")


def test_a_set_that_is_too_small_leaves_no_run_behind(toy_set, toy_config, tmp_path):
    with pytest.raises(ConfigError, match="class G"):
        train_model(toy_config(), toy_set(n=6), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", preset_names())
@pytest.mark.filterwarnings("ignore:class_weights = as_printed")
def test_every_preset_trains_a_few_steps_and_makes_a_bundle(name, toy_set, tmp_path):
    """The presets' own settings, on small crops and in small batches."""
    preset = read_config(name)
    if preset.input.axes != 2:
        pytest.skip("a preset of boxes")
    few = {phase: {"steps": 1, "batch": 6} for phase in ("classifier", "warm", "joint")}
    few["last_layer"] = {"steps": 5, "augmented_views": 0}
    few["input"] = {"extent_mm": 32, "size": 64 if preset.input.size == 224 else 32}
    content = preset.model_dump()
    for section, changes in few.items():
        if section != "classifier" or preset.classifier.steps:
            content[section] |= changes
    data = replace(toy_set(n=18), height_loss=np.linspace(0, 0.5, 18))
    trained = train_model(TrainConfig(**content), data, tmp_path / "run")
    statement = Statement("toy", "1", "squares", Scope())
    grader = load_grader(save_bundle(bundle_of(trained, statement), tmp_path / "toy"))
    assert grader.explainer == ("gradcam" if preset.head.kind == "linear" else "prototypes")


@pytest.mark.parametrize("start", ["trained", "projected"])
def test_the_next_round_starts_from_the_projected_prototypes_or_not(
    start, toy_set, toy_config, tmp_path, monkeypatch
):
    seen = []

    def recorded(model, *rest):
        seen.append(model.prototypes.detach().clone())
        sources = project(model, *rest)
        seen.append(model.prototypes.detach().clone())
        return sources

    monkeypatch.setattr("spinexplain.train.grading.protoverse.project", recorded)
    config = toy_config(rounds=2, joint={"steps": 0}, continue_from=start)
    train_model(config, toy_set(n=36), tmp_path / "run")
    before, after, next_before, _ = seen
    assert torch.equal(next_before, after if start == "projected" else before)


def test_the_classifier_that_warmed_up_the_trunk_can_be_taken_out_again(
    toy_set, toy_config, tmp_path
):
    trained = train_model(toy_config(), toy_set(n=36), tmp_path / "run")
    classifier = trained_classifier(trained, tmp_path / "run").model
    saved = torch.load(tmp_path / "run" / "classifier.ckpt", weights_only=True)["model"]
    assert all(torch.equal(saved[f"linear.{n}"], t) for n, t in classifier.state_dict().items())
    with pytest.raises(ModelError, match=r"classifier\.ckpt"):
        trained_classifier(trained, tmp_path)


def with_parts(data):
    """Squares that lost their top lost the superior endplate; those without front the front."""
    from spinexplain.train.grading.part_targets import parts_of_body

    n = len(data)
    part = np.repeat(parts_of_body(data.target[0])[None], n, axis=0)
    moved = np.zeros((n, 12), np.float32)
    moved[data.grades == 2, :6] = 4.0
    moved[data.grades == 3, 3:6] = moved[data.grades == 3, 9:] = 4.0
    body = data.target[0] > 0
    evidence = np.zeros(data.patches_hu.shape, np.uint8)
    for grade, where in ((2, part[0] <= 6), (3, (part[0] - 1) % 6 >= 3)):
        evidence[data.grades == grade] = body & where
    twins = np.zeros(n, bool)
    twins[np.flatnonzero(data.grades == 0)[:4]] = True
    return replace(data, part=part, displacement_mm=moved, evidence=evidence, twins=twins)


def test_addressed_prototypes_come_from_their_part_and_never_from_a_twin(
    toy_set, toy_config, tmp_path
):
    """Every part of the fractured class has patches here."""
    data = with_parts(toy_set(n=90))
    config = toy_config(
        head={"addressed": True, "add_on_width": 8},
        loss={"lambda_place": 1.0, "lambda_part": 1.0, "lambda_clst": 0.0},
        last_layer={"tied": True},
        sampling="parts",
        twin_share=0.1,
        classes=("G0", "G2"),
    )
    rear = {"displacement_mm": data.displacement_mm.copy(), "evidence": data.evidence.copy()}
    rear["displacement_mm"][data.grades == 2, 6:] = 4.0  # both endplates: every part has patches
    rear["evidence"][data.grades == 2] = data.target[0]
    trained = train_model(config, replace(data, **rear), tmp_path / "run")
    places = [(source.row, source.cell) for source in trained.sources]
    assert not any(trained.data.twins[row] for row, _ in places)
    field, margin = trained.model.trunk.field, (44 - 32) // 2
    codes = [
        int(trained.data.part[row][tuple(int(margin + field.start + field.stride * c) for c in at)])
        for row, at in places[3:]
    ]
    halves = [("superior" if code <= 6 else "inferior", (code - 1) % 6 >= 3) for code in codes]
    expected = [("superior", True), ("superior", False), ("inferior", True), ("inferior", False)]
    assert halves == expected
    own = trained.model.last_layer.weight.detach()[trained.model.own_class.T]
    assert own[:3].unique().numel() == own[3:].unique().numel() == 1


def test_a_part_without_a_patch_is_told(toy_set, toy_config, tmp_path):
    config = toy_config(head={"addressed": True}, loss={"lambda_place": 1.0})
    with pytest.raises(ModelError, match="in its part"):
        train_model(config, with_parts(toy_set(n=90)), tmp_path / "run")
