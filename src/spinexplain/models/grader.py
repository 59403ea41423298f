"""A model with everything needed to grade patches with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from spinexplain.config import InputSpec
from spinexplain.models.inputs import to_tensor
from spinexplain.types import Exemplar, Grading, ModelInfo, Patch

_BATCH = 32


@dataclass(frozen=True)
class Scope:
    """What a model may be asked about; everything else is not assessable.

    Parameters
    ----------
    levels : tuple of str
        Levels seen in training; empty means all.
    max_outside : float
        Largest share of the patch that may lie outside the scan.
    refused_flags : tuple of str
        Quality flags (or their beginnings) under which no grade is given.
    """

    levels: tuple[str, ...] = ()
    max_outside: float = 0.15
    refused_flags: tuple[str, ...] = ("metal",)


@dataclass(frozen=True, eq=False)
class Grader:
    """Model, input, class names and scope: grades patches.

    Parameters
    ----------
    model : nn.Module
        ``forward`` returns logits (N, K) only; in evaluation mode.
    spec : InputSpec
    classes : tuple of str
        Names of the K logits.
    info : ModelInfo
        What a report says about the model.
    scope : Scope
    exemplars : tuple of Exemplar
        One training patch per prototype, in their order; empty for other models.
    explainer : str
        The method of ``EXPLAINERS`` that explains it by default.
    device : str
    """

    model: nn.Module
    spec: InputSpec
    classes: tuple[str, ...]
    info: ModelInfo
    scope: Scope = field(default_factory=Scope)
    exemplars: tuple[Exemplar, ...] = ()
    explainer: str = "gradcam"
    device: str = "cpu"

    @classmethod
    def from_module(
        cls, module: nn.Module, spec: InputSpec, classes: tuple[str, ...], name: str = "module"
    ) -> Grader:
        """Wrap any torch module whose forward maps (N, C, *size) to logits (N, K)."""
        info = ModelInfo(name, "0", "", classes, "not stated")
        return cls(module.eval(), spec, classes, info)

    def inputs(self, patches: Sequence[Patch]) -> Tensor:
        """Turn patches into the model's input on its device."""
        return to_tensor(patches, self.spec, self.device)

    def logits(self, patches: Sequence[Patch]) -> np.ndarray:
        """Return logits of float32, shape (N, K)."""
        out = []
        with torch.inference_mode():
            for start in range(0, len(patches), _BATCH):
                out.append(self.model(self.inputs(patches[start : start + _BATCH])).cpu())
        return torch.cat(out).numpy() if out else np.zeros((0, len(self.classes)), np.float32)

    def grade(self, patches: Sequence[Patch]) -> list[Grading]:
        """Grade every patch; the order is kept.

        Returns
        -------
        list of Grading
            Softmax of the logits: a model score, not calibrated on patients.
        """
        logits = torch.from_numpy(self.logits(patches)).double()
        scores = torch.softmax(logits, dim=1).tolist()
        return [
            Grading(patch.vertebra, self.classes, tuple(row))
            for patch, row in zip(patches, scores, strict=True)
        ]

    def not_assessable(self, patch: Patch, flags: Sequence[str] = ()) -> str | None:
        """Say why the model must not grade this patch, or return None.

        Parameters
        ----------
        patch : Patch
        flags : sequence of str
            Quality flags of the vertebra.
        """
        return self.refusal(patch.vertebra.level.value, patch.outside, flags)

    def refusal(self, level: str, outside: float, flags: Sequence[str] = ()) -> str | None:
        """Say why the model must not grade a vertebra, or return None.

        Parameters
        ----------
        level : str
            Name of the level, e.g. ``"L1"``.
        outside : float
            Share of the patch outside the scan.
        flags : sequence of str
        """
        if self.scope.levels and level not in self.scope.levels:
            return f"{level} is outside the levels the model was trained on"
        if outside > self.scope.max_outside:
            return (
                f"{outside:.0%} of the crop lies outside the scan "
                f"(at most {self.scope.max_outside:.0%})"
            )
        for flag in flags:
            if flag.startswith(self.scope.refused_flags):
                return f"quality flag {flag}"
        return None
