"""One phase of gradient descent: its bits depend on nothing but seed and step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import nn

from spinexplain.config.training import PhaseSettings
from spinexplain.errors import ModelError
from spinexplain.train.engine.averaging import follow, started_average, take_average
from spinexplain.train.engine.journal import Journal, Terms
from spinexplain.train.engine.learning_rate import learning_rate_factor
from spinexplain.train.engine.processes import averaged, share_gradients, share_statistics

SAVE_EVERY_STEPS = 50
NAMED = 8
OPTIMIZERS = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}

B = TypeVar("B")
FromBatches = TypeVar("FromBatches", covariant=True)


class Batches(Protocol[FromBatches]):
    """Where the batches of a phase come from."""

    def load(self, step: int, part: tuple[int, int], device: torch.device) -> FromBatches:
        """Return this process's part of a step's batch; ``part`` is its number and their count."""
        ...

    def names(self, step: int) -> Sequence[str]:
        """Name what is in a step's batch, for an error."""
        ...


@dataclass(frozen=True, eq=False)
class Phase(Generic[B]):
    """A phase: what is optimized, how, and what for.

    Parameters
    ----------
    name : str
    number : int
        Position in the run; part of the random key.
    settings : PhaseSettings
    groups : list of dict
        Parameter groups with their base ``lr`` and ``weight_decay``.
    objective : callable
        ``objective(batch) -> {term: tensor}``; ``"total"`` is minimized.
    frozen : tuple of nn.Module
        Parts kept in evaluation mode, their BatchNorm statistics untouched.
    steps_before : int
        Steps of the same phase in earlier rounds; a decay by steps counts them.
    """

    name: str
    number: int
    settings: PhaseSettings
    groups: list[dict[str, Any]]
    objective: Callable[[B], Terms]
    frozen: tuple[nn.Module, ...] = ()
    steps_before: int = 0


@contextmanager
def seeded(*key: int) -> Iterator[None]:
    """Seed torch by ``key``, e.g. for dropout, and leave its global state as it was."""
    with torch.random.fork_rng(devices=[]):
        seed = int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> 1)
        # torch.manual_seed keeps a stack trace for every kind of device, each step anew.
        (torch.manual_seed if torch.cuda.is_available() else torch.default_generator.manual_seed)(
            seed
        )
        yield


def run_phase(
    fabric: Any,
    model: nn.Module,
    batches: Batches[B],
    phase: Phase[B],
    seed: int,
    journal: Journal,
) -> Iterator[int]:
    """Optimize step by step, yielding the number of steps done after each.

    A resumed phase first yields the steps that were done before. Where the settings ask for an
    average of the weights, the model holds it after the last step.

    Parameters
    ----------
    fabric : lightning.fabric.Fabric
        Device and processes.
    model : nn.Module
    batches : Batches
    phase : Phase
    seed : int
        With the phase's number and the step the key of everything random in the network.
    journal : Journal

    Raises
    ------
    ModelError
        If the loss is not finite; the last saved state is left as it was.
    """
    model.to(fabric.device)
    optimizer = fabric.setup_optimizers(OPTIMIZERS[phase.settings.optimizer](phase.groups))
    rates = [group["lr"] for group in optimizer.param_groups]
    average = started_average(model, phase.settings.average)
    start = journal.restore(phase.name, model, optimizer, average)
    first = fabric.global_rank == 0
    if first and journal.resume:
        journal.forget(phase.name, start)
    if start:
        yield start
    try:
        for step in range(start, phase.settings.steps):
            _get_ready(model, optimizer, rates, phase, step)
            terms = _descend(fabric, model, optimizer, batches, phase, (seed, phase.number, step))
            follow(average, model, phase.settings.average, step)
            if step + 1 == phase.settings.steps:
                take_average(average, model)
            if first:
                journal.write(phase.name, step, terms)
                if (step + 1) % SAVE_EVERY_STEPS == 0 or step + 1 == phase.settings.steps:
                    journal.save(phase.name, step + 1, model, optimizer, average)
            yield step + 1
        model.eval()
    finally:
        model.to("cpu")


def _get_ready(
    model: nn.Module, optimizer: Any, rates: list[float], phase: Phase[B], step: int
) -> None:
    """Set training mode and the step's learning rates."""
    model.train()
    for module in phase.frozen:
        module.eval()
    factor = learning_rate_factor(phase.settings, step, phase.steps_before)
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate * factor


def _descend(
    fabric: Any,
    model: nn.Module,
    optimizer: Any,
    batches: Batches[B],
    phase: Phase[B],
    key: tuple[int, int, int],
) -> Terms:
    """Take one step; return the terms of the loss as means over the processes."""
    step = key[-1]
    batch = batches.load(step, (fabric.global_rank, fabric.world_size), fabric.device)
    with seeded(*key):
        terms = phase.objective(batch)
    shown = averaged(fabric, terms)
    if not torch.isfinite(shown["total"]):
        raise ModelError(_not_finite(shown, batches.names(step), phase.name, step))
    optimizer.zero_grad()
    fabric.backward(terms["total"])
    share_gradients(fabric, model)
    share_statistics(fabric, model)
    optimizer.step()
    return shown


def _not_finite(terms: Terms, names: Sequence[str], phase: str, step: int) -> str:
    """Say which loss it was and whose batch made it."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    shown = ", ".join(f"{name} {float(value):.4g}" for name, value in terms.items())
    return (
        f"the loss is not finite in phase {phase} at step {step} ({shown}); its batch: "
        f"{', '.join(names[:NAMED])}{more}. Look at these vertebrae or lower the learning "
        "rates; the last checkpoint before it is kept."
    )
