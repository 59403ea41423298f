"""Training that goes on under a clinician's decisions: forget some patches, remember others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spinexplain.config.training import PhaseSettings
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.train.curation.forbidden import Places
from spinexplain.train.engine.journal import Terms
from spinexplain.train.engine.loop import Phase
from spinexplain.train.grading.batches import Batch
from spinexplain.train.grading.latent_pool import Bans
from spinexplain.train.grading.objectives import prototype_objective
from spinexplain.train.grading.phases import prototype_groups, tune_last_layer
from spinexplain.train.grading.projection import PrototypeSource, project
from spinexplain.train.grading.protoverse import GraderRun, without_twins

_PHASE = 40


@dataclass(frozen=True)
class FineTuning:
    """How a model is trained on.

    Parameters
    ----------
    steps : int
        Of joint training, with the rates and batches of the model's own settings.
    lambda_forbid, lambda_remember : float
        Weights of :func:`forbid_loss` and :func:`remember_loss`; 0 for both is training that
        knows of no decision.
    """

    steps: int = 300
    lambda_forbid: float = 1.0
    lambda_remember: float = 1.0


def forbid_loss(model: PrototypeNet, latent: Tensor, cells: Tensor) -> Tensor:
    """Measure how much the likest prototype resembles forbidden patches.

    Parameters
    ----------
    model : PrototypeNet
    latent : Tensor, shape (F, D, *G)
        Of the crops that a clinician marked.
    cells : Tensor of bool, shape (F, *G)
        The forbidden cells.

    Returns
    -------
    Tensor, shape ()
        Mean over crops of the highest similarity of a forbidden cell to any prototype, as a
        share of the highest there is; 0 without a crop.

    Notes
    -----
    The forgetting loss of ProtoPDebug (Bontempelli et al., ICLR 2023). Reading: similarities
    are those of the network, divided by their largest value, and every prototype counts, not
    those of one class: what is no sign of a fracture is none of health either.
    """
    if not len(latent):
        return model.prototypes.sum() * 0.0
    likeness = model.similarity_of(model.latent_distances(latent)).amax(dim=1)
    return (likeness.masked_fill(~cells, -torch.inf).flatten(1).amax(dim=1)).mean() / (
        model.max_similarity
    )


def remember_loss(
    model: PrototypeNet, latent: Tensor, cells: Tensor, prototypes: tuple[int, ...]
) -> Tensor:
    """Measure how far prototypes that shall stay have moved from the patches they were.

    Parameters
    ----------
    model : PrototypeNet
    latent : Tensor, shape (F, D, *G)
    cells : Tensor of bool, shape (F, *G)
        The cell that each prototype was.
    prototypes : tuple of int, length F

    Returns
    -------
    Tensor, shape ()
        1 minus the mean similarity of each to its patch, as a share of the highest there is;
        0 where nothing is remembered.

    Notes
    -----
    The remembering loss of ProtoPDebug, of each prototype to its own patch.
    """
    if not len(latent):
        return model.prototypes.sum() * 0.0
    maps = model.similarity_of(model.latent_distances(latent))
    own = torch.stack([maps[row, index] for row, index in enumerate(prototypes)])
    likeness = own.masked_fill(~cells, -torch.inf).flatten(1).amax(dim=1)
    return 1 - likeness.mean() / model.max_similarity


def curated_objective(
    objective: Callable[[Batch], Terms],
    model: PrototypeNet,
    settings: FineTuning,
    forbidden: Places,
    remembered: Places,
) -> Callable[[Batch], Terms]:
    """Add the losses of decisions to a phase's objective."""

    def with_decisions(batch: Batch) -> Terms:
        terms, device = objective(batch), batch.x.device
        latents = [
            model.latent(one.x.to(device)).float() if len(one) else one.x
            for one in (forbidden, remembered)
        ]
        forbid = forbid_loss(model, latents[0], forbidden.cells.to(device))
        remember = remember_loss(
            model, latents[1], remembered.cells.to(device), remembered.prototypes
        )
        total = terms["total"] + settings.lambda_forbid * forbid
        return terms | {
            "forbid": forbid,
            "remember": remember,
            "total": total + settings.lambda_remember * remember,
        }

    return with_decisions


class CurationRun(GraderRun):
    """A finished prototype network trained on."""

    def fine_tuned(
        self,
        model: PrototypeNet,
        settings: FineTuning,
        forbidden: Places,
        remembered: Places,
        confined: tuple[int, ...] = (),
        alike: float = 1.0,
    ) -> list[PrototypeSource]:
        """Descend, project anew and fit the last layer, in place.

        Parameters
        ----------
        model : PrototypeNet
            Trunk, prototypes and connections change.
        settings : FineTuning
        forbidden, remembered : Places
        confined : tuple of int
            Prototypes that are projected into the target only.
        alike : float
            Centered cosine from which a patch resembles a forbidden one.

        Returns
        -------
        list of PrototypeSource
            Where every prototype comes from now.
        """
        if settings.steps:
            phase = self._phase(model, settings, forbidden, remembered)
            self._descend(phase, model, masks=self._needs_masks)
        model.eval()
        labels = self.labels.copy()
        for kept_out in (self.training.simulated, self.training.twins, self.training.added):
            if kept_out is not None:
                labels = np.where(kept_out, -1, labels)
        config = self.config
        with torch.no_grad():
            vectors = forbidden.vectors(model)
        bans = Bans(vectors.cpu(), alike, confined)
        sources = project(
            model, self.training, labels, config.input, config.projection, config.loss.inside, bans
        )
        tune_last_layer(model, without_twins(self.training), config)
        return sources

    def _phase(
        self, model: PrototypeNet, settings: FineTuning, forbidden: Places, remembered: Places
    ) -> Phase[Batch]:
        joint: PhaseSettings = self.config.joint.model_copy(update={"steps": settings.steps})
        plain = prototype_objective(model, self.weights, self.config, joint.precision)
        objective = curated_objective(plain, model, settings, forbidden, remembered)
        groups = prototype_groups(model, joint, with_trunk=True)
        return Phase("curation", _PHASE, joint, groups, objective, (model.trunk,))
