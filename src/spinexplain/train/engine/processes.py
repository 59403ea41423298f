"""Training on one device or in several processes, through Lightning Fabric.

Every process builds the same model from the same seed, takes its part of every batch, and
averages the gradients with the others; so all stay the same, and only the first writes.
"""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spinexplain.errors import ConfigError
from spinexplain.models.bundle.store import check_device
from spinexplain.train.engine.precision import has_bfloat16


def start_fabric(device: str = "cpu", processes: int = 1) -> Any:
    """Return a Fabric for a device; with several processes, start the others too.

    Parameters
    ----------
    device : str
        ``"cpu"`` or ``"cuda"``.
    processes : int
        Number of processes, on CUDA one for each GPU. The others run the same command
        again, or are those that ``torchrun`` has started.

    Raises
    ------
    ConfigError
        If there is no such device.
    """
    from lightning.fabric import Fabric

    check_device(device)
    found = torch.cuda.device_count()
    if device == "cuda" and found < processes:
        raise ConfigError(
            f"{processes} CUDA devices were asked for, but torch finds {found}. Use as many "
            "processes as there are devices."
        )
    strategy = "ddp" if processes > 1 else "auto"
    fabric = Fabric(accelerator=device, devices=processes, strategy=strategy)
    if processes > 1:
        fabric.launch()
    return fabric


def is_first_process() -> bool:
    """Whether this process writes files and speaks to the user."""
    there = torch.distributed.is_available() and torch.distributed.is_initialized()
    return not there or torch.distributed.get_rank() == 0


def averaged(fabric: Any, terms: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the terms of the loss, detached, as means over the processes."""
    detached = {name: value.detach() for name, value in terms.items()}
    if fabric.world_size == 1:
        return detached
    return {name: fabric.all_reduce(v.clone(), reduce_op="mean") for name, v in detached.items()}


def share_gradients(fabric: Any, model: nn.Module) -> None:
    """Replace every gradient by its mean over the processes."""
    if fabric.world_size > 1:
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.grad.copy_(fabric.all_reduce(parameter.grad, reduce_op="mean"))


def share_statistics(fabric: Any, model: nn.Module) -> None:
    """Replace BatchNorm's running statistics by their means over the processes.

    The statistics of a batch stay those of each process's part, as usual in data-parallel
    training, so a network with BatchNorm that is not frozen learns a little differently.
    """
    if fabric.world_size > 1:
        for buffer in model.buffers():
            if buffer.is_floating_point():
                buffer.copy_(fabric.all_reduce(buffer, reduce_op="mean"))


def describe_machine() -> dict[str, Any]:
    """Say on what a run was made: the same bits are only promised on the same."""
    return {
        "machine": platform.machine(),
        "processor": torch.backends.cpu.get_cpu_capability(),
        "bfloat16": has_bfloat16(),
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "threads": torch.get_num_threads(),
    }
