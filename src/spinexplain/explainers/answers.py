"""Logits for network inputs that are not patches: disturbed ones, by the exported network."""

from __future__ import annotations

import numpy as np

from spinexplain.models.grader import Grader
from spinexplain.models.runtime.exported import LOGITS, AnsweredPatches, ExportedNetwork


def input_logits(grader: Grader, inputs: np.ndarray) -> np.ndarray:
    """Run a grader's network on inputs, the exported one where there is one.

    Parameters
    ----------
    grader : Grader
    inputs : ndarray of float32, shape (n, C, size, ...)

    Returns
    -------
    ndarray of float32, shape (n, K)
    """
    exported = exported_network(grader)
    if exported is not None:
        return exported.run(inputs, (LOGITS,))[LOGITS]
    return _by_torch(grader, inputs)


def exported_network(grader: Grader) -> ExportedNetwork | None:
    """Return the exported network that answers for a grader; None where torch does."""
    runtime = grader.runtime
    while isinstance(runtime, AnsweredPatches):
        runtime = runtime.runtime
    return runtime if isinstance(runtime, ExportedNetwork) else None


def _by_torch(grader: Grader, inputs: np.ndarray) -> np.ndarray:
    import torch

    from spinexplain.models.inputs import MEMORY_FORMAT, batch_size

    size, layout = batch_size(grader.spec), MEMORY_FORMAT[grader.spec.axes]
    found = [np.zeros((0, len(grader.classes)), np.float32)]
    with torch.inference_mode():
        for start in range(0, len(inputs), size):
            batch = torch.from_numpy(np.ascontiguousarray(inputs[start : start + size]))
            x = batch.to(grader.device).contiguous(memory_format=layout)
            found.append(grader.model(x).float().cpu().numpy())
    return np.concatenate(found)
