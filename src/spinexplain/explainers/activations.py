"""What a layer gives for patches, by the exported network where it can, without torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spinexplain.models.grader import Grader
from spinexplain.types import Patch

_BATCH = 32


def layer_activations(grader: Grader, patches: Sequence[Patch], layer: str) -> np.ndarray:
    """Return what a layer gives for patches.

    Parameters
    ----------
    grader : Grader
        Where its exported network gives the layer (it always gives ``"trunk"``), torch is
        not needed.
    patches : sequence of Patch
        At least one.
    layer : str
        A name of :func:`spinexplain.explainers.hooks.layer_names`.

    Returns
    -------
    ndarray of float32, shape (N, C, *G) for a feature map

    Raises
    ------
    ModelError
        If there is no such layer.
    """
    if grader.runtime is not None and layer in grader.runtime.outputs:
        return grader.runtime(patches, (layer,))[layer]
    return _by_torch(grader, patches, layer)


def _by_torch(grader: Grader, patches: Sequence[Patch], layer: str) -> np.ndarray:
    import torch

    from spinexplain.explainers.hooks import capture

    found = []
    with torch.inference_mode():
        for start in range(0, len(patches), _BATCH):
            with capture(grader.model, layer) as seen:
                grader.model(grader.inputs(patches[start : start + _BATCH]))
            found.append(seen.activation.float().cpu())
    return torch.cat(found).numpy()
