from functools import partial

import torch

from spinexplain.localizer.manifest import NAMES, read_manifest
from spinexplain.localizer.networks import save_networks
from spinexplain.models.body_network import BodyNetwork
from spinexplain.models.curve_network import CurveNetwork
from spinexplain.models.levels_network import LevelsNetwork
from spinexplain.reproduce import shipped_bodies
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.shipped_bodies import drawn_crops, train_bodies_further
from spinexplain.train.localizer.body_training import FURTHER, read_crops, train_bodies_on


def test_persons_are_drawn_once(tmp_path, monkeypatch, listener):
    setting = Setting(tmp_path, tmp_path, tmp_path, tmp_path, progress=listener)
    paths = drawn_crops(setting, persons=1)
    assert len(read_crops(paths)) % shipped_bodies.PER_BODY == 0

    def fail(*_):
        raise AssertionError("drawn again")

    monkeypatch.setattr(shipped_bodies, "body_crops", fail)
    assert drawn_crops(setting, persons=1) == paths


def test_the_stored_network_is_trained_on_and_the_others_stay(tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    torch.manual_seed(0)
    save_networks(
        out, "1", {"curve": CurveNetwork(), "levels": LevelsNetwork(), "body": BodyNetwork()}
    )
    before = {name: (out / f"{name}.safetensors").read_bytes() for name in NAMES}
    monkeypatch.setattr(shipped_bodies, "PERSONS_FURTHER", 1)
    one = FURTHER.model_copy(update={"steps": 1, "batch": 1, "trunk_lr": 1e-4})
    monkeypatch.setattr(shipped_bodies, "train_bodies_on", partial(train_bodies_on, settings=one))
    train_bodies_further(Setting(tmp_path, tmp_path, tmp_path, tmp_path), out, "2")
    after = {name: (out / f"{name}.safetensors").read_bytes() for name in NAMES}
    assert [name for name in NAMES if before[name] != after[name]] == ["body"]
    assert read_manifest(out).version == "2"
