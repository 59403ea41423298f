import json

import pytest

from spinexplain.errors import ModelError
from spinexplain.io.files import sha256_file
from spinexplain.models.bundle.folder import (
    MANIFEST,
    locate,
    read_json,
    shipped_models,
    verify,
    write_json,
    write_manifest,
)


@pytest.fixture
def folder(tmp_path):
    for name in ("bundle.json", "model.safetensors", ".spinexplain"):
        (tmp_path / name).write_text(name)
    write_manifest(tmp_path)
    return tmp_path


def test_a_manifest_lists_every_other_file(folder):
    listed = json.loads((folder / MANIFEST).read_text())["sha256"]
    assert listed == {
        name: sha256_file(folder / name) for name in ("bundle.json", "model.safetensors")
    }
    write_manifest(folder)  # and never itself
    assert json.loads((folder / MANIFEST).read_text())["sha256"] == listed


def test_verifying_gives_the_manifests_hash_until_a_file_changes(folder):
    assert verify(folder) == sha256_file(folder / MANIFEST)
    (folder / "bundle.json").write_text("other")
    with pytest.raises(ModelError, match=r"bundle\.json has changed"):
        verify(folder)


def test_a_bundle_is_found_by_name_or_folder(folder):
    assert locate(folder) == folder
    for name in shipped_models():
        assert locate(name).name == name
    with pytest.raises(ModelError, match="neither shipped"):
        locate(folder / "nothing")


def test_a_runs_folder_stands_for_its_bundle(folder, tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    (run / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"without a model yet.*train --resume"):
        locate(run)
    (run / "bundle").mkdir()
    write_manifest(run / "bundle")
    assert locate(run) == run / "bundle"


def test_json_is_the_same_bytes_for_the_same_content(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": [2]})
    write_json(tmp_path / "b.json", {"a": [2], "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert read_json(tmp_path / "a.json") == {"a": [2], "b": 1}
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(ModelError, match="cannot be read as JSON"):
        read_json(tmp_path / "a.json")
