"""From a torch network to ONNX, and from there to the two halves OpenVINO runs."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from spinexplain.config.training import InputSpec
from spinexplain.errors import ModelError
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.models.runtime.exported import HEAD_FILES, LOGITS, MAPS, TRUNK, TRUNK_FILES

ONNX_FILE = "model.onnx"
_OPSET = 17


class Answers(nn.Module):
    """A network together with what its explanations need, as one function of the input.

    Parameters
    ----------
    model : nn.Module
        In evaluation mode, with a submodule ``trunk``.
    layers : sequence of str
        Names of further submodules whose outputs are wanted.

    Raises
    ------
    ModelError
        If the network has no such submodule.
    """

    def __init__(self, model: nn.Module, layers: Sequence[str] = ()) -> None:
        super().__init__()
        self.model = model
        modules = dict(model.named_modules())
        if unknown := [name for name in (TRUNK, *layers) if name not in modules]:
            raise ModelError(
                f"the network has no layer {', '.join(unknown)}; expected some of "
                f"{', '.join(name for name in modules if name)}. Name one of these."
            )
        self.layers = tuple(dict.fromkeys(name for name in layers if name != TRUNK))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the outputs, in their order."""
        maps = (MAPS,) if isinstance(self.model, PrototypeNet) else ()
        return (LOGITS, *maps, TRUNK, *self.layers)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Map inputs (N, C, *size) to the outputs of :attr:`names`."""
        first: tuple[Tensor, ...]
        with _outputs_of(self.model, (TRUNK, *self.layers)) as seen:
            if isinstance(self.model, PrototypeNet):
                distances = self.model.distances(x)
                logits = self.model.last_layer(self.model.pooled(distances))
                first = (logits, self.model.similarity_of(distances))
            else:
                first = (self.model(x),)
        return (*first, *(seen[name] for name in (TRUNK, *self.layers)))


@contextmanager
def _outputs_of(model: nn.Module, names: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    seen: dict[str, Tensor] = {}

    def keep(name: str, _module: nn.Module, _inputs: Any, output: Tensor) -> None:
        # A copy, because the next layer may write into the output. Nothing writes into the
        # trunk's, where the network is cut in two: a copy there would hide the cut.
        seen[name] = output if name == TRUNK else output.clone()

    modules = dict(model.named_modules())
    handles = [modules[n].register_forward_hook(partial(keep, n)) for n in names]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def write_onnx(answers: Answers, spec: InputSpec, path: Path) -> None:
    """Write a network as ONNX with named outputs and any number of inputs at once.

    Parameters
    ----------
    answers : Answers
        On the CPU.
    spec : InputSpec
    path : Path

    Raises
    ------
    ModelError
        If ONNX has no words for something the network does.

    Notes
    -----
    The tracing exporter: it is a hundred times quicker than the one by ``torch.export``,
    needs no further package, and the same network gives the same bytes.
    """
    example = torch.zeros(1, len(spec.channels), *(spec.size,) * spec.axes)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        try:
            torch.onnx.export(
                answers.eval(),
                (example,),
                str(path),
                input_names=["input"],
                output_names=list(answers.names),
                dynamic_axes={name: {0: "vertebrae"} for name in ("input", *answers.names)},
                opset_version=_OPSET,
                dynamo=False,
            )
        except (torch.onnx.OnnxExporterError, RuntimeError) as error:
            raise ModelError(
                f"the network cannot be exported ({str(error).splitlines()[0]}); expected "
                "operations that ONNX has. Grade with torch."
            ) from error


def write_halves(path: Path, names: Sequence[str], folder: Path) -> None:
    """Cut an ONNX network at its trunk's map and write both halves for OpenVINO.

    Parameters
    ----------
    path : Path
        From :func:`write_onnx`.
    names : sequence of str
        Its outputs.
    folder : Path
        Gets ``trunk.xml``, ``trunk.bin``, ``head.xml`` and ``head.bin``, for one input at a
        time, with the weights as they are.
    """
    from onnx.utils import extract_model

    inside = [name for name in names if name == TRUNK or name.startswith(f"{TRUNK}.")]
    after = [name for name in names if name not in inside]
    shapes: dict[str, list[int]] = {}
    for inputs, outputs, files in (
        (["input"], inside, TRUNK_FILES),
        (["input", TRUNK], after, HEAD_FILES),
    ):
        half = folder / f"{files[0]}.onnx"
        extract_model(str(path), str(half), inputs, outputs)
        shapes = _write_ir(half, outputs, shapes, folder / files[0])
        half.unlink()


def _write_ir(
    half: Path, outputs: Sequence[str], known: Mapping[str, list[int]], path: Path
) -> dict[str, list[int]]:
    """Write one half for a single input; return the shapes of its outputs.

    ``known`` holds what the other half gives: ONNX may not know the shape there.
    """
    import openvino

    # Reading ONNX directly: openvino's converter would report its use over the network.
    model = openvino.Core().read_model(half)
    for parameter in model.get_parameters():
        if not parameter.output(0).get_target_inputs():
            model.remove_parameter(parameter)
    model.reshape(
        {
            port: known.get(port.get_any_name()) or _single(port.get_partial_shape())
            for port in model.inputs
        }
    )
    for port, name in zip(model.outputs, outputs, strict=True):
        port.get_tensor().set_names({name})
    # Some nodes are named by a counter of the process; the same network shall give the same file.
    for index, node in enumerate(model.get_ordered_ops()):
        node.set_friendly_name(f"{node.get_type_name()}_{index}")
    model.set_friendly_name(path.stem)
    openvino.save_model(model, path, compress_to_fp16=False)
    return {name: list(port.shape) for port, name in zip(model.outputs, outputs, strict=True)}


def _single(shape: Any) -> list[int]:
    return [1, *(side.get_length() for side in list(shape)[1:])]
