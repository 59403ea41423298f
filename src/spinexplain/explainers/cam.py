"""Class activation maps: where a feature map speaks for a class, for any number of axes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from spinexplain.errors import ConfigError, ModelError
from spinexplain.explainers.cam_weights import CAM_METHODS, weighted_map
from spinexplain.explainers.hooks import capture, check_is_map
from spinexplain.models.grader import Grader
from spinexplain.models.receptive import ReceptiveField, upsample_map
from spinexplain.types import Evidence, Explanation, Patch

_CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


def activation_maps(
    model: nn.Module,
    inputs: Tensor,
    targets: Sequence[int],
    method: str = "gradcam",
    layer: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Map where a layer speaks for a class, for a batch of inputs.

    Parameters
    ----------
    model : nn.Module
        In evaluation mode; maps inputs (N, C, *S) to logits (N, K).
    inputs : Tensor, shape (N, C, *S)
    targets : sequence of int, length N
        Index of the class to explain for each input.
    method : str
        A key of ``CAM_METHODS``.
    layer : str, optional
        By default :func:`default_layer`.

    Returns
    -------
    Tensor of float32, shape (N, *G)
        The class activation map on the layer's grid, not below 0.
    Tensor of float32, shape (N,)
        The logits of the targets.

    Raises
    ------
    ConfigError
        If there is no such method.
    ModelError
        If there is no such layer, it gives no map, or the network gives no finite numbers.
    """
    if method not in CAM_METHODS:
        raise ConfigError(f'there is no CAM "{method}"; expected one of {sorted(CAM_METHODS)}.')
    layer = layer or default_layer(model, inputs.ndim - 2)
    with _derivable(), capture(model, layer, gradients=True) as captured:
        logits = model(inputs.clone() if inputs.is_inference() else inputs)
        chosen = logits[torch.arange(len(inputs)), torch.as_tensor(targets)]
        activations = captured.activation.detach()
        check_is_map(activations, inputs, layer)
        gradients = captured.gradient(chosen.sum())
    if not all(bool(t.isfinite().all()) for t in (activations, gradients, chosen)):
        raise ModelError(
            f'the network gives infinite values or NaN at layer "{layer}"; expected finite ones. '
            "Check its weights and its input."
        )
    maps = weighted_map(activations, CAM_METHODS[method].weights(activations, gradients))
    maps = maps * _pooling(model, inputs, maps.shape[1:], layer)
    return maps.float(), chosen.detach().float()


def _pooling(model: nn.Module, inputs: Tensor, grid: Sequence[int], layer: str) -> Tensor:
    """Return how often each cell counts in the head's own pooling, 1 where all count alike."""
    weights = getattr(model, "cell_weights", None)
    if weights is None or layer != "trunk":
        return inputs.new_ones(())
    with torch.no_grad():
        return weights(inputs, grid) * math.prod(grid)


def default_layer(model: nn.Module, axes: int) -> str:
    """Name the layer to explain: the trunk, or else the last convolution.

    Parameters
    ----------
    model : nn.Module
    axes : int
        Spatial axes of its input.

    Raises
    ------
    ModelError
        If the network has no convolution with so many axes.

    Examples
    --------
    >>> default_layer(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 2, 3)), 2)
    '2'
    """
    if isinstance(getattr(model, "trunk", None), nn.Module):
        return "trunk"
    kind = _CONVOLUTIONS.get(axes, nn.Conv3d)
    names = [name for name, module in model.named_modules() if name and isinstance(module, kind)]
    if not names:
        raise ModelError(
            f"the network has no {axes}-D convolution to explain. Name a layer that gives a map."
        )
    return names[-1]


def explain_cam(
    grader: Grader,
    patch: Patch,
    target: str,
    method: str = "gradcam",
    layer: str | None = None,
) -> Explanation:
    """Show where in a patch the feature map speaks for a class.

    Parameters
    ----------
    grader : Grader
        Of any network.
    patch : Patch
    target : str
        One of ``grader.classes``.
    method : str
        A key of ``CAM_METHODS``.
    layer : str, optional
        By default the trunk; for a network without one, the last convolution.

    Returns
    -------
    Explanation
        One Evidence. Its score is the sum of the map over the layer's grid; its terms
        are the target's logit and the map's highest value.

    Raises
    ------
    ConfigError
        If there is no such method.
    ModelError
        If the model has no such class or layer, or the layer gives no map.

    Notes
    -----
    For GradCAM on a network that pools the trunk's map and ends in a linear layer, and for
    XGradCAM on any head that is linear in the map and has no ``cell_weights``, the map
    before rectification sums to the logit without its bias. All three give a channel one
    weight for the whole grid. Where the head itself weighs the cells (pooling beside the
    target), the map is multiplied by these weights, as otherwise cells that the network
    ignores light up.
    The map lies on the patch by the true centres of the trunk's cells; another layer's
    map is spread evenly.
    """
    if target not in grader.classes:
        raise ModelError(
            f'model "{grader.info.name}" has no class "{target}"; expected one of '
            f"{', '.join(grader.classes)}."
        )
    inputs = grader.inputs([patch])
    layer = layer or default_layer(grader.model, grader.spec.axes)
    index = grader.classes.index(target)
    maps, logits = activation_maps(grader.model, inputs, [index], method, layer)
    cells = maps[0].cpu().numpy()
    evidence = Evidence(
        name=CAM_METHODS[method].title,
        class_name=target,
        heatmap=_on_patch(cells, patch, grader, layer),
        score=float(cells.sum(dtype=np.float64)),
        terms={"logit": float(logits[0]), "peak": float(cells.max())},
    )
    return Explanation(patch, target, method, CAM_METHODS[method].score_name, (evidence,))


@contextmanager
def _derivable() -> Iterator[None]:
    """Derive even where the caller switched that off, which grading does."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


def _on_patch(cells: np.ndarray, patch: Patch, grader: Grader, layer: str) -> np.ndarray:
    field = getattr(getattr(grader.model, "trunk", None), "field", None)
    if layer == "trunk" and isinstance(field, ReceptiveField):
        pixels = grader.spec.size / patch.array.shape[0]
        return upsample_map(cells, patch.array.shape, field, pixels)
    spread = F.interpolate(
        torch.from_numpy(cells)[None, None],
        size=patch.array.shape,
        mode=_LINEAR[cells.ndim],
        align_corners=False,
    )
    return spread[0, 0].numpy()
