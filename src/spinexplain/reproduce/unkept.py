"""A training that leaves nothing behind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from spinexplain.train.engine.journal import Journal, Terms


class Unkept(Journal):
    """Writes nothing: what takes a few seconds is trained again instead of taken up."""

    def __init__(self) -> None:
        super().__init__(Path())

    def write(self, phase: str, step: int, terms: Terms) -> None:
        """Drop the losses of a step."""

    def save(
        self,
        phase: str,
        step: int,
        model: nn.Module,
        optimizer: Any,
        average: Mapping[str, Tensor] | None = None,
    ) -> None:
        """Drop the state."""
