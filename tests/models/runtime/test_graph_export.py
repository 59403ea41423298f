import numpy as np
import pytest
import torch
from safetensors.torch import save
from torch import nn

from spinexplain.errors import ModelError
from spinexplain.models.runtime import graph_export
from spinexplain.models.runtime.graph import compiled_graph
from spinexplain.models.runtime.graph_export import graph_of

SHAPE, CHANGING = (1, 1, 8, 8, 8), (2, 3, 4)


def network_of(seed=0):
    """A small network with normalization, its weights as float16 stores them."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Conv3d(1, 6, 3, padding=1), nn.BatchNorm3d(6), nn.ReLU())
    for value in network.state_dict().values():
        if value.is_floating_point():
            value.copy_((value + 0.1 * torch.randn_like(value).abs()).half())
    return network.eval()


def weights_of(network):
    halves = {
        name: value.half() if value.is_floating_point() else value
        for name, value in network.state_dict().items()
    }
    return save(halves)


@pytest.fixture
def network():
    return network_of()


def test_the_graph_answers_as_torch_does_at_any_size(network):
    weights = weights_of(network)
    graph = graph_of(network, SHAPE, CHANGING, weights)
    run = compiled_graph(graph.xml, weights, graph.constants)
    for sides in ((8, 8, 8), (5, 12, 9)):
        x = np.random.default_rng(1).normal(size=(1, 1, *sides)).astype(np.float32)
        with torch.inference_mode():
            expected = network(torch.from_numpy(x)).numpy()
        np.testing.assert_allclose(run(x), expected, atol=1e-5)


def test_its_weights_are_those_of_the_file(network):
    weights = weights_of(network)
    graph = graph_of(network, SHAPE, CHANGING, weights)
    assert len(graph.constants) < 1000
    first = 8 + int.from_bytes(weights[:8], "little")
    blank = weights[:first] + bytes(len(weights) - first)
    x = np.ones(SHAPE, np.float32)
    assert compiled_graph(graph.xml, weights, graph.constants)(x).any()
    assert not compiled_graph(graph.xml, blank, graph.constants)(x).any()


def test_the_same_network_gives_the_same_graph(network):
    weights = weights_of(network)
    one, other = (graph_of(network, SHAPE, CHANGING, weights) for _ in range(2))
    assert one == other
    assert b"rt_info" not in one.xml.split(b"</layers>")[1]


def test_a_graph_that_answers_otherwise_is_refused(network, monkeypatch):
    wrong = lambda *_: lambda x: np.full((1, 6, *x.shape[2:]), 3.0, np.float32)  # noqa: E731
    monkeypatch.setattr(graph_export, "compiled_graph", wrong)
    with pytest.raises(ModelError, match="answers otherwise"):
        graph_of(network, SHAPE, CHANGING, weights_of(network))


def test_what_onnx_has_no_words_for_is_refused():
    class Odd(nn.Module):
        def forward(self, x):
            return torch.special.bessel_j0(x)

    with pytest.raises(ModelError, match="cannot be exported"):
        graph_of(Odd(), SHAPE, CHANGING, weights_of(network_of()))
