import json
import shutil
from dataclasses import replace

import pytest

from spinexplain.errors import ModelError
from spinexplain.io.files import sha256_file
from spinexplain.models.bundle.folder import locate, verify
from spinexplain.models.bundle.sides import SIDES_FILE, read_sides, store_sides
from spinexplain.models.bundle.store import load_grader
from spinexplain.types import SideReliability

FOUND = SideReliability(
    "placement", (8.0, 12.0), 0.6, 0.9, 0.8, 0.95, 80, 0.75, 0.97, 0.1, 40, heights=1.0
)


@pytest.fixture
def bundle(tmp_path):
    shutil.copytree(locate("protoverse-phantom"), tmp_path / "bundle")
    return tmp_path / "bundle"


def test_what_is_stored_is_read_and_listed(bundle):
    assert load_grader(bundle).info.sides is None
    store_sides(bundle, FOUND)
    verify(bundle)
    assert load_grader(bundle).info.sides == FOUND
    assert SIDES_FILE in json.loads((bundle / "manifest.json").read_text())["sha256"]


def test_of_other_weights_it_is_refused(bundle):
    store_sides(bundle, FOUND)
    with pytest.raises(ModelError, match="other weights"):
        read_sides(bundle, "0" * 64)


@pytest.mark.parametrize("change", [{"sides": {"least": 1}}, {"schema": "old"}])
def test_a_damaged_file_is_refused(bundle, change):
    store_sides(bundle, FOUND)
    path = bundle / SIDES_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ModelError, match="damaged"):
        read_sides(bundle, sha256_file(bundle / "model.safetensors"))


def test_a_share_over_one_is_not_stored(bundle):
    with pytest.raises(ValueError, match="less than or equal"):
        store_sides(bundle, replace(FOUND, right=1.2))
