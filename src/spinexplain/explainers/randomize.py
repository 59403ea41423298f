"""Models made random: with shuffled weights, and with a last layer fitted to shuffled labels."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor, nn

from spinexplain.errors import ModelError
from spinexplain.models.grader import Grader

_RIDGE = 1.0
_BATCH = 16


def with_random_weights(grader: Grader, seed: int) -> Grader:
    """Return the grader with the values of every weight tensor in a random order.

    Parameters
    ----------
    grader : Grader
    seed : int

    Returns
    -------
    Grader
        In torch. Weights keep their distribution, so that activations keep their scale;
        prototypes are shuffled too. What was learned is gone.

    Notes
    -----
    The model parameter randomization of Adebayo et al. (arXiv:1810.03292), all layers at once.
    """
    model = copy.deepcopy(grader.model)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            flat = parameter.detach().cpu().flatten()
            order = torch.randperm(len(flat), generator=generator)
            parameter.copy_(flat[order].view_as(parameter))
    return _in_torch(grader, model)


def with_random_labels(grader: Grader, inputs: np.ndarray, labels: np.ndarray, seed: int) -> Grader:
    """Return the grader with a last layer that was fitted to labels in a random order.

    Parameters
    ----------
    grader : Grader
    inputs : ndarray of float32, shape (n, C, *size)
        What it is fitted to.
    labels : ndarray of int, shape (n,)
        Class of each; they are shuffled first.
    seed : int

    Returns
    -------
    Grader
        In torch. Its last layer has the size of the trained one.

    Raises
    ------
    ModelError
        If the network has no linear layer.

    Notes
    -----
    The data randomization of Adebayo et al. Reading: only the last layer is trained again,
    by ridge regression on the class indicators; training a whole network on random labels
    would cost as much as the network did.
    """
    model = copy.deepcopy(grader.model)
    layer = _last_linear(model)
    features = _features(model, layer, inputs)
    shuffled = np.random.default_rng([seed, 43]).permutation(np.asarray(labels))
    goal = _goals(shuffled, layer.out_features, len(grader.classes))
    x = features - features.mean(axis=0)
    gram = x.T @ x + _RIDGE * np.trace(x.T @ x) / max(x.shape[1], 1) * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, x.T @ (goal - goal.mean(axis=0))).T
    with torch.no_grad():
        fitted = torch.from_numpy(weights.astype(np.float32))
        scale = layer.weight.norm() / fitted.norm().clamp_min(1e-12)
        layer.weight.copy_(fitted * scale)
    return _in_torch(grader, model)


def _in_torch(grader: Grader, model: nn.Module) -> Grader:
    known = {
        name: getattr(grader, name)
        for name in ("spec", "task", "info", "scope", "exemplars", "explainer", "device")
    }
    return Grader(model=model.eval(), **known)


def _last_linear(model: nn.Module) -> nn.Linear:
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise ModelError("the network has no linear layer to fit again; expected one at its end.")
    return layers[-1]


def _features(model: nn.Module, layer: nn.Linear, inputs: np.ndarray) -> np.ndarray:
    """Return what the last layer sees, (n, H)."""
    seen: list[Tensor] = []
    handle = layer.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))
    device = next(model.parameters()).device
    try:
        with torch.inference_mode():
            for start in range(0, len(inputs), _BATCH):
                model(torch.from_numpy(inputs[start : start + _BATCH]).to(device))
    finally:
        handle.remove()
    return torch.cat(seen).double().cpu().numpy()


def _goals(labels: np.ndarray, outputs: int, classes: int) -> np.ndarray:
    """Return class indicators, or for a detector's one output its sign."""
    if outputs == 1:
        return np.where(labels == classes - 1, 1.0, -1.0)[:, None]
    return np.eye(outputs)[np.clip(labels, 0, outputs - 1)]
