"""The networks of the experiments: untrained twins, and small classifiers of sheets."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from spinexplain.config.tasks import derived_task
from spinexplain.config.training import InputSpec, PhaseSettings, TrunkSettings
from spinexplain.explainers.dissection.samples import Samples
from spinexplain.models.grader import Grader
from spinexplain.models.trunks.backbones import Trunk, build_trunk
from spinexplain.reproduce.unkept import Unkept
from spinexplain.train.engine.loop import Phase, run_phase
from spinexplain.train.engine.processes import start_fabric
from spinexplain.train.grading.run import seeded_build
from spinexplain.types import ModelInfo

SETTLING = 64  # vertebrae that set the normalization of an untrained network
STEPS, BATCH, RATE = 500, 24, 1e-3
CLASSES = ("G0", "G2", "G3")
SHEETS = InputSpec(size=112, channels=("ct",), windows_hu={"ct": (-500.0, 1300.0)})


def with_random_weights(grader: Grader, samples: Samples, seed: int) -> Grader:
    """Return the same architecture untrained, its normalization set by the same vertebrae."""
    model = copy.deepcopy(grader.model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in model.modules():
            reset = getattr(module, "reset_parameters", None)
            if reset is not None:
                reset()
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.reset_running_stats()
            module.momentum = None  # a plain average over the batches below
    model.train()
    with torch.no_grad():
        for number, inputs in enumerate(samples.batches(16)):
            if 16 * number >= SETTLING:
                break
            model(inputs)
    info = ModelInfo(f"random-{seed}", "0", "", grader.classes, "nothing")
    return dataclasses.replace(grader, model=model.eval(), info=info)


class PeakNet(nn.Module):
    """A trunk, the highest activation of each unit, and a linear layer.

    Averaging instead would reward units for answering all over their receptive field.
    """

    def __init__(self, trunk: Trunk, classes: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.linear = nn.Linear(trunk.channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, size, size) to logits (N, K)."""
        logits: Tensor = self.linear(self.trunk(x).amax(dim=(2, 3)))
        return logits


def scratch_classifier(samples: Samples, path: Path, inputs: Tensor | None = None) -> Grader:
    """Train a small classifier of G0, G2 and G3 on sheets, or take up what is there.

    On the crops as they are, or on ``inputs`` in their place.
    """
    settings = TrunkSettings(
        name="conv", weights="none", blocks=3, widths=(16, 32, 64), max_stride=8
    )
    with seeded_build(0):
        model = PeakNet(build_trunk(settings, SHEETS), len(CLASSES))
    if path.is_file():
        model.load_state_dict(load_file(path))
    else:
        labels = torch.tensor([CLASSES.index(grade) for grade in samples.grades])
        _train(model, torch.cat(list(samples.batches(64))) if inputs is None else inputs, labels)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({name: value.contiguous() for name, value in model.state_dict().items()}, path)
    info = ModelInfo(path.stem, "0", "", CLASSES, samples.cohort.path.name)
    return Grader(model.eval(), SHEETS, derived_task(CLASSES), info)


@dataclasses.dataclass(frozen=True, eq=False)
class DrawnRows:
    """Batches of inputs and labels, rows drawn with replacement.

    Parameters
    ----------
    inputs : Tensor, shape (N, C, size, size)
    labels : Tensor of int, shape (N,)
    rows : list of Tensor
        The rows of each step.
    """

    inputs: Tensor
    labels: Tensor
    rows: list[Tensor]

    def load(self, step: int, part: tuple[int, int], device: torch.device) -> tuple[Tensor, Tensor]:
        """Return inputs and labels of a step."""
        rows = self.rows[step]
        return self.inputs[rows].to(device), self.labels[rows].to(device)

    def names(self, step: int) -> list[str]:
        """Name the rows of a step."""
        return [str(row) for row in self.rows[step].tolist()]


def _train(model: nn.Module, inputs: Tensor, labels: Tensor) -> None:
    generator = torch.Generator().manual_seed(0)
    rows = [torch.randint(len(labels), (BATCH,), generator=generator) for _ in range(STEPS)]

    def objective(batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        return {"total": F.cross_entropy(model(batch[0]), batch[1])}

    settings = PhaseSettings(steps=STEPS, batch=BATCH, decay="none", optimizer="adam")
    groups = [{"params": list(model.parameters()), "lr": RATE, "weight_decay": 0.0}]
    phase = Phase("classifier", 0, settings, groups, objective)
    batches = DrawnRows(inputs, labels, rows)
    for _ in run_phase(start_fabric(), model, batches, phase, 0, Unkept()):
        pass
