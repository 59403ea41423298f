import numpy as np
import onnx
import openvino
import pytest
import torch
from torch import nn

from spinexplain.config.training import InputSpec
from spinexplain.errors import ModelError
from spinexplain.models.heads.detector import DetectorNet
from spinexplain.models.runtime.onnx_export import Answers, write_halves, write_onnx
from spinexplain.models.trunks.unet3d import CompactEncoder3D

SPEC = InputSpec(extent_mm=32, size=32)


def run(path, **inputs):
    compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = compiled(inputs)
    return {port.get_any_name(): found[port] for port in compiled.outputs}


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize(
    ("kind", "head"),
    [
        ("prototype", {}),
        ("prototype", {"similarity": "cosine"}),
        ("linear", {}),
        ("linear", {"pooling": "target"}),
    ],
)
def test_both_halves_together_are_the_network(tiny, tmp_path, kind, head, axes):
    model, spec = tiny(axes=axes, kind=kind, **head)
    answers = Answers(model, ["trunk.layers.0"])
    write_onnx(answers, spec, tmp_path / "model.onnx")
    write_halves(tmp_path / "model.onnx", answers.names, tmp_path)
    x = np.random.default_rng(0).uniform(-1, 1, (1, 3, *(32,) * axes)).astype(np.float32)
    with torch.no_grad():
        expected = dict(zip(answers.names, answers(torch.from_numpy(x)), strict=True))
    seen = run(tmp_path / "trunk.xml", input=x)
    uses_input = head.get("pooling") == "target"
    given = {"trunk": seen["trunk"]} | ({"input": x} if uses_input else {})
    seen |= run(tmp_path / "head.xml", **given)
    assert set(seen) == set(answers.names)
    for name, value in expected.items():
        np.testing.assert_allclose(seen[name], value.numpy(), atol=2e-5, err_msg=name)
    assert torch.allclose(expected["logits"], model(torch.from_numpy(x)))


def test_a_detector_is_cut_where_onnx_does_not_know_the_shape(tmp_path):
    torch.manual_seed(0)
    model = DetectorNet(CompactEncoder3D(), size=16).eval()
    spec = InputSpec(axes=3, extent_mm=16, size=16, channels=("ct",))
    answers = Answers(model)
    write_onnx(answers, spec, tmp_path / "model.onnx")
    write_halves(tmp_path / "model.onnx", answers.names, tmp_path)
    x = np.random.default_rng(0).uniform(-1, 1, (1, 1, 16, 16, 16)).astype(np.float32)
    with torch.no_grad():
        logits, features = (value.numpy() for value in answers(torch.from_numpy(x)))
    seen = run(tmp_path / "trunk.xml", input=x)
    np.testing.assert_allclose(seen["trunk"], features, atol=1e-4)
    found = run(tmp_path / "head.xml", trunk=seen["trunk"])
    np.testing.assert_allclose(found["logits"], logits, atol=1e-4)


def test_onnx_takes_any_number_of_vertebrae_and_passes_its_checker(tiny, tmp_path):
    model, spec = tiny()
    path = tmp_path / "model.onnx"
    write_onnx(Answers(model), spec, path)
    onnx.checker.check_model(onnx.load(path))
    x = np.random.default_rng(1).uniform(-1, 1, (3, 3, 32, 32)).astype(np.float32)
    found = run(path, input=x)
    assert {name: value.shape[0] for name, value in found.items()} == {
        "logits": 3,
        "similarity_maps": 3,
        "trunk": 3,
    }
    with torch.no_grad():
        np.testing.assert_allclose(found["logits"], model(torch.from_numpy(x)), atol=2e-5)


def test_the_same_network_gives_the_same_bytes(tiny, tmp_path):
    model, spec = tiny()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_onnx(Answers(model), spec, tmp_path / folder / "model.onnx")
        write_halves(tmp_path / folder / "model.onnx", Answers(model).names, tmp_path / folder)
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name
    assert {path.name for path in (tmp_path / "a").iterdir()} == {
        "model.onnx",
        "trunk.xml",
        "trunk.bin",
        "head.xml",
        "head.bin",
    }


class InPlace(nn.Module):
    """Its layers write into what came before."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 3))
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.trunk(x).mean(dim=(2, 3)))


def test_a_layer_that_is_written_into_keeps_its_own_output(tmp_path):
    torch.manual_seed(0)
    net = InPlace().eval()
    answers = Answers(net, ["trunk.0", "trunk.1", "trunk"])
    assert answers.names == ("logits", "trunk", "trunk.0", "trunk.1")
    write_onnx(answers, SPEC, tmp_path / "model.onnx")
    x = np.random.default_rng(1).uniform(-1, 1, (1, 3, 32, 32)).astype(np.float32)
    found = run(tmp_path / "model.onnx", input=x)
    with torch.no_grad():
        before = net.trunk[0](torch.from_numpy(x)).numpy()
    assert before.min() < 0
    np.testing.assert_allclose(found["trunk.0"], before, atol=1e-5)
    np.testing.assert_allclose(found["trunk.1"], np.maximum(before, 0), atol=1e-5)
    assert not net.trunk._forward_hooks


def test_layers_that_are_not_there_are_named():
    with pytest.raises(ModelError, match=r"no layer neck; expected some of trunk, trunk\.0"):
        Answers(InPlace(), ["trunk.1", "neck"])
    with pytest.raises(ModelError, match="no layer trunk"):
        Answers(nn.Sequential(nn.Flatten()))


class Unspeakable(nn.Module):
    """Pools 5 x 5 cells to 3 x 3, which ONNX cannot."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Conv2d(3, 2, 28)
        self.pool = nn.AdaptiveAvgPool2d(3)

    def forward(self, x):
        return self.pool(self.trunk(x)).flatten(1)


def test_a_network_without_words_in_onnx(tmp_path):
    with pytest.raises(ModelError, match="the network cannot be exported"):
        write_onnx(Answers(Unspeakable()), SPEC, tmp_path / "model.onnx")
