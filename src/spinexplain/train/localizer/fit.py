"""The trainings of the localizer's two networks on the shared engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from spinexplain.config.training import PhaseSettings
from spinexplain.models.curve_network import CurveNetwork
from spinexplain.models.levels_network import LevelsNetwork
from spinexplain.progress import SILENT, Progress
from spinexplain.train.engine.journal import Journal, Terms
from spinexplain.train.engine.loop import Batches, Phase, run_phase
from spinexplain.train.engine.precision import network_precision
from spinexplain.train.engine.processes import start_fabric
from spinexplain.train.localizer.bodies import DrawnBody
from spinexplain.train.localizer.chain_loss import ChainLoss
from spinexplain.train.localizer.curve_batches import (
    USUAL_PIECES,
    CurveBatch,
    CurveBatches,
    SeenPieces,
    curve_loss,
)
from spinexplain.train.localizer.level_batches import (
    USUAL_SECTIONS,
    FoundCurve,
    LevelBatch,
    LevelBatches,
    SeenSections,
    level_loss,
)

WEIGHT_DECAY = 1e-3

N = TypeVar("N", bound=nn.Module)
B = TypeVar("B")


@dataclass(frozen=True)
class FitSettings:
    """How long a network is trained, and on how much at a time.

    Parameters
    ----------
    steps, batch, seed : int
    precision : str
        ``"bf16"`` where the processor has it, or ``"fp32"``.
    rate : float
        Largest learning rate; it falls along a cosine.
    average : float
        Share of a running average of the weights that stays each step; the training ends with
        that average. 0 ends with the last step.
    processes : int
        That share each batch; see :func:`~spinexplain.train.engine.processes.start_fabric`.
    """

    steps: int
    batch: int = 2
    seed: int = 0
    precision: str = "bf16"
    rate: float = 3e-3
    average: float = 0.0
    processes: int = 1


def fit_curve_network(
    bodies: Sequence[DrawnBody],
    folder: Path,
    settings: FitSettings,
    network: CurveNetwork | None = None,
    progress: Progress = SILENT,
    name: str = "curve",
    pieces: SeenPieces = USUAL_PIECES,
) -> CurveNetwork:
    """Train the network that says where the spine runs; goes on where it was interrupted.

    Parameters
    ----------
    bodies : sequence of DrawnBody
    folder : Path
        Holds the journal and the checkpoint.
    settings : FitSettings
    network : CurveNetwork, optional
        Other than an untrained one of the usual size; it is trained on.
    progress : Progress
    name : str
        Of the training, under which it is taken up.
    pieces : SeenPieces
    """
    network = _built(CurveNetwork, settings.seed) if network is None else network
    batches = CurveBatches(bodies, settings.batch, settings.seed, pieces)

    def objective(batch: CurveBatch) -> Terms:
        return curve_loss(_answer(network, batch.densities, settings), batch.regions)

    _descend(name, 0, network, batches, objective, folder, settings, progress)
    return network


def fit_levels_network(
    bodies: Sequence[DrawnBody],
    found: Mapping[str, Sequence[FoundCurve]],
    folder: Path,
    settings: FitSettings,
    network: LevelsNetwork | None = None,
    progress: Progress = SILENT,
    name: str = "levels",
    sections: SeenSections = USUAL_SECTIONS,
    naming: ChainLoss | None = None,
) -> LevelsNetwork:
    """Train the network that reads the straightened spine, with errors of the stage before.

    Parameters
    ----------
    bodies : sequence of DrawnBody
    found : mapping
        See :class:`~spinexplain.train.localizer.level_batches.LevelBatches`.
    folder, settings, network, progress
        As in :func:`fit_curve_network`; a network that is given is trained on.
    name : str
        Of the training, under which it is taken up.
    sections : SeenSections
    naming : ChainLoss, optional
        What the names of all centers together add to the loss.
    """
    network = _built(LevelsNetwork, settings.seed) if network is None else network
    batches = LevelBatches(bodies, found, settings.batch, settings.seed, sections)

    def objective(batch: LevelBatch) -> Terms:
        return level_loss(_answer(network, batch.densities, settings), batch, naming)

    _descend(name, 1, network, batches, objective, folder, settings, progress)
    return network


def _built(kind: type[N], seed: int) -> N:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return kind()


def _answer(network: nn.Module, densities: torch.Tensor, settings: FitSettings) -> torch.Tensor:
    device = densities.device.type
    with network_precision(settings.precision, device):
        answer: torch.Tensor = network(densities.to(memory_format=torch.channels_last_3d))
    return answer


def _descend(
    name: str,
    number: int,
    network: nn.Module,
    batches: Batches[B],
    objective: Callable[[B], Terms],
    folder: Path,
    settings: FitSettings,
    progress: Progress,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    phase = Phase(
        name,
        number,
        PhaseSettings(
            steps=settings.steps,
            batch=settings.batch,
            head_lr=settings.rate,
            weight_decay=WEIGHT_DECAY,
            average=settings.average,
        ),
        [_group(network.parameters(), settings.rate)],
        objective,
    )
    journal = Journal(folder, resume=True)
    fabric = start_fabric(processes=settings.processes)
    for done in run_phase(fabric, network, batches, phase, settings.seed, journal):
        progress.step(name, done, settings.steps)
    network.eval()


def _group(parameters: Iterable[nn.Parameter], rate: float) -> dict[str, Any]:
    return {"params": list(parameters), "lr": rate, "weight_decay": WEIGHT_DECAY}
