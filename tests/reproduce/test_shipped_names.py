from copy import deepcopy
from dataclasses import replace

import torch

from spinexplain.localizer.manifest import NAMES as NETWORKS
from spinexplain.localizer.manifest import read_manifest
from spinexplain.localizer.networks import filled, save_networks
from spinexplain.localizer.prior import PRIOR_FILE, shipped_prior, write_prior
from spinexplain.models.body_network import BodyNetwork
from spinexplain.models.curve_network import CurveNetwork
from spinexplain.models.levels_network import LevelsNetwork
from spinexplain.reproduce import shipped_names
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.shipped_names import SEEDS, mean_network, train_names


def stored(out):
    return {name: (out / f"{name}.safetensors").read_bytes() for name in NETWORKS}


def begun(out, monkeypatch, drawn_body):
    """Store untrained networks, and make each training a single small step."""
    torch.manual_seed(0)
    out.mkdir()
    networks = {"curve": CurveNetwork(), "levels": LevelsNetwork(), "body": BodyNetwork()}
    save_networks(out, "4", networks)
    write_prior(out / PRIOR_FILE, shipped_prior())
    small = replace(shipped_names.NAMES, steps=1, batch=1, rate=1e-4)
    monkeypatch.setattr(shipped_names, "NAMES", small)
    monkeypatch.setattr(shipped_names, "PERSONS", (None,))
    monkeypatch.setattr(shipped_names, "drawn_bodies", lambda *_: [drawn_body])
    monkeypatch.setattr(shipped_names, "found_curves", lambda *_: {})
    return stored(out)


def test_one_training_alone_changes_no_localizer_and_both_make_one(
    drawn_body, tmp_path, monkeypatch
):
    out = tmp_path / "out"
    before = begun(out, monkeypatch, drawn_body)
    setting = Setting(tmp_path, tmp_path, tmp_path, tmp_path)
    train_names(setting, out, "5", SEEDS[:1])
    assert stored(out) == before
    train_names(setting, out, "5")
    after = stored(out)
    assert [name for name in NETWORKS if before[name] != after[name]] == ["levels"]
    assert read_manifest(out).version == "5"
    old, new = (filled("levels", files["levels"]) for files in (before, after))
    moved = (new.answer.weight - old.answer.weight).abs().max()
    assert 0 < float(moved.detach()) < 1e-2


def test_the_mean_network_lies_between_the_two():
    torch.manual_seed(0)
    one = LevelsNetwork((4, 4, 4, 4), 8).eval()
    other = deepcopy(one)
    with torch.no_grad():
        other.answer.weight += 2.0
    other.encoders[0][0][1].running_mean += 4.0
    mean = mean_network([one, other])
    torch.testing.assert_close(mean.answer.weight, one.answer.weight + 1.0)
    torch.testing.assert_close(
        mean.encoders[0][0][1].running_mean, one.encoders[0][0][1].running_mean + 2.0
    )
    assert torch.equal(mean.collapse[0].weight, one.collapse[0].weight)
