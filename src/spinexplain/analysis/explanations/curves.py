"""Deletion and insertion curves of a whole map in one batch, on the network's input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from spinexplain.evaluate.explanations.faithfulness import (
    blurred,
    deleted,
    inserted,
    local_mean,
    side_fractions,
    step_masks,
)
from spinexplain.models.grader import Grader
from spinexplain.models.input_arrays import input_array, resized
from spinexplain.types import Patch

REFERENCES = ("twin", "blur", "local_mean")
Score = Callable[[np.ndarray], np.ndarray]


def reference_inputs(grader: Grader, patch: Patch, twin: Patch | None) -> dict[str, np.ndarray]:
    """Return the network's input of a crop and of what stands in for what is deleted.

    Parameters
    ----------
    grader : Grader
    patch : Patch
    twin : Patch or None

    Returns
    -------
    dict of str to ndarray of float32, shape (C, size, ...)
        ``"image"``, and those of ``REFERENCES`` that exist.
    """
    patches = {
        "image": patch,
        "blur": replace(patch, array=blurred(patch.array)),
        "local_mean": replace(patch, array=local_mean(patch.array)),
    }
    if twin is not None:
        patches["twin"] = twin
    arrays = input_array(list(patches.values()), grader.spec)
    return dict(zip(patches, arrays, strict=True))


def deletion_curves(
    score: Score, inputs: dict[str, np.ndarray], heatmap: np.ndarray, steps: int, seed: int
) -> np.ndarray:
    """Score a crop while the highest samples of a map are deleted, and while they are shown.

    Parameters
    ----------
    score : callable
        From inputs (n, C, *size) to scores (n,). Called once for each reference.
    inputs : dict of str to ndarray
        See :func:`reference_inputs`.
    heatmap : ndarray, shape (*S)
    steps : int
    seed : int
        Orders samples of equal value.

    Returns
    -------
    ndarray of float32, shape (3, 2, steps + 1)
        By reference, then deletion and insertion; NaN without a twin.

    Notes
    -----
    Nothing deleted is everything shown, and the reverse: the two ends are computed once.
    """
    image = inputs["image"]
    size = image.shape[-1]
    on_input = heatmap if heatmap.shape == image.shape[1:] else _to_side(heatmap, size)
    masks = step_masks(on_input, side_fractions(steps, on_input.ndim), seed)
    found = np.full((len(REFERENCES), 2, steps + 1), np.nan, np.float32)
    for row, name in enumerate(REFERENCES):
        if name not in inputs:
            continue
        inner = masks[1:-1, None]
        batch = [
            image[None],
            inputs[name][None],
            deleted(image, inputs[name], inner),
            inserted(image, inputs[name], inner),
        ]
        scores = score(np.concatenate(batch))
        whole, nothing, rest = scores[0], scores[1], scores[2:]
        found[row, 0] = [whole, *rest[: steps - 1], nothing]
        found[row, 1] = [nothing, *rest[steps - 1 :], whole]
    return found


def _to_side(heatmap: np.ndarray, size: int) -> np.ndarray:
    return resized(np.asarray(heatmap, np.float32), size)
