"""Integrated gradients and occlusion: what each sample of the image does to a logit.

Both compare the crop with a blurred one, in which no fracture can be seen: black or mid-gray
would be a picture of something else. Only the image's channels are changed, never the one
that marks the target.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter

from spinexplain.errors import ModelError
from spinexplain.explainers.answers import input_logits
from spinexplain.models.grader import Grader
from spinexplain.models.input_arrays import input_array, resized
from spinexplain.types import Evidence, Explanation, Patch

GRADIENT_STEPS = 32
WINDOW_MM = 16.0
STRIDE_MM = {2: 8.0, 3: 16.0}
_BLUR_MM = 8.0
_AT_A_TIME = 32


def blurred_patch(patch: Patch, sigma_mm: float = _BLUR_MM) -> Patch:
    """Return a patch without its detail: what is left when no fracture can be seen."""
    sigma = sigma_mm / patch.frame.spacing_mm
    hu = gaussian_filter(np.asarray(patch.array, np.float32), sigma, mode="nearest")
    return replace(patch, array=hu)


def explain_integrated_gradients(
    grader: Grader, patch: Patch, target: str, steps: int = GRADIENT_STEPS
) -> Explanation:
    """Show which samples raise a logit on the way from the blurred to the sharp crop.

    Parameters
    ----------
    grader : Grader
    patch : Patch
    target : str
        One of ``grader.classes``.
    steps : int
        Points on the way (Gauss-Legendre).

    Returns
    -------
    Explanation
        One Evidence: the positive attributions, summed over the image's channels. Its score
        is their sum; its terms hold the logit, the sum of all attributions and how far that
        is from the difference of the two logits, which the method promises it equals.

    Raises
    ------
    ModelError
        If the model has no such class.

    Notes
    -----
    Sundararajan et al., arXiv:1703.01365, by captum: (x - b) times the mean gradient along
    the straight line from the baseline b to x.
    """
    import torch
    from captum.attr import IntegratedGradients

    index = _index(grader, target)
    inputs, baseline = _pair(grader, patch)
    with torch.inference_mode(False), torch.enable_grad():
        method = IntegratedGradients(grader.model)
        attributions = method.attribute(
            torch.from_numpy(inputs).to(grader.device),
            torch.from_numpy(baseline).to(grader.device),
            target=index,
            n_steps=steps,
            internal_batch_size=max(_AT_A_TIME // _box_factor(grader), 1),
        )
    per_sample = attributions[0].detach().float().cpu().numpy().sum(axis=0)
    logits = input_logits(grader, np.concatenate([inputs, baseline]))[:, index]
    total = float(per_sample.sum(dtype=np.float64))
    terms = {
        "logit": float(logits[0]),
        "attributed": total,
        "missing": float(logits[0] - logits[1]) - total,
    }
    return _explanation(patch, target, "integrated_gradients", per_sample, terms)


def explain_occlusion(
    grader: Grader,
    patch: Patch,
    target: str,
    window_mm: float = WINDOW_MM,
    stride_mm: float | None = None,
) -> Explanation:
    """Show where blurring a window of the crop takes most from a logit.

    Parameters
    ----------
    grader : Grader
        Its exported network answers where there is one: no gradient is needed.
    patch : Patch
    target : str
        One of ``grader.classes``.
    window_mm, stride_mm : float
        Side of the window that is blurred, and how far it moves each time; by default half a
        window in sheets and a whole one in boxes, which need a hundred times as many.

    Returns
    -------
    Explanation
        One Evidence: what blurring takes from the logit, averaged over the windows that
        cover a sample, where that is above 0. Its terms hold the logit and the peak.

    Raises
    ------
    ModelError
        If the model has no such class.

    Notes
    -----
    Zeiler and Fergus, arXiv:1311.2901, by captum.
    """
    import torch
    from captum.attr import Occlusion

    index = _index(grader, target)
    inputs, baseline = _pair(grader, patch)
    pixels = grader.spec.size / grader.spec.extent_mm
    step_mm = STRIDE_MM[grader.spec.axes] if stride_mm is None else stride_mm
    window, stride = max(round(window_mm * pixels), 1), max(round(step_mm * pixels), 1)
    channels, axes = inputs.shape[1], grader.spec.axes
    with torch.no_grad():
        attributions = Occlusion(_logit_of(grader, index)).attribute(
            torch.from_numpy(inputs),
            sliding_window_shapes=(channels, *(window,) * axes),
            strides=(channels, *(stride,) * axes),
            baselines=torch.from_numpy(baseline),
            perturbations_per_eval=max(_AT_A_TIME // _box_factor(grader), 1),
        )
    per_sample = attributions[0, 0].numpy().astype(np.float32)
    logit = float(input_logits(grader, inputs)[0, index])
    terms = {"logit": logit, "peak": float(per_sample.max())}
    return _explanation(patch, target, "occlusion", per_sample, terms)


def _logit_of(grader: Grader, index: int) -> Callable:
    """Return what captum calls: a batch of inputs in, one logit each out."""
    import torch

    def run(inputs: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(input_logits(grader, inputs.numpy())[:, index].copy())

    return run


def _index(grader: Grader, target: str) -> int:
    if target not in grader.classes:
        raise ModelError(
            f'model "{grader.info.name}" has no class "{target}"; expected one of '
            f"{', '.join(grader.classes)}."
        )
    return grader.classes.index(target)


def _pair(grader: Grader, patch: Patch) -> tuple[np.ndarray, np.ndarray]:
    """Return the network's input of a patch and of the blurred one, (1, C, *S) each."""
    both = input_array([patch, blurred_patch(patch)], grader.spec)
    return both[:1], both[1:]


def _box_factor(grader: Grader) -> int:
    """Return how many times fewer boxes than sheets are computed at a time."""
    return 8 if grader.spec.axes == 3 else 1


def _explanation(
    patch: Patch, target: str, method: str, per_sample: np.ndarray, terms: dict[str, float]
) -> Explanation:
    heatmap = np.clip(per_sample, 0, None).astype(np.float32)
    score = float(heatmap.sum(dtype=np.float64))
    evidence = Evidence(TITLES[method], target, _on_patch(heatmap, patch), score, terms)
    return Explanation(patch, target, method, SCORE_NAME, (evidence,))


def _on_patch(heatmap: np.ndarray, patch: Patch) -> np.ndarray:
    return heatmap if heatmap.shape == patch.array.shape else resized(heatmap, len(patch.array))


SCORE_NAME = "logit gained over the blurred crop, positive samples summed"
TITLES = {"integrated_gradients": "Integrated gradients", "occlusion": "Occlusion"}
