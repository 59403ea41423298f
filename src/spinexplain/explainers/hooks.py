"""Look at a layer while a network runs, and leave nothing behind."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from spinexplain.errors import ModelError

_LISTED = 40


class Captured:
    """What one layer gave in the forward pass under :func:`capture`.

    Parameters
    ----------
    layer : str
        Its name, for messages.
    """

    def __init__(self, layer: str) -> None:
        self._layer = layer
        self._outputs: list[Tensor] = []

    @property
    def activation(self) -> Tensor:
        """The layer's output, (N, C, *G) for a feature map.

        Raises
        ------
        ModelError
            If the layer did not run exactly once.
        """
        if not self._outputs:
            raise ModelError(
                f'layer "{self._layer}" does not run by itself in a forward pass; expected one '
                "that does. Choose a layer inside it or the block around it."
            )
        if len(self._outputs) != 1:
            raise ModelError(
                f'layer "{self._layer}" ran {len(self._outputs)} times in this forward pass; '
                "expected once. Choose a layer that is used once, such as the block around it."
            )
        return self._outputs[0]

    def gradient(self, of: Tensor) -> Tensor:
        """Return the derivative of a scalar with respect to :attr:`activation`.

        Parameters
        ----------
        of : Tensor, shape ()
            Computed from the output of the pass captured with ``gradients=True``.

        Returns
        -------
        Tensor of the activation's shape
            0 where the scalar does not depend on it.
        """
        activation = self.activation
        if not of.requires_grad:
            return torch.zeros_like(activation)
        (gradient,) = torch.autograd.grad(of, activation, allow_unused=True)
        return torch.zeros_like(activation) if gradient is None else gradient


@contextmanager
def capture(model: nn.Module, layer: str, *, gradients: bool = False) -> Iterator[Captured]:
    """Keep the output of one layer of the forward pass made inside this context.

    The hook is gone afterwards, whatever happened inside. Forward passes of other threads
    go by unobserved.

    Parameters
    ----------
    model : nn.Module
    layer : str
        A name of :func:`layer_names`.
    gradients : bool
        Cut the graph at the layer and make its output the variable to derive by. Nothing
        before it is derived, so frozen weights cost nothing and stay without gradients.

    Yields
    ------
    Captured

    Raises
    ------
    ModelError
        If there is no such layer.

    Examples
    --------
    >>> net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.Flatten())
    >>> with capture(net, "0") as seen:
    ...     _ = net(torch.zeros(1, 1, 3, 3))
    >>> seen.activation.shape
    torch.Size([1, 2, 3, 3])
    """
    captured = Captured(layer)
    own_thread = threading.get_ident()

    def hook(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        if threading.get_ident() != own_thread:
            return None
        if not isinstance(output, Tensor):
            raise ModelError(
                f'layer "{layer}" gives a {type(output).__name__}; expected one tensor. '
                "Choose a layer inside it."
            )
        # A copy: the next layer may write into the output (in-place rectification).
        kept = output.detach().clone()
        captured._outputs.append(kept)
        return kept.requires_grad_().clone() if gradients else None

    handle = find_layer(model, layer).register_forward_hook(hook)
    try:
        yield captured
    finally:
        handle.remove()


def layer_names(model: nn.Module) -> list[str]:
    """List the names of all layers, in the order the network was built.

    Examples
    --------
    >>> layer_names(nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU()))
    ['0', '1']
    """
    return [name for name, _ in model.named_modules() if name]


def find_layer(model: nn.Module, layer: str) -> nn.Module:
    """Return a layer by its name.

    Raises
    ------
    ModelError
        If there is none; the message lists the real names and the nearest one.
    """
    names = layer_names(model)
    if layer in names:
        return model.get_submodule(layer)
    near = difflib.get_close_matches(layer, names, n=1, cutoff=0.5)
    hint = f' Did you mean "{near[0]}"?' if near else ""
    raise ModelError(f'the network has no layer "{layer}"; expected one of {_listed(names)}.{hint}')


def check_is_map(activations: Tensor, inputs: Tensor, layer: str) -> None:
    """Refuse what a layer gives if it is no map of cells with the input's axes.

    Parameters
    ----------
    activations : Tensor
        The layer's output.
    inputs : Tensor, shape (N, C, *S)
    layer : str
        Its name, for the message.

    Raises
    ------
    ModelError
        If the output has no spatial axes left, as after pooling, or a single cell.
    """
    shape = tuple(activations.shape)
    if activations.ndim != inputs.ndim or activations[0, 0].numel() < 2:
        raise ModelError(
            f'layer "{layer}" gives no map: its output has shape {shape}; expected (N, C) and '
            f"{inputs.ndim - 2} axes of cells. Choose a layer before pooling, or a larger input."
        )


def _listed(names: list[str]) -> str:
    """List all names, or of a deep network those of the highest levels that fit."""
    depth = max((name.count(".") for name in names), default=0)
    shown = names
    while len(shown) > _LISTED and depth > 0:
        depth -= 1
        shown = [name for name in names if name.count(".") <= depth]
    deeper = len(names) - len(shown)
    return ", ".join(shown) + (f" and {deeper} layers inside these" if deeper else "")
