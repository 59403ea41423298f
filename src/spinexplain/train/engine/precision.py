"""bfloat16 where it pays: on processors and devices that compute in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from spinexplain.config.training import TrainConfig

_PHASES = ("classifier", "warm", "joint", "detector")


def has_bfloat16(device: str = "cpu") -> bool:
    """Whether convolutions in bfloat16 are fast on a device.

    On a processor without AVX-512 (or the like on ARM), or where torch was built without
    oneDNN, it runs them in a naive loop, a hundred times slower than in float32.

    Examples
    --------
    >>> has_bfloat16() in (True, False)
    True
    """
    if device == "cuda":
        return torch.cuda.is_bf16_supported()
    # The operator is only there where oneDNN is.
    there = torch.backends.mkldnn.is_available()
    return there and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def network_precision(precision: str, device: str) -> torch.autocast:
    """Return the context in which a network runs in training.

    Parameters
    ----------
    precision : str
        ``"fp32"``, or ``"bf16"``: then in bfloat16 where the device has it, and in float32
        elsewhere.
    device : str
        ``"cpu"`` or ``"cuda"``.

    Examples
    --------
    >>> layer, x = torch.nn.Linear(2, 2), torch.zeros(1, 2)
    >>> with network_precision("fp32", "cpu"):
    ...     layer(x).dtype
    torch.float32
    """
    wanted = precision == "bf16" and has_bfloat16(device)
    return torch.autocast(device, dtype=torch.bfloat16, enabled=wanted)


def falls_back(config: TrainConfig, device: str) -> bool:
    """Whether a training asks for bfloat16 and runs in float32, for want of it.

    Examples
    --------
    >>> from spinexplain.config.training import read_config
    >>> falls_back(read_config("detector"), "cpu") == (not has_bfloat16())
    True
    """
    asked = any(getattr(config, name).precision == "bf16" for name in _PHASES)
    return asked and not has_bfloat16(device)
