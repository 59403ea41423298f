"""Training of the network that paints vertebral bodies, on crops of phantoms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from spinexplain.config.training import PhaseSettings
from spinexplain.io.files import atomic_file
from spinexplain.models.body_network import OWN, WIDTHS, BodyNetwork
from spinexplain.models.localizing import as_densities
from spinexplain.progress import SILENT, Progress
from spinexplain.train.engine.journal import Journal, Terms
from spinexplain.train.engine.loop import Phase, run_phase
from spinexplain.train.engine.precision import network_precision
from spinexplain.train.engine.processes import start_fabric
from spinexplain.train.localizer.body_crops import BodyCrop
from spinexplain.train.localizer.contrast import changed_contrast

SETTINGS = PhaseSettings(
    steps=1500, batch=4, trunk_lr=3e-3, head_lr=3e-3, weight_decay=1e-3, precision="bf16"
)
FURTHER = PhaseSettings(
    steps=2600,
    batch=6,
    trunk_lr=2e-3,
    head_lr=2e-3,
    weight_decay=1e-3,
    precision="bf16",
    average=0.998,
)
"""On more persons: after the first rounds the network had not seen enough."""

ROUNDS = (1.0, 0.5)
"""Steps and learning rate of each round, as shares of the first; in each the rate falls to 0."""

_ALL = 255.0
_LEFT = 2
_OTHERS_WEIGHT = 0.3
_RODS = 0.35
_CUT = 0.12


@dataclass(frozen=True, eq=False)
class BodyExamples:
    """Crops of many persons; see :class:`~spinexplain.train.localizer.body_crops.BodyCrop`.

    Parameters
    ----------
    hu : ndarray of int16, shape (N, 40, 48, 48)
    own, others : ndarray of uint8, same shape
    """

    hu: np.ndarray
    own: np.ndarray
    others: np.ndarray

    def __len__(self) -> int:
        return len(self.hu)


def write_crops(path: Path, crops: Sequence[BodyCrop]) -> None:
    """Write the crops of one person."""
    with atomic_file(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(
            stream,
            hu=np.stack([crop.hu for crop in crops]),
            own=np.stack([crop.own for crop in crops]),
            others=np.stack([crop.others for crop in crops]),
        )


def read_crops(paths: Sequence[Path]) -> BodyExamples:
    """Read the crops of persons into one block of memory."""
    parts: dict[str, list[np.ndarray]] = {"hu": [], "own": [], "others": []}
    for path in paths:
        with np.load(path, allow_pickle=False) as stored:
            for name, rows in parts.items():
                rows.append(stored[name])
    return BodyExamples(**{name: np.concatenate(rows) for name, rows in parts.items()})


@dataclass(frozen=True, eq=False)
class BodyBatch:
    """Densities (B, 1, 40, 48, 48), and the share inside own and other bodies (B, 2, ..)."""

    x: Tensor
    y: Tensor


@dataclass(frozen=True, eq=False)
class BodyBatches:
    """Random crops, changed at random; a function of seed and step."""

    examples: BodyExamples
    batch: int
    seed: int

    def load(self, step: int, part: tuple[int, int], device: torch.device) -> BodyBatch:
        """Return this process's part of a step's batch."""
        rng = np.random.default_rng((self.seed, step, *part))
        rows = rng.integers(len(self.examples), size=max(self.batch // part[1], 1))
        drawn = [self._one(int(row), rng) for row in rows]
        x, y = (torch.stack(parts) for parts in zip(*drawn, strict=True))
        return BodyBatch(x[:, None].to(device), y.to(device))

    def names(self, step: int) -> Sequence[str]:
        """Name a step's batch, for an error."""
        return [f"crops of step {step}"]

    def _one(self, row: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        stored = self.examples
        hu = stored.hu[row].astype(np.float32)
        masks = np.stack([stored.own[row], stored.others[row]]).astype(np.float32) / _ALL
        if rng.random() < 0.5:
            hu, masks = np.flip(hu, _LEFT), np.flip(masks, _LEFT + 1)
        if rng.random() < _RODS:
            hu = with_rods(hu, masks[OWN], rng)
        changed = changed_contrast(torch.from_numpy(np.ascontiguousarray(hu)), rng)
        held = changed.numpy()
        if rng.random() < _CUT:
            held = _cut_off(held, rng)
        return torch.from_numpy(as_densities(held)), torch.from_numpy(np.ascontiguousarray(masks))


def with_rods(hu: np.ndarray, own: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lay one to three bright rods beside a body: vessels, rods, screws, contrast.

    Parameters
    ----------
    hu : ndarray, shape (A, B, C)
    own : ndarray, same shape
        Share inside the body, which is spared.
    rng : numpy.random.Generator
    """
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in hu.shape], indexing="ij"), axis=-1)
    changed = np.array(hu)
    for _ in range(int(rng.integers(1, 4))):
        start = rng.uniform(0, 1, 3) * hu.shape
        along = rng.normal(size=3) * (2.0, 1.0, 1.0)
        along /= np.linalg.norm(along)
        away = grid - start
        across = np.linalg.norm(away - (away @ along)[..., None] * along, axis=-1)
        inside = np.clip(rng.uniform(1.5, 9.0) - across, 0, 1) * (1 - own)
        dense = float(np.exp(rng.uniform(np.log(180), np.log(3000))))
        changed += (inside * (dense - changed)).astype(np.float32)
    return changed


def _cut_off(hu: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Leave a side out of the scan, as near the border of a field of view."""
    axis = int(rng.integers(3))
    depth = int(rng.uniform(0.05, 0.3) * hu.shape[axis])
    side = slice(0, depth) if rng.random() < 0.5 else slice(hu.shape[axis] - depth, None)
    cut = np.array(hu)
    cut[tuple(side if k == axis else slice(None) for k in range(3))] = -1000.0
    return cut


def body_loss(logits: Tensor, y: Tensor) -> Terms:
    """Compare logits (B, 2, *S) with shares (B, 2, *S): cross-entropy and Dice."""
    cross = F.binary_cross_entropy_with_logits(logits, y)
    found = torch.sigmoid(logits)
    both = (found * y).sum((0, 2, 3, 4))
    dice = (2 * both + 1) / (found.sum((0, 2, 3, 4)) + y.sum((0, 2, 3, 4)) + 1)
    missed = 1 - dice
    total = 2 * cross + missed[OWN] + _OTHERS_WEIGHT * missed[1 - OWN]
    return {"total": total, "cross entropy": cross, "dice": dice[OWN]}


def train_bodies(
    examples: BodyExamples,
    folder: Path,
    settings: PhaseSettings = SETTINGS,
    seed: int = 0,
    progress: Progress = SILENT,
    widths: Sequence[int] = WIDTHS,
) -> BodyNetwork:
    """Train the body network; a run that was broken off goes on.

    Parameters
    ----------
    examples : BodyExamples
    folder : Path
        For checkpoint and losses.
    settings : PhaseSettings
    seed : int
    progress : Progress
    widths : sequence of int

    Returns
    -------
    BodyNetwork
        In evaluation mode.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = BodyNetwork(widths)
    for number, share in enumerate(ROUNDS):
        own = settings.model_copy(
            update={
                "steps": max(round(settings.steps * share), 1),
                "trunk_lr": settings.trunk_lr * share,
            }
        )
        _round(number, network, examples, folder, own, seed, progress)
    return network.eval()


def train_bodies_on(
    network: BodyNetwork,
    examples: BodyExamples,
    folder: Path,
    settings: PhaseSettings = FURTHER,
    seed: int = 0,
    progress: Progress = SILENT,
) -> BodyNetwork:
    """Train a body network on, the same one, and return it in evaluation mode.

    Parameters
    ----------
    network : BodyNetwork
    examples, folder, settings, seed, progress
        As in :func:`train_bodies`; a run that was broken off goes on.
    """
    _round(len(ROUNDS), network, examples, folder, settings, seed, progress)
    return network.eval()


def _round(
    number: int,
    network: BodyNetwork,
    examples: BodyExamples,
    folder: Path,
    settings: PhaseSettings,
    seed: int,
    progress: Progress,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]

    def objective(batch: BodyBatch) -> Terms:
        with network_precision(settings.precision, batch.x.device.type):
            logits = network(batch.x.to(memory_format=torch.channels_last_3d))
        return body_loss(logits.float(), batch.y)

    group: dict[str, Any] = {
        "params": list(network.parameters()),
        "lr": settings.trunk_lr,
        "weight_decay": settings.weight_decay,
    }
    name = f"bodies-{number + 1}"
    phase = Phase(name, number, settings, [group], objective)
    batches = BodyBatches(examples, settings.batch, seed + number)
    journal = Journal(folder, resume=True)
    for step in run_phase(start_fabric(), network, batches, phase, seed, journal):
        progress.step(name, step, settings.steps)
