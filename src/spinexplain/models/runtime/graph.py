"""A network's graph for OpenVINO, whose weights stay in the safetensors file that torch reads.

Importing torch and building three small networks costs more than finding a spine with them.
The graph holds no weights: its constants point into the safetensors file, so that both ways
of running a network read the very same numbers, and they are stored once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

INPUT = "input"
ALIGNMENT = 64
"""The graph's own constants, such as shapes, follow the weights at a multiple of this."""


def blob_of(weights: bytes, constants: bytes) -> bytes:
    """Join a safetensors file and a graph's own constants as the graph counts them.

    Examples
    --------
    >>> len(blob_of(bytes(70), bytes(8)))
    136
    """
    return weights + bytes(-len(weights) % ALIGNMENT) + constants


def compiled_graph(
    graph: bytes, weights: bytes, constants: bytes, threads: int | None = None
) -> Callable[[np.ndarray], np.ndarray]:
    """Compile a graph for the processor, in float32.

    Parameters
    ----------
    graph : bytes
        OpenVINO's XML, as :func:`spinexplain.models.runtime.graph_export.graph_of` writes it.
    weights : bytes
        The safetensors file that it points into.
    constants : bytes
        The graph's own constants.
    threads : int, optional
        Of each answer; all cores by default.

    Returns
    -------
    callable
        From the input to the answer, float32 arrays. It may serve several threads.

    Raises
    ------
    ModuleNotFoundError
        If openvino is not installed.
    RuntimeError
        If it cannot run the graph.
    """
    import openvino

    core = openvino.Core()
    blob = np.frombuffer(blob_of(weights, constants), np.uint8)
    model = core.read_model(graph, openvino.Tensor(blob))
    # OpenVINO picks bf16 by itself where the processor has it; answers are to be torch's.
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    if threads is not None:
        settings["INFERENCE_NUM_THREADS"] = str(threads)
    network = core.compile_model(model, "CPU", settings)

    def run(x: np.ndarray) -> np.ndarray:
        request = network.create_infer_request()
        given = np.ascontiguousarray(x, np.float32)
        found: np.ndarray = request.infer({INPUT: given})[network.output(0)]
        return found

    return run
