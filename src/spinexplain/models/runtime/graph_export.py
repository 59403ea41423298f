"""From a torch network and its safetensors file to a graph that points into that file."""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import torch
from torch import nn

from spinexplain.errors import ModelError
from spinexplain.models.runtime.graph import ALIGNMENT, INPUT, compiled_graph

_ANSWER = "answer"
_OPSET = 17
_LARGEST_DIFFERENCE = 1e-4


@dataclass(frozen=True)
class Graph:
    """A network as OpenVINO reads it.

    Parameters
    ----------
    xml : bytes
    constants : bytes
        What the graph holds beside the weights, such as shapes; well under 1 MB.
    """

    xml: bytes
    constants: bytes


def graph_of(
    network: nn.Module, shape: Sequence[int], changing: Sequence[int], weights: bytes
) -> Graph:
    """Export a network whose weights are stored already.

    Parameters
    ----------
    network : nn.Module
        On the CPU, with the weights of that file as float32.
    shape : sequence of int
        Of an input.
    changing : sequence of int
        Axes whose size may be another one.
    weights : bytes
        The safetensors file.

    Raises
    ------
    ModelError
        If ONNX or OpenVINO have no words for the network, or the graph answers otherwise
        than torch on noise (a relative difference above 1e-4).

    Notes
    -----
    Batch normalization stays an operation of its own and is folded where the graph is
    compiled: its numbers then are those of the file, to the last bit.
    """
    network.eval()
    graph = _pointing(*_as_openvino(network, shape, changing), weights)
    _check(network, shape, graph, weights)
    return graph


def _as_openvino(
    network: nn.Module, shape: Sequence[int], changing: Sequence[int]
) -> tuple[bytes, bytes]:
    """Write OpenVINO's two files by way of ONNX; return their contents."""
    import openvino

    with tempfile.TemporaryDirectory() as folder:
        onnx, path = Path(folder, "network.onnx"), Path(folder, "network.xml")
        _write_onnx(network, shape, changing, onnx)
        # Reading ONNX directly: openvino's converter would report its use over the network.
        model = openvino.Core().read_model(onnx)
        # Some nodes are named by a counter of the process; the same network shall give the
        # same file.
        for index, node in enumerate(model.get_ordered_ops()):
            node.set_friendly_name(f"{node.get_type_name()}_{index}")
        model.set_friendly_name("network")
        openvino.save_model(model, path, compress_to_fp16=True)
        return path.read_bytes(), path.with_suffix(".bin").read_bytes()


def _write_onnx(
    network: nn.Module, shape: Sequence[int], changing: Sequence[int], path: Path
) -> None:
    named = {axis: f"side_{axis}" for axis in changing}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        try:
            torch.onnx.export(
                network,
                (torch.zeros(*shape),),
                str(path),
                input_names=[INPUT],
                output_names=[_ANSWER],
                dynamic_axes={INPUT: named, _ANSWER: named},
                opset_version=_OPSET,
                training=torch.onnx.TrainingMode.PRESERVE,
                do_constant_folding=False,
                dynamo=False,
            )
        except (torch.onnx.OnnxExporterError, RuntimeError) as error:
            raise ModelError(
                f"the network cannot be exported ({str(error).splitlines()[0]}); expected "
                "operations that ONNX has. Run it with torch."
            ) from error


def _pointing(xml: bytes, stored: bytes, weights: bytes) -> Graph:
    """Let the constants of a graph point into the safetensors file, where it holds them."""
    places, own = _places(weights), bytearray()
    start = len(weights) + -len(weights) % ALIGNMENT
    root = ElementTree.fromstring(xml)
    for layer in root.iter("layer"):
        data = layer.find("data")
        if layer.get("type") != "Const" or data is None:
            continue
        offset, size = int(data.get("offset", 0)), int(data.get("size", 0))
        content = stored[offset : offset + size]
        place = places.get(content)
        if place is None:
            place = start + len(own)
            own += content + bytes(-size % ALIGNMENT)
        data.set("offset", str(place))
    for made_by in root.findall("rt_info"):  # by which release, and where
        root.remove(made_by)
    return Graph(ElementTree.tostring(root, encoding="utf-8"), bytes(own))


def _places(weights: bytes) -> Mapping[bytes, int]:
    """Return where every tensor of a safetensors file begins, by its content."""
    first = 8 + int.from_bytes(weights[:8], "little")
    header: dict[str, Any] = json.loads(weights[8:first])
    spans = [one["data_offsets"] for name, one in header.items() if name != "__metadata__"]
    return {weights[first + a : first + b]: first + a for a, b in spans}


def _check(network: nn.Module, shape: Sequence[int], graph: Graph, weights: bytes) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, tuple(shape)).astype(np.float32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(x)).numpy()
    found = compiled_graph(graph.xml, weights, graph.constants)(x)
    difference = float(np.abs(found - expected).max()) / max(1.0, float(np.abs(expected).max()))
    if not difference <= _LARGEST_DIFFERENCE:
        raise ModelError(
            f"the exported graph answers otherwise than the torch network (relative difference "
            f"{difference:.2g}); expected at most {_LARGEST_DIFFERENCE}. Run it with torch."
        )
