import subprocess
import sys

import numpy as np
import pytest

from spinexplain.localizer.networks import shipped_folder
from spinexplain.models.runtime.graph import blob_of, compiled_graph

FILES = [shipped_folder() / f"body.{ending}" for ending in ("xml", "safetensors", "bin")]


def test_constants_follow_the_weights_at_an_even_place():
    blob = blob_of(b"a" * 64, b"b")
    assert blob == b"a" * 64 + b"b"
    assert blob_of(b"a" * 65, b"b").index(b"b") == 128


def test_two_crops_are_answered_as_one_by_one():
    run = compiled_graph(*(path.read_bytes() for path in FILES), threads=1)
    x = np.random.default_rng(0).normal(size=(2, 1, 16, 16, 16)).astype(np.float32)
    x = np.tile(x, (1, 1, 3, 3, 3))[:, :, :40]
    both = run(x)
    assert both.shape == (2, 2, 40, 48, 48)
    np.testing.assert_allclose(both[1:], run(x[1:]), atol=1e-4)


def test_weights_that_end_too_early_are_refused():
    graph, weights, constants = (path.read_bytes() for path in FILES)
    with pytest.raises(RuntimeError):
        compiled_graph(graph, weights[: len(weights) // 2], constants)


def test_no_torch_is_imported():
    code = (
        "import sys, numpy as np\n"
        "from spinexplain.localizer.networks import shipped_networks\n"
        "networks = shipped_networks()\n"
        "networks.levels(np.zeros((1, 1, 32, 56, 60), np.float32))\n"
        "heavy = {'torch', 'scipy.interpolate', 'scipy.optimize', 'pydantic'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
