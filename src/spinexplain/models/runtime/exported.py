"""Running an exported network: no torch, one vertebra at a time, the same answer every time.

Importing torch costs more CPU time than grading a scan. A bundle with an export is graded
and explained by its prototypes without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from spinexplain.config.training import InputSpec
from spinexplain.models.input_arrays import input_array
from spinexplain.types import Patch

LOGITS, MAPS, TRUNK = "logits", "similarity_maps", "trunk"
TRUNK_FILES, HEAD_FILES = ("trunk.xml", "trunk.bin"), ("head.xml", "head.bin")


class Runtime(Protocol):
    """Answers for patches: logits, and what explanations need."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what it can answer."""
        ...

    def __call__(self, patches: Sequence[Patch], names: Sequence[str]) -> dict[str, np.ndarray]:
        """Return the named outputs, each with N rows, one per patch."""
        ...


@dataclass(frozen=True, eq=False)
class ExportedNetwork:
    """A trunk and a head compiled by OpenVINO for one input at a time.

    Parameters
    ----------
    spec : InputSpec
    trunk, head : openvino.CompiledModel
        From ``input`` to ``trunk``, and from there to the logits and maps.
    described : str
        Runtime, version and precision.
    """

    spec: InputSpec
    trunk: Any
    head: Any
    described: str

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of all outputs, the trunk's and the head's."""
        return tuple(_names(self.trunk) + _names(self.head))

    def __call__(self, patches: Sequence[Patch], names: Sequence[str]) -> dict[str, np.ndarray]:
        """Return the named outputs for patches; see :class:`Runtime`."""
        return self.run(input_array(patches, self.spec), names)

    def run(self, inputs: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Return the named outputs for network inputs.

        Parameters
        ----------
        inputs : ndarray of float32, shape (N, C, size, ...)
        names : sequence of str
            Some of :attr:`outputs`.
        """
        # Requests of its own: a compiled model may serve several threads.
        trunk, head = self.trunk.create_infer_request(), self.head.create_infer_request()
        rows = [_one(trunk, head, inputs[i : i + 1], names) for i in range(len(inputs))]
        return {
            name: np.concatenate([row[name] for row in rows])
            if rows
            else np.zeros((0, *_shape(self, name)), np.float32)
            for name in names
        }


@dataclass(frozen=True, eq=False)
class AnsweredPatches:
    """A runtime that remembers its answers for some patches and passes on the rest.

    Parameters
    ----------
    runtime : Runtime
    rows : mapping of Patch to int
    answers : mapping of str to ndarray
    """

    runtime: Runtime
    rows: Mapping[Patch, int]
    answers: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what the runtime can answer."""
        return self.runtime.outputs

    def __call__(self, patches: Sequence[Patch], names: Sequence[str]) -> dict[str, np.ndarray]:
        """Look the patches up, or run the network where one is not among them."""
        if not patches or any(patch not in self.rows for patch in patches):
            return self.runtime(patches, names)
        index = [self.rows[patch] for patch in patches]
        return {name: self.answers[name][index] for name in names}


def compiled(
    folder: Path, spec: InputSpec, precision: str, threads: int | None = None
) -> ExportedNetwork:
    """Compile a bundle's exported network.

    Parameters
    ----------
    folder : Path
    spec : InputSpec
    precision : str
        Of the trunk: ``"bf16"`` or ``"fp32"``. The head always runs in fp32. A processor
        without bf16 runs the trunk in fp32 too.
    threads : int, optional
        Of each input; all cores by default. One thread takes half the CPU time of two for
        thousands of inputs.

    Raises
    ------
    ModuleNotFoundError
        If openvino is not installed.
    RuntimeError
        If it cannot run the network.
    """
    import openvino

    core = openvino.Core()
    used = precision if precision == "fp32" or _has_bf16(core) else "fp32"
    # OpenVINO picks bf16 by itself where the processor has it; the precision is ours to state.
    trunk = core.compile_model(folder / TRUNK_FILES[0], "CPU", _settings(used, threads))
    head = core.compile_model(folder / HEAD_FILES[0], "CPU", _settings("fp32", threads))
    shown = f"openvino {version('openvino')}, {used}{' trunk' if used == 'bf16' else ''}"
    return ExportedNetwork(spec, trunk, head, shown)


def runs_bf16() -> bool:
    """Whether this processor runs bf16."""
    import openvino

    return _has_bf16(openvino.Core())


def _has_bf16(core: Any) -> bool:
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _settings(precision: str, threads: int | None) -> dict[str, str]:
    hint = {"INFERENCE_PRECISION_HINT": {"bf16": "bf16", "fp32": "f32"}[precision]}
    return hint if threads is None else {**hint, "INFERENCE_NUM_THREADS": str(threads)}


def _one(trunk: Any, head: Any, x: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
    seen = {**_answers(trunk, {"input": x})}
    given = {"input": x, TRUNK: seen[TRUNK]}
    inputs = {port.get_any_name() for port in head.model_inputs}
    seen |= _answers(head, {name: given[name] for name in inputs})
    return {name: seen[name] for name in names}


def _answers(request: Any, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    found = request.infer(inputs)
    return {port.get_any_name(): found[port] for port in request.model_outputs}


def _names(model: Any) -> list[str]:
    return [port.get_any_name() for port in model.outputs]


def _shape(network: ExportedNetwork, name: str) -> tuple[int, ...]:
    model = network.trunk if name in _names(network.trunk) else network.head
    return tuple(model.output(name).shape)[1:]
