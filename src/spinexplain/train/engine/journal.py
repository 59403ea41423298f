"""What a run writes while it goes on: losses as CSV and for TensorBoard, and checkpoints."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from spinexplain.io.files import atomic_file

Terms = dict[str, Tensor]
HEAD = ["phase", "step", "term", "value"]


class Journal:
    """The run's memory on disk: ``log.csv``, TensorBoard's curves, a checkpoint per phase.

    Parameters
    ----------
    folder : Path
        The run's folder.
    resume : bool
        Whether phases continue from their checkpoints.
    """

    def __init__(self, folder: Path, resume: bool = False) -> None:
        self.folder = folder
        self.resume = resume

    def write(self, phase: str, step: int, terms: Terms) -> None:
        """Append a row per term to ``log.csv``, and a point to TensorBoard's curves."""
        path = self.folder / "log.csv"
        fresh = not path.exists()
        values = {name: float(value.detach()) for name, value in terms.items()}
        with path.open("a", newline="") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(HEAD)
            for name, value in values.items():
                writer.writerow([phase, step, name, f"{value:.6g}"])
        self._board.log_metrics({f"{phase}/{name}": v for name, v in values.items()}, step)

    @cached_property
    def _board(self) -> Any:
        """TensorBoard's writer; its files are read with ``tensorboard --logdir RUN``."""
        from lightning.fabric.loggers import TensorBoardLogger

        return TensorBoardLogger(self.folder, name="tensorboard", version="")

    def save(
        self,
        phase: str,
        step: int,
        model: nn.Module,
        optimizer: Any,
        average: Mapping[str, Tensor] | None = None,
    ) -> None:
        """Replace the phase's checkpoint, at once or not at all."""
        state = {
            "step": step,
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "torch": str(torch.__version__),
            "threads": torch.get_num_threads(),
        }
        if average:
            state["average"] = dict(average)
        with atomic_file(self.folder / f"{phase}.ckpt") as temporary:
            torch.save(state, temporary)

    def restore(
        self,
        phase: str,
        model: nn.Module,
        optimizer: Any,
        average: dict[str, Tensor] | None = None,
    ) -> int:
        """Load the phase's checkpoint, if the run resumes; return the steps already done.

        An ``average`` of weights is filled in place.
        """
        path = self.folder / f"{phase}.ckpt"
        if not self.resume or not path.is_file():
            return 0
        state = torch.load(path, map_location="cpu", weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        for name, value in (average or {}).items():
            value.copy_(state["average"][name])
        return int(state["step"])

    def forget(self, phase: str, step: int) -> None:
        """Drop a phase's rows of ``log.csv`` from ``step`` on: they will be written again."""
        path = self.folder / "log.csv"
        if not path.is_file():
            return
        with path.open(newline="") as file:
            rows = list(csv.reader(file))
        kept = [row for row in rows if not _is_after(row, phase, step)]
        if len(kept) < len(rows):
            with atomic_file(path) as temporary, temporary.open("w", newline="") as file:
                csv.writer(file).writerows(kept)


def _is_after(row: list[str], phase: str, step: int) -> bool:
    """Whether a row is of the phase and not before the step, or was cut off by a kill."""
    if len(row) != len(HEAD):
        return True
    return row[0] == phase and row[1].isdigit() and int(row[1]) >= step
