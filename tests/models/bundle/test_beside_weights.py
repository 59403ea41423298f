import shutil

import pytest
from pydantic import ValidationError

from spinexplain.errors import ModelError
from spinexplain.io.files import sha256_file
from spinexplain.models.bundle.beside_weights import (
    WEIGHTS_FILE,
    OfWeights,
    read_beside_weights,
    store_beside_weights,
)
from spinexplain.models.bundle.folder import locate, verify


class Counted(OfWeights):
    vertebrae: int


@pytest.fixture
def path(tmp_path):
    shutil.copytree(locate("protoverse-phantom"), tmp_path / "bundle")
    return tmp_path / "bundle" / "counted.json"


def read(path, weights):
    return read_beside_weights(path, Counted, weights, "expected a count. Count.", "Count again.")


def test_it_is_of_the_weights_beside_it_and_listed(path):
    own = sha256_file(path.parent / WEIGHTS_FILE)
    assert read(path, own) is None
    store_beside_weights(path, Counted, {"vertebrae": 3})
    verify(path.parent)
    assert read(path, own) == Counted(weights_sha256=own, vertebrae=3)


def test_each_message_says_what_to_do(path):
    store_beside_weights(path, Counted, {"vertebrae": 3})
    with pytest.raises(ModelError, match=r"of other weights than model.safetensors. Count again"):
        read(path, "0" * 64)
    path.write_text('{"vertebrae": "many"}')
    with pytest.raises(ModelError, match=r"is damaged \(.*\); expected a count. Count"):
        read(path, "0" * 64)


def test_what_does_not_fit_is_not_stored(path):
    with pytest.raises(ValidationError):
        store_beside_weights(path, Counted, {"vertebrae": "many"})
    assert not path.exists()
