"""Train the 3-D fracture detector: balanced epochs, until validation no longer improves."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from spinexplain.config.training import PhaseSettings, TrainConfig
from spinexplain.data.crops.dataset import class_labels
from spinexplain.errors import ConfigError
from spinexplain.io.files import atomic_file
from spinexplain.models.build import build_model
from spinexplain.models.heads.detector import DetectorNet, two_logits
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.train.engine.journal import Terms
from spinexplain.train.engine.loop import Phase
from spinexplain.train.engine.precision import network_precision
from spinexplain.train.engine.sampling import balanced_step, crops_per_class, steps_per_epoch
from spinexplain.train.grading.batches import Batch
from spinexplain.train.grading.run import Arguments, Run, Trained, seeded_build
from spinexplain.train.grading.validate import figures_of, predict

_PHASE = "detector"
_LEAST_CELLS_BF16 = 4
_BEST = "best.ckpt"


class DetectorRun(Run):
    """The training of a detector.

    Notes
    -----
    Interpretable Vertebral Fracture Diagnosis: Adam without weight decay, as many crops of
    each class in every epoch, ended when the F1 score on validation has not risen for some
    epochs. Reading: the F1 score is averaged over the classes; of epochs with the same
    score the one with the smaller cross-entropy is kept.
    """

    def detector(self) -> Trained:
        """Train, and return the best epoch's model."""
        config = self.config
        with seeded_build(config.seed):
            trunk = build_trunk(config.trunk, config.input)
            check_precision(config, trunk.field.stride)
            built = build_model(trunk, config.head, len(config.classes), config.input)
            assert isinstance(built, DetectorNet)
            model = WithHeight(built)
        per_class = crops_per_class(self.labels, config.detector.epoch)
        per_epoch = steps_per_epoch(self.labels, per_class, config.detector.batch)
        self._epochs(model, self._phase(model, per_epoch), per_class, per_epoch)
        figures = {k: v for k, v in self._best().items() if k not in ("after", "step")}
        self.fabric.barrier()  # the first process has saved the best epoch
        state = torch.load(self.journal.folder / _BEST, weights_only=True)
        model.load_state_dict(state)
        return Trained(model.detector.eval(), config, self.training, [], figures)

    def _phase(self, model: WithHeight, per_epoch: int) -> Phase[Batch]:
        chosen = self.config.detector
        settings = PhaseSettings(
            steps=chosen.epochs * per_epoch,
            batch=chosen.batch,
            head_lr=chosen.lr,
            trunk_lr=chosen.lr,
            weight_decay=0.0,
            decay=chosen.decay,
            precision=chosen.precision,
        )
        groups = [{"params": list(model.parameters()), "lr": chosen.lr, "weight_decay": 0.0}]
        return Phase(
            _PHASE,
            0,
            settings,
            groups,
            detection_objective(model, self.config.loss.lambda_height, chosen.precision),
        )

    def _epochs(
        self, model: WithHeight, phase: Phase[Batch], per_class: int, per_epoch: int
    ) -> None:
        """Descend epoch by epoch until the last, or until patience is over."""
        begun = False
        rows = partial(
            balanced_step, self.labels, per_class, phase.settings.batch, self.config.seed
        )
        for done in self._steps(phase, model, rows=rows):
            if not begun:
                self.history = self._known_until(done)
                begun = True
            if done % per_epoch == 0 and not self._knows(done):
                self._measure(model, done, done // per_epoch)
            if self._patience_is_over():
                break

    def _measure(self, model: WithHeight, step: int, epoch: int) -> None:
        logits = predict(model.detector, self.validation, self.config)
        labels = class_labels(self.validation, self.config.task)
        figures = figures_of(logits, labels, self.config.classes)
        entropy = F.cross_entropy(torch.from_numpy(logits).double(), torch.from_numpy(labels))
        figures["cross_entropy"] = float(entropy)
        entry = {"after": f"epoch-{epoch}", "step": step} | figures
        first = self.fabric.global_rank == 0
        if first and self._best([entry]) is entry:  # saved first: what is noted is there
            with atomic_file(self.journal.folder / _BEST) as temporary:
                torch.save(model.state_dict(), temporary)
        self._note(entry)

    def _known_until(self, step: int) -> list[dict[str, Any]]:
        """Return what an interrupted run had measured up to a step.

        Later epochs are trained and measured again, with the same result; so the best
        epoch's weights, which may be of one of them, are right again when they are needed.
        """
        path = self.journal.folder / "validation.json"
        if not self.journal.resume or not path.is_file():
            return []
        return [entry for entry in json.loads(path.read_text("utf-8")) if entry["step"] <= step]

    def _knows(self, step: int) -> bool:
        return any(entry["step"] == step for entry in self.history)

    def _best(self, further: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
        known = [*self.history, *further]
        return max(known, key=lambda entry: (entry["f1"], -entry["cross_entropy"]))

    def _patience_is_over(self) -> bool:
        if not self.history:
            return False
        scores = [entry["f1"] for entry in self.history]
        return len(scores) - 1 - int(np.argmax(scores)) >= self.config.detector.patience


class WithHeight(nn.Module):
    """The detector with a second output for the relative height loss.

    The second output exists in training only: a number per box teaches a network more per
    step than a class does.

    Parameters
    ----------
    detector : DetectorNet
    """

    def __init__(self, detector: DetectorNet) -> None:
        super().__init__()
        self.detector = detector
        last = detector.head.linear[-1]
        assert isinstance(last, nn.Linear)
        self.height = nn.Linear(last.in_features, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, 2) and height losses in tenths (N,)."""
        head = self.detector.head
        hidden = head.hidden(self.detector.trunk(x))
        return two_logits(head.log_odds(hidden)), self.height(hidden).squeeze(1)


def check_precision(config: TrainConfig, stride: int) -> None:
    """Refuse bfloat16 where torch's gradients of 3-D convolutions are undefined.

    Raises
    ------
    ConfigError
        If the trunk's grid has fewer than four cells along an axis: on 2 x 2 x 2 cells the
        bfloat16 backward pass reads memory that nobody wrote.

    Examples
    --------
    >>> from spinexplain.config.training import read_config
    >>> check_precision(read_config("detector"), stride=8)
    """
    cells = config.input.size // stride
    if config.detector.precision == "bf16" and cells < _LEAST_CELLS_BF16:
        raise ConfigError(
            f'[detector] precision is "bf16" and the trunk has {cells} cells along each axis '
            f"([input] size {config.input.size}); expected at least {_LEAST_CELLS_BF16}. "
            'Set precision = "fp32" or a larger size.'
        )


def detection_objective(
    model: nn.Module, lambda_height: float, precision: str
) -> Callable[[Batch], Terms]:
    """Return the cross-entropy, unweighted because the epochs are balanced, and the heights'.

    The regression of the height loss is the smooth L1 distance in tenths of the body's
    height, over the boxes whose loss is known. With ``precision = "bf16"`` the network
    runs in bfloat16, where the device has it, and the losses in float32. With several
    processes each one's means count by its share of the step's boxes.
    """

    def objective(batch: Batch) -> Terms:
        with network_precision(precision, batch.x.device.type):
            outputs = model(batch.x)
        logits, heights = (output.float() for output in outputs)
        entropy = F.cross_entropy(logits, batch.labels) * _share(batch)
        known = None if batch.height_loss is None else torch.isfinite(batch.height_loss)
        if lambda_height == 0 or known is None or not bool(known.any()):
            return {"cross_entropy": entropy, "total": entropy}
        assert batch.height_loss is not None
        regression = F.smooth_l1_loss(heights[known], 10 * batch.height_loss[known])
        regression = regression * _share(batch)
        total = entropy + lambda_height * regression
        return {"cross_entropy": entropy, "height": regression, "total": total}

    return objective


def _share(batch: Batch) -> float:
    """Return how much this process's means count in the mean over the processes; 1 for one."""
    if batch.everyone is None:
        return 1.0
    return batch.parts * len(batch.labels) / len(batch.everyone)


def train_detector(arguments: Arguments) -> Trained:
    """Train a detector."""
    return DetectorRun(*arguments).detector()
