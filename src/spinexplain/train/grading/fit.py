"""One phase of gradient descent: batches that depend on nothing but seed and step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spinexplain.config.training import PhaseSettings, TrainConfig
from spinexplain.data.crops.dataset import TrainingSet, class_labels, grade_labels, grade_shares
from spinexplain.errors import ModelError
from spinexplain.models.inputs import network_input
from spinexplain.train.engine.journal import Journal, Terms
from spinexplain.train.engine.processes import averaged, share_gradients, share_statistics
from spinexplain.train.engine.sampling import StepRows
from spinexplain.train.grading.augment import Crops, augmented_crops
from spinexplain.train.grading.augment_volume import volume_crops

SAVE_EVERY_STEPS = 50
BALANCED_EPOCH = 10_000_000
NAMED = 8
OPTIMIZERS = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}


@dataclass(frozen=True, eq=False)
class Batch:
    """One step's crops as the network sees them.

    With several processes a batch is one process's part of the step, ``everyone`` holds the
    labels of all parts, by which weighted means are divided, and ``parts`` their number.
    ``shares`` and ``everyone_shares`` hold the raters' shares of the classes where the loss
    needs them; ``inside`` the cells' shares of the mask where features stand for the crops.
    """

    x: Tensor
    labels: Tensor
    crops: Crops | None
    height_loss: Tensor | None = None
    everyone: Tensor | None = None
    parts: int = 1
    shares: Tensor | None = None
    everyone_shares: Tensor | None = None
    inside: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Phase:
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
    masks : bool
        Whether the objective needs the masks.
    frozen : tuple of nn.Module
        Parts kept in evaluation mode, their BatchNorm statistics untouched.
    steps_before : int
        Steps of the same phase in earlier rounds; a decay by steps counts them.
    rows : callable, optional
        From a step to its rows; by default as ``TrainConfig.sampling`` says.
    """

    name: str
    number: int
    settings: PhaseSettings
    groups: list[dict[str, Any]]
    objective: Callable[[Batch], Terms]
    masks: bool = False
    frozen: tuple[nn.Module, ...] = ()
    steps_before: int = 0
    rows: Callable[[int], StepRows] | None = None


def batch_rows(n: int, batch: int, step: int, key: tuple[int, int]) -> tuple[np.ndarray, int]:
    """Return the rows of a step and its epoch: shuffled anew each epoch, by key alone.

    Examples
    --------
    >>> rows, epoch = batch_rows(10, 4, 2, (0, 0))
    >>> len(rows), epoch
    (4, 1)
    """
    batch = min(batch, n)
    epoch, place = divmod(step, n // batch)
    order = np.random.default_rng([*key, epoch]).permutation(n)
    return order[place * batch : (place + 1) * batch], epoch


def balanced_rows(
    labels: np.ndarray, batch: int, step: int, key: tuple[int, int]
) -> tuple[np.ndarray, int]:
    """Return the rows of a step when every class is shown equally often, and its epoch.

    Each class is gone through in a shuffled order, again and again; an epoch has as many
    rows as the set, rounded up to whole turns of the classes.

    Examples
    --------
    >>> rows, _ = balanced_rows(np.array([0, 0, 0, 0, 0, 1]), 6, 0, (0, 0))
    >>> int(np.sum(rows == 5))
    3
    """
    classes = np.unique(labels)
    share = -(-len(labels) // len(classes))
    n = share * len(classes)
    batch = min(batch, n)
    epoch, place = divmod(step, n // batch)
    rng = np.random.default_rng([*key, epoch, 1])
    turns = []
    for index in classes:
        rows = np.flatnonzero(labels == index)
        rounds = [rng.permutation(rows) for _ in range(-(-share // len(rows)))]
        turns.append(np.concatenate(rounds)[:share])
    order = np.concatenate(turns)[rng.permutation(n)]
    return order[place * batch : (place + 1) * batch], epoch


def rows_of_step(data: TrainingSet, config: TrainConfig, phase: Phase, step: int) -> StepRows:
    """Return the rows of a step, and the number that stands for its epoch in augmentation.

    Balanced sampling shows a row several times an epoch, so there it is the step's own.
    """
    key, batch = (config.seed, phase.number), phase.settings.batch
    if phase.rows is not None:
        chosen = phase.rows(step)
        return replace(chosen, epoch=1000 * phase.number + chosen.epoch)
    if config.sampling == "balanced":
        rows, _ = balanced_rows(class_labels(data, config.task), batch, step, key)
        return StepRows(rows, BALANCED_EPOCH * (1 + phase.number) + step, np.zeros_like(rows))
    rows, epoch = batch_rows(len(data), batch, step, key)
    return StepRows(rows, 1000 * phase.number + epoch, np.zeros_like(rows))


def crops_of_step(data: TrainingSet, config: TrainConfig, phase: Phase, chosen: StepRows) -> Crops:
    """Cut and augment the crops of one step."""
    rows = chosen.index
    if config.volume_augment is None:
        return augmented_crops(
            data, rows, config.input, config.augment, config.seed, chosen.epoch, masks=phase.masks
        )
    key = (config.seed, chosen.epoch)
    return volume_crops(
        data, rows, config.input, config.volume_augment, key, chosen.copies, phase.masks
    )


def load_batch(
    data: TrainingSet,
    config: TrainConfig,
    phase: Phase,
    step: int,
    part: tuple[int, int] = (0, 1),
) -> Batch:
    """Return one step's inputs, labels and crops; features instead of images where held.

    ``part`` is this process's number and how many there are.
    """
    whole = rows_of_step(data, config, phase, step)
    chosen = replace(whole, index=whole.index[part[0] :: part[1]])
    chosen = replace(chosen, copies=whole.copies[part[0] :: part[1]])
    rows = chosen.index
    crops, inside = None, None
    if data.features is not None and data.inside_cells is not None and phase.masks:
        inside = torch.from_numpy(data.inside_cells[rows])
    if data.features is None or (phase.masks and inside is None):
        crops = crops_of_step(data, config, phase, chosen)
    if data.features is not None:
        x = torch.from_numpy(data.features[rows])
    else:
        assert crops is not None
        x = network_input(crops.hu, crops.centers, config.input)
    labels = torch.from_numpy(grade_labels(data.grades[rows], config.task))
    known = data.height_loss
    losses = None if known is None else torch.from_numpy(known[rows].astype(np.float32))
    everyone = None
    if part[1] > 1:
        everyone = torch.from_numpy(grade_labels(data.grades[whole.index], config.task))
    return Batch(
        x=x,
        labels=labels,
        crops=crops,
        height_loss=losses,
        everyone=everyone,
        shares=_soft_targets(data, config, rows),
        everyone_shares=None if part[1] == 1 else _soft_targets(data, config, whole.index),
        inside=inside,
        parts=part[1],
    )


def _soft_targets(data: TrainingSet, config: TrainConfig, rows: np.ndarray) -> Tensor | None:
    """Return the raters' shares (n, K) where the loss is against them."""
    if config.loss.grading != "soft":
        return None
    ratings = None if data.ratings is None else data.ratings[rows]
    return torch.from_numpy(grade_shares(data.grades[rows], ratings, config.task)).float()


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


def learning_rate_factor(settings: PhaseSettings, step: int, steps_before: int = 0) -> float:
    """Return the factor on the base learning rate.

    Parameters
    ----------
    settings : PhaseSettings
        A cosine warms up over its first twentieth.
    step : int
        Of this phase.
    steps_before : int
        Of the same phase in earlier rounds.

    Notes
    -----
    ProtoPNet's code steps its schedule before the epoch instead of after it, so that the
    first decay comes one epoch early; ``decay_early_steps`` does the same.

    Examples
    --------
    >>> learning_rate_factor(PhaseSettings(steps=100, decay="step"), 99)
    0.01
    """
    done = step / max(settings.steps, 1)
    warm = min((step + 1) / max(0.05 * settings.steps, 1), 1.0)
    if settings.decay == "cosine":
        return warm * 0.5 * (1 + float(np.cos(np.pi * done)))
    if settings.decay == "step":
        if settings.decay_every_steps == 0:
            return round(0.1 ** int(3 * done), 6)
        counted = steps_before + step + settings.decay_early_steps
        return float(0.1 ** (counted // settings.decay_every_steps))
    return 1.0


def run_phase(
    fabric: Any,
    model: nn.Module,
    data: TrainingSet,
    config: TrainConfig,
    phase: Phase,
    journal: Journal,
) -> Iterator[int]:
    """Optimize step by step, yielding the number of steps done after each.

    A resumed phase first yields the steps that were done before.

    Raises
    ------
    ModelError
        If the loss is not finite; the last saved state is left as it was.
    """
    model.to(fabric.device)
    optimizer = fabric.setup_optimizers(OPTIMIZERS[phase.settings.optimizer](phase.groups))
    rates = [group["lr"] for group in optimizer.param_groups]
    start = journal.restore(phase.name, model, optimizer)
    first = fabric.global_rank == 0
    if first and journal.resume:
        journal.forget(phase.name, start)
    if start:
        yield start
    try:
        for step in range(start, phase.settings.steps):
            _get_ready(model, optimizer, rates, phase, step)
            terms = _descend(fabric, model, optimizer, data, config, phase, step)
            if first:
                journal.write(phase.name, step, terms)
                if (step + 1) % SAVE_EVERY_STEPS == 0 or step + 1 == phase.settings.steps:
                    journal.save(phase.name, step + 1, model, optimizer)
            yield step + 1
        model.eval()
    finally:
        model.to("cpu")


def _get_ready(
    model: nn.Module, optimizer: Any, rates: list[float], phase: Phase, step: int
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
    data: TrainingSet,
    config: TrainConfig,
    phase: Phase,
    step: int,
) -> Terms:
    """Take one step; return the terms of the loss as means over the processes."""
    part = (fabric.global_rank, fabric.world_size)
    batch = on_device(load_batch(data, config, phase, step, part), fabric.device)
    with seeded(config.seed, phase.number, step):
        terms = phase.objective(batch)
    shown = averaged(fabric, terms)
    if not torch.isfinite(shown["total"]):
        raise ModelError(_not_finite(shown, data, config, phase, step))
    optimizer.zero_grad()
    fabric.backward(terms["total"])
    share_gradients(fabric, model)
    share_statistics(fabric, model)
    optimizer.step()
    return shown


def on_device(batch: Batch, device: torch.device) -> Batch:
    """Move a batch; on the CPU it is left as it is."""
    if device.type == "cpu":
        return batch
    crops = batch.crops
    if crops is not None:
        masks = [None if m is None else m.to(device) for m in (crops.target, crops.evidence)]
        crops = Crops(crops.hu, crops.centers, masks[0], masks[1])
    moved = {
        name: None if tensor is None else tensor.to(device)
        for name in ("height_loss", "everyone", "shares", "everyone_shares", "inside")
        for tensor in (getattr(batch, name),)
    }
    return Batch(batch.x.to(device), batch.labels.to(device), crops, **moved, parts=batch.parts)


def _not_finite(
    terms: Terms, data: TrainingSet, config: TrainConfig, phase: Phase, step: int
) -> str:
    """Say which loss it was and whose crops made it."""
    rows = rows_of_step(data, config, phase, step).index
    names = [f"{data.subjects[i]} {data.series[i]} {data.levels[i]}" for i in rows]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    shown = ", ".join(f"{name} {float(value):.4g}" for name, value in terms.items())
    return (
        f"the loss is not finite in phase {phase.name} at step {step} ({shown}); its batch: "
        f"{', '.join(names[:NAMED])}{more}. Look at these vertebrae or lower the learning "
        "rates; the last checkpoint before it is kept."
    )
