"""A model with everything needed to grade patches with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import softmax

from spinexplain.config.tasks import Task, derived_task
from spinexplain.config.training import MAX_OUTSIDE, InputSpec
from spinexplain.models.heads.prototype_head import PrototypeHead
from spinexplain.models.runtime.exported import LOGITS, MAPS, AnsweredPatches, Runtime
from spinexplain.types import Exemplar, Grading, ModelInfo, Patch

if TYPE_CHECKING:  # torch takes longer to import than an exported model to grade a scan
    from torch import Tensor, nn


@dataclass(frozen=True)
class Scope:
    """What a model may be asked about; everything else is not assessable.

    Parameters
    ----------
    levels : tuple of str
        Levels seen in training; empty means all.
    max_outside : float
        Largest share of the patch that may lie outside the scan; of the training's settings.
    refused_flags : tuple of str
        Quality flags (or their beginnings) under which no grade is given.
    """

    levels: tuple[str, ...] = ()
    max_outside: float = MAX_OUTSIDE
    refused_flags: tuple[str, ...] = ("metal",)


@dataclass(frozen=True, eq=False)
class Grader:
    """Model, input, class names and scope: grades patches.

    Parameters
    ----------
    model : nn.Module
        ``forward`` returns logits (N, K) only; in evaluation mode.
    spec : InputSpec
    task : Task
        Names the K logits and says what they stand for.
    info : ModelInfo
        What a report says about the model.
    scope : Scope
    exemplars : tuple of Exemplar
        One training patch per prototype, in their order; empty for other models.
    explainer : str
        The method of ``EXPLAINERS`` that explains it by default.
    device : str
    runtime : Runtime, optional
        An exported network that answers in place of ``model``.
    """

    model: nn.Module
    spec: InputSpec
    task: Task
    info: ModelInfo
    scope: Scope = field(default_factory=Scope)
    exemplars: tuple[Exemplar, ...] = ()
    explainer: str = "gradcam"
    device: str = "cpu"
    runtime: Runtime | None = None

    @classmethod
    def from_module(
        cls,
        module: nn.Module,
        spec: InputSpec,
        task: Task | Sequence[str],
        name: str = "module",
    ) -> Grader:
        """Wrap any torch module whose forward maps (N, C, *size) to logits (N, K).

        ``task`` may be the names of the classes; see
        :func:`spinexplain.config.tasks.derived_task`.
        """
        known = task if isinstance(task, Task) else derived_task(task)
        return cls(
            module.eval(), spec, known, ModelInfo(name, "0", "", known.classes, "not stated")
        )

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the K logits."""
        return self.task.classes

    def inputs(self, patches: Sequence[Patch]) -> Tensor:
        """Turn patches into the model's input on its device."""
        from spinexplain.models.inputs import to_tensor

        return to_tensor(patches, self.spec, self.device)

    def logits(self, patches: Sequence[Patch]) -> np.ndarray:
        """Return logits of float32, shape (N, K)."""
        if self.runtime is not None:
            return self.runtime(patches, (LOGITS,))[LOGITS]
        found = self._in_batches(self.model, patches)
        return found if found is not None else np.zeros((0, len(self.classes)), np.float32)

    def grade(self, patches: Sequence[Patch]) -> list[Grading]:
        """Grade every patch; the order is kept.

        Returns
        -------
        list of Grading
            Softmax of the logits: a model score, not calibrated on patients.
        """
        scores = softmax(self.logits(patches).astype(np.float64), axis=1).tolist()
        return [
            Grading(patch.vertebra, self.task, tuple(row))
            for patch, row in zip(patches, scores, strict=True)
        ]

    @property
    def prototype_head(self) -> PrototypeHead | None:
        """What the logits of a prototype network are a sum of; None for other networks."""
        from spinexplain.models.heads.prototype import PrototypeNet

        return self.model.described_head() if isinstance(self.model, PrototypeNet) else None

    def similarity_maps(self, patches: Sequence[Patch]) -> np.ndarray:
        """Return how similar every cell is to every prototype, float32, shape (N, P, *G).

        Only for a network with a :attr:`prototype_head`, and at least one patch.
        """
        if self.runtime is not None:
            return self.runtime(patches, (MAPS,))[MAPS]
        found = self._in_batches(self.model.similarity_maps, patches)  # type: ignore[arg-type]
        assert found is not None
        return found

    def _in_batches(
        self, run: Callable[[Tensor], Tensor], patches: Sequence[Patch]
    ) -> np.ndarray | None:
        import torch

        from spinexplain.models.inputs import batch_size

        batch = batch_size(self.spec)
        with torch.inference_mode():
            found = [
                run(self.inputs(patches[start : start + batch])).cpu()
                for start in range(0, len(patches), batch)
            ]
        return torch.cat(found).numpy() if found else None

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


@dataclass(frozen=True, eq=False)
class ExportedGrader(Grader):
    """A grader whose torch network is loaded when somebody asks for it, as a CAM does.

    Parameters
    ----------
    load_model : callable
        Gives the network in evaluation mode, on ``device``; called once.
    head : PrototypeHead, optional
        Of a prototype network, from the bundle's arrays.
    """

    model: nn.Module = field(init=False, repr=False)
    load_model: Callable[[], nn.Module] = field(kw_only=True)
    head: PrototypeHead | None = None

    def __getattr__(self, name: str) -> nn.Module:
        # Reached for attributes that are not there, and the network is not until now.
        if name != "model":
            raise AttributeError(name)
        object.__setattr__(self, "model", self.load_model())
        return self.model

    @property
    def prototype_head(self) -> PrototypeHead | None:
        """What the logits of a prototype network are a sum of; None for other networks."""
        return self.head


def answered(grader: Grader, patches: Sequence[Patch]) -> Grader:
    """Run an exported network once for grades and explanations of the same patches.

    Parameters
    ----------
    grader : Grader
    patches : sequence of Patch
        Kept, with all outputs of the network, as long as the grader returned is.

    Returns
    -------
    Grader
        One that answers for these patches without running; the same one where it has no
        exported network.
    """
    if grader.runtime is None:
        return grader
    rows = {patch: row for row, patch in enumerate(patches)}
    answers = grader.runtime(patches, grader.runtime.outputs)
    return replace(grader, runtime=AnsweredPatches(grader.runtime, rows, answers))
