"""Weight files from elsewhere: read without pickle's powers, fitted by name, or refused."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from spinexplain.errors import ModelError

_SHOWN = 5

# Torch's unpickler fails in any of these ways on a file that is no pickle.
_UNREADABLE = (
    SafetensorError,
    pickle.UnpicklingError,
    struct.error,
    RuntimeError,
    EOFError,
    OSError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
)


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read named tensors from a safetensors or a torch file, on the CPU.

    A checkpoint that keeps them under ``"state_dict"`` is unwrapped, and the ``module.``
    that data-parallel training puts before every name is taken off.

    Parameters
    ----------
    path : str or Path
        Ending in ``.safetensors``, or any file that ``torch.load`` reads with
        ``weights_only=True``; nothing in it is executed.

    Raises
    ------
    ModelError
        If there is no such file, it is broken, or it holds anything but named tensors.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"{path} is no file; expected a weight file. Check the path.")
    content = _read(path)
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not content:
        raise ModelError(f"{path} holds no named tensors. Save the network's state_dict().")
    strangers = [str(key) for key, value in content.items() if not isinstance(value, Tensor)]
    if strangers:
        raise ModelError(
            f"{path} holds more than tensors ({_listed(strangers)}). "
            "Save the network's state_dict() alone."
        )
    parallel = all(key.startswith("module.") for key in content)
    return {key.removeprefix("module.") if parallel else key: t for key, t in content.items()}


def load_weights(
    network: nn.Module,
    path: str | Path,
    *,
    stem: str,
    ignored: tuple[str, ...] = (),
    rename: Callable[[str], str] = str,
    scaled: bool = True,
) -> None:
    """Load a weight file into a network whose layers bear the same names, in place.

    Parameters
    ----------
    network : nn.Module
    path : str or Path
        See :func:`read_weights`.
    stem : str
        Name of the first convolution's weight. Where the network has other input channels
        than the file, its input weights are repeated (see :func:`widened`).
    ignored : tuple of str
        Beginnings of names that may be in the file and are not used.
    rename : callable
        From a name in the file to the network's.
    scaled : bool
        What :func:`widened` does with further input channels.

    Raises
    ------
    ModelError
        If names are missing or unknown, or shapes differ; the names are in the message.

    Notes
    -----
    ``num_batches_tracked`` may be missing: files from before 2018 do not have it, and it
    is used nowhere here.
    """
    state = {rename(key): value for key, value in read_weights(path).items()}
    state = {key: value for key, value in state.items() if not key.startswith(ignored)}
    own = network.state_dict()
    if stem in state:
        state[stem] = widened(state[stem], own[stem].shape[1], scaled)
    counters = {key for key in own if key.endswith(".num_batches_tracked")}
    _check_names(path, set(own) - counters - set(state), set(state) - set(own))
    wrong = [key for key, value in state.items() if value.shape != own[key].shape]
    if wrong:
        first = wrong[0]
        raise ModelError(
            f"{path}: {len(wrong)} tensors have another shape ({_listed(wrong)}): {first} is "
            f"{tuple(state[first].shape)}; expected {tuple(own[first].shape)}. "
            "Choose the weights of this very network."
        )
    network.load_state_dict(state, strict=False)


def widened(weight: Tensor, channels: int, scaled: bool = True) -> Tensor:
    """Fit a first convolution to another number of input channels.

    Parameters
    ----------
    weight : Tensor, shape (O, I, *kernel)
    channels : int
        Input channels wanted.
    scaled : bool
        Whether more channels share the response; False copies the weights as they are.

    Returns
    -------
    Tensor, shape (O, channels, *kernel)
        With more channels than I, channel c has the weights of channel c modulo I; with
        fewer, each has their mean. If scaled, by I / channels, to keep the response's size:
        a gray image gives what it gave for fewer channels, and for multiples of I.

    Examples
    --------
    >>> widened(torch.tensor([[[1.0], [2.0], [6.0]]]).view(1, 3, 1, 1), 1).item()
    9.0
    """
    source = weight.shape[1]
    if channels == source:
        return weight
    if channels < source:
        gray = weight.sum(dim=1, keepdim=True) / channels
        return gray.expand(-1, channels, *weight.shape[2:]).contiguous()
    repeated = weight[:, torch.arange(channels) % source]
    return repeated * (source / channels) if scaled else repeated


def _read(path: Path) -> object:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"{path} cannot be read as plain weights ({reason}). "
            "Expected safetensors, or a state_dict saved with torch.save."
        ) from None


def _check_names(path: str | Path, missing: set[str], unknown: set[str]) -> None:
    if missing or unknown:
        parts = [
            f"{len(names)} {what} ({_listed(sorted(names))})"
            for what, names in (("missing", missing), ("unexpected", unknown))
            if names
        ]
        raise ModelError(
            f"{path} does not fit the network: {', '.join(parts)}. "
            "Choose the weights of this very network."
        )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
