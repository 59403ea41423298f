import shutil

import numpy as np
import pytest
import torch

from spinexplain.errors import ModelError
from spinexplain.localizer import networks as module
from spinexplain.localizer.manifest import NAMES, read_manifest
from spinexplain.localizer.networks import (
    load_networks,
    save_networks,
    shipped_body,
    shipped_folder,
)


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


def test_only_torch_runs_what_was_not_exported(tmp_path, scaled):
    save_networks(tmp_path, "1", scaled)
    with pytest.raises(ModelError, match=r"no curve\.xml.*Use another runtime"):
        load_networks(tmp_path, runtime="openvino")
    with pytest.raises(ModelError, match="runtime is 'onnx'; expected one of auto"):
        load_networks(tmp_path, runtime="onnx")


@pytest.fixture
def shipped(tmp_path):
    """A copy of what is shipped."""
    for path in shipped_folder().iterdir():
        shutil.copyfile(path, tmp_path / path.name)
    return tmp_path


def test_a_changed_graph_is_refused_whatever_runs(shipped):
    graph = shipped / "levels.xml"
    graph.write_bytes(graph.read_bytes().replace(b"ReLU", b"Tanh"))
    with pytest.raises(ModelError, match=r"levels\.xml has SHA-256"):
        load_networks(shipped)
    load_networks(shipped, runtime="torch")


@pytest.mark.parametrize("error", [ModuleNotFoundError("openvino"), RuntimeError("old\nlines")])
def test_torch_stands_in_where_openvino_is_missing_or_fails(shipped, monkeypatch, error):
    def fail(*_files):
        raise error

    monkeypatch.setattr(module, "compiled_graph", fail)
    x = np.zeros((1, 1, 40, 48, 48), np.float32)
    assert load_networks(shipped).body(x).shape == (1, 2, 40, 48, 48)
    with pytest.raises(ModelError, match="openvino"):
        load_networks(shipped, runtime="openvino")


def test_new_weights_leave_no_graph_of_the_old_ones(shipped, scaled):
    save_networks(shipped, "3", {"body": scaled["body"]})
    assert not (shipped / "body.xml").exists()
    assert "curve.xml" in read_manifest(shipped).graphs
    assert "body.xml" not in read_manifest(shipped).graphs


def test_the_network_of_bodies_is_loaded_once_a_process():
    assert shipped_body() is shipped_body()
