import json

import numpy as np
import pytest
import torch

from spinexplain.errors import ModelError
from spinexplain.localizer import networks as module
from spinexplain.localizer.networks import MANIFEST, NAMES, load_networks, save_networks


@pytest.fixture
def scaled(monkeypatch):
    """Networks of one factor each, in place of the real ones."""
    monkeypatch.setattr(module, "_built", lambda _name: torch.nn.Conv3d(1, 1, 1, bias=False))

    def make(factor):
        layer = torch.nn.Conv3d(1, 1, 1, bias=False)
        torch.nn.init.constant_(layer.weight, factor)
        return layer

    return {name: make(factor) for name, factor in zip(NAMES, (1.0, 2.0, 3.0), strict=True)}


def test_what_is_stored_answers_as_before_and_says_what_it_is(tmp_path, scaled):
    save_networks(tmp_path, "7", scaled)
    loaded = load_networks(tmp_path)
    x = np.full((1, 1, 2, 2, 2), 0.5, np.float32)
    answers = [loaded.curve(x), loaded.levels(x), loaded.body(x)]
    assert [float(answer.max()) for answer in answers] == [0.5, 1.0, 1.5]
    assert answers[0].dtype == np.float32
    assert loaded.info.version == "7"
    assert len(loaded.info.sha256) == 64


def test_other_weights_have_another_hash_and_the_same_ones_the_same(tmp_path, scaled):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    save_networks(tmp_path / "one", "1", scaled)
    save_networks(tmp_path / "two", "1", scaled)
    first, second = (load_networks(tmp_path / name).info.sha256 for name in ("one", "two"))
    assert first == second
    save_networks(tmp_path / "two", "1", {"body": scaled["levels"]})
    assert load_networks(tmp_path / "two").info.sha256 != first


def test_networks_are_added_one_by_one_and_a_part_is_refused(tmp_path, scaled):
    save_networks(tmp_path, "1", {"body": scaled["body"]})
    with pytest.raises(ModelError, match=r"networks: body.*mask or centroids"):
        load_networks(tmp_path)
    save_networks(tmp_path, "1", {"curve": scaled["curve"], "levels": scaled["levels"]})
    load_networks(tmp_path)


def test_a_changed_or_missing_file_is_refused(tmp_path, scaled):
    save_networks(tmp_path, "1", scaled)
    path = tmp_path / "body.safetensors"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ModelError, match=r"body\.safetensors has SHA-256"):
        load_networks(tmp_path)
    path.unlink()
    with pytest.raises(ModelError, match="SHA-256 none"):
        load_networks(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"schema": "other"})])
def test_a_damaged_manifest_is_one_line(tmp_path, content):
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(ModelError, match="no whole localizer"):
        load_networks(tmp_path)
