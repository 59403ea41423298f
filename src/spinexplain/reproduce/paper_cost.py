"""What the trainings of a paper's experiments cost, computed before any is run.

Operations are counted on the networks themselves; rates are stated, not measured: the hours are
an order of magnitude. What a step really took stands in ``hours.json`` afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spinexplain.config.entries import parse_entry
from spinexplain.config.heads import head_of
from spinexplain.config.training import PhaseSettings, TrainConfig

if TYPE_CHECKING:
    from spinexplain.reproduce.papers import Step

GPU_TFLOPS, CPU_GFLOPS = 10.0, 100.0
"""What a card of 24 GB does in float32 with some loss, and 8 cores of a processor."""
CROP_MS = {2: 3.0, 3: 60.0}
"""CPU time to load and change one crop, by its axes, on one core."""
VERTEBRAE = {2: 1080, 3: 2700}
"""Training vertebrae: VerSe'19 without G1, VerSe'19 and '20 thoracic and lumbar."""
DETECTOR_EPOCHS = 100
"""Early stopping decides; a training is counted as so many epochs."""
_BACKWARD = 3  # a backward pass costs two forward ones


@dataclass(frozen=True)
class Cost:
    """Of one training: operations on the GPU and on the CPU, and crops that are changed."""

    gpu_gflop: float
    cpu_gflop: float
    crops: int
    axes: int

    @property
    def hours(self) -> float:
        """At the stated rates; loading and computing on the GPU overlap nowhere."""
        seconds = self.gpu_gflop / (1000 * GPU_TFLOPS) + self.cpu_gflop / CPU_GFLOPS
        return (seconds + self.crops * CROP_MS[self.axes] / 1000) / 3600


def crop_gflop(config: TrainConfig) -> float:
    """Count the operations of one forward pass of one crop, in 10^9.

    Examples
    --------
    >>> from spinexplain.config.training import read_config
    >>> 10 < crop_gflop(read_config("protoverse-as-published")) < 20
    True
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from spinexplain.models.build import build_model
    from spinexplain.models.trunks.backbones import build_trunk

    bare = config.trunk.model_copy(update={"weights": "none"})
    shape = (1, len(config.input.channels), *(config.input.size,) * config.input.axes)
    with torch.device("meta"):
        model = build_model(
            build_trunk(bare, config.input), config.head, len(config.classes), config.input
        ).eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model(torch.zeros(shape))
    return float(counter.get_total_flops()) / 1e9


def training_cost(config: TrainConfig, gflop: float) -> Cost:
    """Add up the crops that one training passes through its network.

    Parameters
    ----------
    config : TrainConfig
    gflop : float
        Of one forward pass, see :func:`crop_gflop`.
    """
    axes = config.input.axes
    known = VERTEBRAE[axes]
    if not head_of(config.head.kind).has_prototypes and axes == 3:
        crops = min(config.detector.epochs, DETECTOR_EPOCHS) * known
        passes = _BACKWARD + config.validation_share
        return Cost(passes * crops * gflop, known / 3 * gflop, crops, axes)
    rounds = {"joint": config.rounds}
    forward = crops = 0
    for name in head_of(config.head.kind).phases:
        settings = getattr(config, name)
        if not isinstance(settings, PhaseSettings):
            continue
        passed = rounds.get(name, 1) * settings.steps * settings.batch
        crops += passed
        forward += passed * (1 if name == "warm" else _BACKWARD)
    looked_at = config.rounds * known * (3 + config.last_layer.augmented_views)
    return Cost(forward * gflop, looked_at * gflop, crops, axes)


def step_hours(step: Step, folder: Path) -> float:
    """Return the hours of a step's trainings; 0 for a step that trains nothing.

    Parameters
    ----------
    step : Step
    folder : Path
        Where its presets lie.
    """
    words = list(step.command)
    if words[0] not in _TRAININGS:
        return 0.0
    presets, folds, repeats = _TRAININGS[words[0]](words)
    hours = 0.0
    for text in presets:
        is_file = text.partition(":")[0].endswith(".toml")
        entry = parse_entry(str(folder / text) if is_file else text)
        one = training_cost(entry.config, crop_gflop(entry.config)).hours
        hours += one * len(entry.candidates) * folds
    return hours * repeats


def _after(words: Sequence[str], option: str) -> str:
    return words[words.index(option) + 1]


def _of_crossval(words: list[str]) -> tuple[list[str], int, int]:
    return words[1 : words.index("cohort")], int(_after(words, "--folds")), 1


def _of_ablation(words: list[str]) -> tuple[list[str], int, int]:
    values = sum(
        len(_after(words[k:], "--over").split("=")[1].split(","))
        for k, word in enumerate(words)
        if word == "--over"
    )
    factors = words.count("--over")
    trained = values - factors + int(_after(words, "--seeds"))
    return [_after(words, "--preset")], int(_after(words, "--folds")), trained


def _of_trials(words: list[str]) -> tuple[list[str], int, int]:
    return [words[1]], max(words.count("--train"), 1), int(_after(words, "--seeds"))


_TRAININGS = {
    "crossval": _of_crossval,
    "ablate": _of_ablation,
    "trials": _of_trials,
    "train": lambda words: ([words[1]], 1, 1),
}


def cost_words(steps: Sequence[Step], folder: Path, hours: Mapping[str, float]) -> list[str]:
    """Write computed and measured hours of every step as a Markdown table.

    Parameters
    ----------
    steps : sequence of Step
    folder : Path
        Where the presets lie.
    hours : mapping of str to float
        What steps took so far.
    """
    lines = ["| step | for | computed, hours | took, hours |", "|---|---|---|---|"]
    total = 0.0
    for step in steps:
        computed = step_hours(step, folder)
        total += computed
        took = f"{hours[step.name]:.2f}" if step.name in hours else ""
        shown = f"{computed:.1f}" if computed else ""
        lines.append(f"| {step.name} | {step.answers} | {shown} | {took} |")
    lines.append(f"| all | | {total:.1f} | {sum(hours.values()):.2f} |")
    return [
        *lines,
        "",
        f"Computed for one GPU at {GPU_TFLOPS:g} TFLOP/s, a processor at {CPU_GFLOPS:g} GFLOP/s "
        f"and {CROP_MS[2]:g} ms (boxes {CROP_MS[3]:g} ms) a crop; {VERTEBRAE[2]} sheets or "
        f"{VERTEBRAE[3]} boxes; detectors counted to {DETECTOR_EPOCHS} epochs, phases that "
        "trainings share in each. An order of magnitude.",
    ]
