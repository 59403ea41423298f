from dataclasses import replace

import numpy as np
import pytest
import torch

from spinexplain.data.phantom.wide.person import draw_wide_patient
from spinexplain.errors import ModelError
from spinexplain.localizer.manifest import NAMES, read_manifest
from spinexplain.localizer.networks import filled, save_networks
from spinexplain.models.body_network import BodyNetwork
from spinexplain.models.curve_network import CurveNetwork
from spinexplain.models.levels_network import LevelsNetwork
from spinexplain.reproduce import shipped_localizer
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.shipped_localizer import (
    VERSION,
    as_function,
    as_networks,
    train_curve_further,
    train_levels_further,
    true_names,
)


def test_a_found_center_has_the_name_of_the_body_it_lies_in():
    truth = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, -30.0], [0.0, 0.0, -60.0]])
    found = np.array([[0.0, 2.0, -31.0], [0.0, 0.0, -58.0], [0.0, 0.0, -120.0]])
    assert true_names(found, truth, ("L1", "L2", "L3")) == ("L2", "L3", None)


def test_a_network_becomes_a_function_on_arrays():
    layer = torch.nn.Conv3d(1, 1, 1, bias=False)
    torch.nn.init.constant_(layer.weight, 2.0)
    x = np.full((1, 1, 2, 2, 2), 0.5, np.float32)
    answer = as_function(layer.eval())(x)
    assert answer.dtype == np.float32
    assert float(answer.max()) == 1.0
    assert as_networks(layer, layer).levels(x).shape == x.shape


def begun_from(out, version, monkeypatch, drawn_body):
    """Store a localizer of untrained networks, and make a further training a single small step."""
    torch.manual_seed(0)
    networks = {"curve": CurveNetwork(), "levels": LevelsNetwork()}
    out.mkdir()
    save_networks(out, version, networks | {"body": BodyNetwork()})
    small = replace(shipped_localizer.FURTHER, steps=1, batch=1, rate=1e-6)
    monkeypatch.setattr(shipped_localizer, "FURTHER", small)
    monkeypatch.setattr(shipped_localizer, "drawn_bodies", lambda *_: [drawn_body])
    monkeypatch.setattr(shipped_localizer, "load_networks", lambda _: as_networks(**networks))
    monkeypatch.setattr(shipped_localizer, "found_curves", lambda *_: {})


def test_training_on_begins_with_the_weights_that_are_there(drawn_body, tmp_path, monkeypatch):
    out = tmp_path / "out"
    begun_from(out, shipped_localizer.BEGINS, monkeypatch, drawn_body)
    curve = (out / "curve.safetensors").read_bytes()
    before = filled("levels", (out / "levels.safetensors").read_bytes())
    train_levels_further(Setting(tmp_path, tmp_path, tmp_path, tmp_path), out)
    assert read_manifest(out).version == VERSION
    assert (out / "curve.safetensors").read_bytes() == curve
    after = filled("levels", (out / "levels.safetensors").read_bytes())
    moved = (after.answer.weight - before.answer.weight).abs().max()
    assert float(moved.detach()) < 1e-3


def test_only_the_curve_network_is_trained_on_where_that_is_asked(
    drawn_body, tmp_path, monkeypatch
):
    out = tmp_path / "out"
    begun_from(out, shipped_localizer.CURVE_BEGINS, monkeypatch, drawn_body)
    small = replace(shipped_localizer.CURVE_FURTHER, steps=1, batch=1, rate=1e-6)
    monkeypatch.setattr(shipped_localizer, "CURVE_FURTHER", small)
    before = {name: (out / f"{name}.safetensors").read_bytes() for name in NAMES}
    train_curve_further(Setting(tmp_path, tmp_path, tmp_path, tmp_path), out)
    after = {name: (out / f"{name}.safetensors").read_bytes() for name in NAMES}
    assert [name for name in NAMES if before[name] != after[name]] == ["curve"]
    assert read_manifest(out).version == VERSION
    with pytest.raises(ModelError, match=r"version 3\.1 that is trained"):
        train_curve_further(Setting(tmp_path, tmp_path, tmp_path, tmp_path), out)


def test_a_network_that_was_trained_on_already_is_not_trained_on_again(
    drawn_body, tmp_path, monkeypatch
):
    out = tmp_path / "out"
    begun_from(out, VERSION, monkeypatch, drawn_body)
    with pytest.raises(ModelError, match=f"holds localizer {VERSION}; it is version 2.1 that"):
        train_levels_further(Setting(tmp_path, tmp_path, tmp_path, tmp_path), out)


def test_the_shares_of_rare_levels_are_those_of_the_persons_trained_on():
    one = shipped_localizer.PERSONS
    extra = [draw_wide_patient(one.preset, one.seed, index).extra_levels for index in one.indices()]
    for level, share in (("T13", shipped_localizer.T13), ("L6", shipped_localizer.L6)):
        assert round(sum(level in one for one in extra) / len(extra), 3) == share
