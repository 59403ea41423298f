import json

import numpy as np
import pytest
import torch

from spinexplain.config.tasks import derived_task
from spinexplain.config.training import HeadSettings, TrunkSettings
from spinexplain.errors import ModelError, OutputError
from spinexplain.io.files import sha256_file
from spinexplain.models.bundle.store import (
    MANIFEST,
    SCHEMA,
    Bundle,
    PrototypeRecord,
    load_grader,
    save_bundle,
    shipped_models,
)
from spinexplain.models.grader import Scope
from spinexplain.types import Provenance

CLASSES = ("G0", "G2", "G3")


@pytest.fixture
def bundle(tiny):
    model, spec = tiny()
    record = PrototypeRecord(Provenance("sub-1", "ct", "L1", "G2", True), (2, 3))
    maps = np.zeros((6, 8, 8), np.float32)
    maps[:, 2, 3] = 4.0
    rng = np.random.default_rng(0)
    return Bundle(
        name="tiny",
        version="1",
        model=model,
        task=derived_task(CLASSES),
        spec=spec,
        trunk=TrunkSettings(name="conv", blocks=2, widths=(4, 6), weights="none"),
        head=HeadSettings(feature_dim=5, prototypes_per_class=2),
        scope=Scope(levels=("T12", "L1"), max_outside=0.1, refused_flags=("metal",)),
        trained_on="noise",
        card="# tiny\n",
        records=(record,) * 6,
        patches_hu=rng.integers(-1000, 1000, (6, 32, 32)).astype(np.int16),
        maps=maps,
        training={"seed": 0},
    )


def test_a_loaded_model_is_the_saved_one_bit_for_bit(bundle, tmp_path, patch_of):
    path = save_bundle(bundle, tmp_path / "tiny")
    grader = load_grader(path)
    for name, value in bundle.model.state_dict().items():
        assert torch.equal(grader.model.state_dict()[name], value)
    patch = patch_of(np.random.default_rng(2).normal(0, 200, (32, 32)))
    with torch.no_grad():
        expected = bundle.model(grader.inputs([patch])).numpy()
    np.testing.assert_array_equal(grader.logits([patch]), expected)
    assert grader.spec == bundle.spec
    assert grader.scope == bundle.scope
    assert grader.explainer == "prototypes"
    assert not grader.model.training


def test_info_names_the_model_and_its_hash(bundle, tmp_path):
    path = save_bundle(bundle, tmp_path / "tiny")
    info = load_grader(path).info
    assert (info.name, info.version, info.classes) == ("tiny", "1", CLASSES)
    assert info.trained_on == "noise"
    assert info.sha256 == sha256_file(path / "manifest.json")


def test_exemplars_carry_patch_map_and_provenance(bundle, tmp_path):
    exemplars = load_grader(save_bundle(bundle, tmp_path / "tiny")).exemplars
    assert len(exemplars) == 6
    first = exemplars[0]
    np.testing.assert_array_equal(first.array, bundle.patches_hu[0])
    assert first.provenance == Provenance("sub-1", "ct", "L1", "G2", True)
    assert first.cell == (2, 3)
    # stride 4, first centre at 0: cell (2, 3) sits on pixel (8, 12)
    assert np.unravel_index(first.heatmap.argmax(), (32, 32)) == (8, 12)


def test_nothing_in_a_bundle_is_a_pickle(bundle, tmp_path):
    path = save_bundle(bundle, tmp_path / "tiny")
    names = {item.name for item in path.iterdir() if not item.name.startswith(".")}
    assert names == {
        "MODEL_CARD.md",
        "bundle.json",
        "manifest.json",
        "model.safetensors",
        "prototypes.safetensors",
    }


@pytest.mark.parametrize(
    "name", ["bundle.json", "model.safetensors", "prototypes.safetensors", "MODEL_CARD.md"]
)
def test_missing_and_changed_files_are_found(bundle, tmp_path, name):
    path = save_bundle(bundle, tmp_path / "tiny")
    content = bytearray((path / name).read_bytes())
    content[-1] ^= 1
    (path / name).write_bytes(content)
    with pytest.raises(ModelError, match=f"{name} has changed"):
        load_grader(path)
    (path / name).unlink()
    with pytest.raises(ModelError, match=f"no {name}"):
        load_grader(path)


def test_other_schema_version_says_what_was_expected(bundle, tmp_path):
    path = save_bundle(bundle, tmp_path / "tiny")
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps(manifest | {"schema": "spinexplain/bundle/9"}))
    with pytest.raises(ModelError, match=f"bundle/9.*expected '{SCHEMA}'"):
        load_grader(path)


def resign(path):
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["sha256"] = {name: sha256_file(path / name) for name in manifest["sha256"]}
    (path / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "change",
    [
        {"classes": ["G0", "G2"]},
        {"head": {"kind": "prototype", "feature_dim": 9, "prototypes_per_class": 2}},
        {"trunk": {"name": "conv", "blocks": 1}},
        {"trunk": {"name": "resnet9000"}},
        {"prototypes": [{"subject": "x"}]},
        {"scope": {"levels": ["L1"]}},
        {"input": {"axes": 7}},
    ],
)
def test_description_that_does_not_fit_the_arrays(bundle, tmp_path, change):
    path = save_bundle(bundle, tmp_path / "tiny")
    description = json.loads((path / "bundle.json").read_text())
    (path / "bundle.json").write_text(json.dumps(description | change))
    resign(path)
    with pytest.raises((ModelError,) if "trunk" not in change else Exception) as error:
        load_grader(path)
    assert type(error.value).__module__ == "spinexplain.errors"


def test_manifest_can_not_point_outside_its_folder(bundle, tmp_path):
    path = save_bundle(bundle, tmp_path / "tiny")
    (tmp_path / "secret").write_text("x")
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["sha256"]["../secret"] = sha256_file(tmp_path / "secret")
    (path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="lists"):
        load_grader(path)


def test_no_bundle_there(tmp_path):
    with pytest.raises(ModelError, match=r'"nothing" is neither shipped'):
        load_grader("nothing")
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(ModelError, match="JSON"):
        load_grader(tmp_path)
    (tmp_path / "manifest.json").write_text("[1]")
    with pytest.raises(ModelError, match="schema 'list'"):
        load_grader(tmp_path)


def test_an_existing_folder_is_kept_without_force(bundle, tmp_path):
    path = save_bundle(bundle, tmp_path / "tiny")
    before = sha256_file(path / "manifest.json")
    with pytest.raises(OutputError):
        save_bundle(bundle, path)
    assert sha256_file(path / "manifest.json") == before
    save_bundle(bundle, path, force=True)
    load_grader(path)


def test_shipped_bundles_load():
    for name in shipped_models():
        assert load_grader(name).info.name == name


def _rehashed(folder, change):
    """Change bundle.json and put its new hash into the manifest, as a careful forger would."""
    description = json.loads((folder / "bundle.json").read_text())
    change(description)
    (folder / "bundle.json").write_text(json.dumps(description))
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["sha256"]["bundle.json"] = sha256_file(folder / "bundle.json")
    (folder / MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize("hashes", [None, [], {"bundle.json": 3}])
def test_a_manifest_without_hashes_is_damaged(bundle, tmp_path, hashes):
    path = save_bundle(bundle, tmp_path / "tiny")
    manifest = json.loads((path / MANIFEST).read_text()) | {"sha256": hashes}
    (path / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="damaged"):
        load_grader(path)


def test_fewer_prototypes_than_the_network_has(bundle, tmp_path):
    path = save_bundle(bundle, tmp_path / "tiny")
    _rehashed(path, lambda description: description.update(prototypes=[]))
    with pytest.raises(ModelError, match="describes 0 prototypes; expected 6"):
        load_grader(path)


def test_a_name_that_is_no_text(bundle, tmp_path):
    path = save_bundle(bundle, tmp_path / "tiny")
    _rehashed(path, lambda description: description.update(name=3))
    with pytest.raises(ModelError, match="name"):
        load_grader(path)
