"""Dissect a layer of a model with a cohort."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from torch import nn

from spinexplain.analysis.dissection.redundancy import redundancy_clusters
from spinexplain.data.cohort import Cohort
from spinexplain.explainers.cam import default_layer
from spinexplain.explainers.dissection.activity import Activity, layer_activity
from spinexplain.explainers.dissection.cautions import cautions
from spinexplain.explainers.dissection.effect import mean_levels, unit_effects
from spinexplain.explainers.dissection.exemplars import best_samples
from spinexplain.explainers.dissection.grid import CellGrid, cell_grid
from spinexplain.explainers.dissection.overlap import unit_overlap
from spinexplain.explainers.dissection.record import Dissection, unit_states
from spinexplain.explainers.dissection.samples import Samples, select_samples
from spinexplain.explainers.dissection.statistics import Outcomes, unit_statistics
from spinexplain.explainers.hooks import find_layer
from spinexplain.models.grader import Grader
from spinexplain.models.heads.silence import SILENCE, SilencedUnits
from spinexplain.models.receptive import ReceptiveField
from spinexplain.progress import SILENT, Progress

_QUANTILE = 0.995


@dataclass(frozen=True)
class DissectionPlan:
    """How to dissect.

    Parameters
    ----------
    layer : str, optional
        By default the trunk, after units that curation silenced; of a network without one, the
        last convolution.
    quantile : float, optional
        0.995 by default.
    split : str
        ``"training"`` or ``"validation"``.
    mild : bool
        Count mild fractures (G1) as fractures, whatever the model's classes.
    batch : int
        Samples a forward pass; the result does not depend on it.
    top : int
        Units with a collage of 25 pictures, whose effect on the score is measured.
    pictures, collage : int
        Training pictures kept of every ranked unit, and of each top unit.
    seed : int
        Of the resampled rank intervals.
    learned_fractures : int, optional
        Fractures the network was trained on, where that is known; only to warn of few.
    """

    layer: str | None = None
    quantile: float | None = None
    split: str = "training"
    mild: bool = False
    batch: int = 16
    top: int = 10
    pictures: int = 2
    collage: int = 25
    seed: int = 0
    learned_fractures: int | None = None


@dataclass(frozen=True, eq=False)
class Dissected:
    """A dissection together with what it was made from, to draw pictures of."""

    dissection: Dissection
    activity: Activity
    samples: Samples


def dissect(
    grader: Grader,
    cohort: Cohort,
    plan: DissectionPlan | None = None,
    progress: Progress = SILENT,
) -> Dissected:
    """Find out what each unit of a layer responds to and how it is tied to fracture.

    Parameters
    ----------
    grader : Grader
        Any model, 2-D or 3-D.
    cohort : Cohort
        With patches of the model's kind and a grade for each vertebra.
    plan : DissectionPlan, optional
    progress : Progress
        Hears ``dissect``, ``pictures``, ``overlap`` and ``effects``, step by step.

    Raises
    ------
    ConfigError
        If the split is the test split, or lacks fractured or healthy vertebrae.
    ModelError
        If there is no such layer, or it gives no map.

    Notes
    -----
    Network dissection in any number of axes, after section 2.2 of Interpretable Vertebral
    Fracture Diagnosis: threshold T of each unit, mask M = activation above T, enabled units
    E = those with any cell in M, and the share of positives that enable a unit (eq. 1).
    Unlike there, units are ranked by that share minus the share of negatives.
    """
    chosen = plan or DissectionPlan()
    quantile = _QUANTILE if chosen.quantile is None else chosen.quantile
    layer = chosen.layer or layer_to_dissect(grader.model, grader.spec.axes)
    find_layer(grader.model, layer)
    samples = select_samples(cohort, grader.spec, grader.task, chosen.split, chosen.mild)
    activity = layer_activity(
        grader.model,
        layer,
        samples.batches(chosen.batch, grader.device),
        len(samples),
        quantile,
        progress,
    )
    chosen = replace(chosen, quantile=quantile)
    dissection = _dissection(grader, layer, samples, activity, chosen, progress)
    return Dissected(dissection, activity, samples)


def layer_to_dissect(model: nn.Module, axes: int) -> str:
    """Name the layer that is dissected by default: the trunk, after units were silenced.

    Silenced units are then set aside, as nothing exceeds the level that they are held at.
    """
    silenced = isinstance(getattr(model, SILENCE, None), SilencedUnits)
    return SILENCE if silenced else default_layer(model, axes)


def _can_silence(grader: Grader, layer: str) -> bool:
    """Whether curation can silence units of a layer: the one that a head listens to."""
    model = grader.model
    return hasattr(model, SILENCE) and layer == layer_to_dissect(model, grader.spec.axes)


def _dissection(
    grader: Grader,
    layer: str,
    samples: Samples,
    activity: Activity,
    plan: DissectionPlan,
    progress: Progress,
) -> Dissection:
    tails = activity.tails
    ranked = unit_states(tails.thresholds, tails.mass) != "silent"
    outcomes = _outcomes(grader, samples, activity)
    statistics = unit_statistics(
        activity.peaks, activity.means, tails.thresholds, ranked, outcomes, plan.seed
    )
    grid = _grid_of(grader, layer, activity.grid, samples.side)
    first = np.argsort(np.where(ranked, statistics.rank, len(ranked) + 1), kind="stable")
    wanted = [
        (int(unit), plan.collage if place < plan.top else plan.pictures)
        for place, unit in enumerate(first[: int(ranked.sum())])
    ]
    best, pictures, sources = best_samples(activity, samples, grid, wanted, progress)
    top = [unit for unit, _ in wanted[: plan.top]]
    return Dissection(
        model=grader.info,
        layer=layer,
        quantile=plan.quantile or _QUANTILE,
        grid=grid,
        thresholds=tails.thresholds,
        mass=tails.mass,
        statistics=statistics,
        clusters=redundancy_clusters(activity.correlation, statistics.rank),
        overlap=unit_overlap(activity, grid, samples.regions(), progress),
        means=mean_levels(activity),
        effects=unit_effects(grader, layer, activity, samples, top, plan.collage, progress),
        facts=_facts(samples, outcomes, plan) | {"can_silence": _can_silence(grader, layer)},
        cautions=cautions(grader.model, outcomes, samples.split, plan.learned_fractures),
        best=best,
        pictures=pictures,
        sources=sources,
    )


def _outcomes(grader: Grader, samples: Samples, activity: Activity) -> Outcomes:
    called = activity.logits.argmax(axis=1) != grader.task.healthy_index
    return Outcomes(samples.positive, called, samples.column("subject").astype(str))


def _grid_of(grader: Grader, layer: str, cells: tuple[int, ...], side: int) -> CellGrid:
    field = getattr(getattr(grader.model, "trunk", None), "field", None)
    known = layer in ("trunk", SILENCE) and isinstance(field, ReceptiveField)
    return cell_grid(cells, side, grader.spec.size, field if known else None)


def _facts(samples: Samples, outcomes: Outcomes, plan: DissectionPlan) -> dict[str, object]:
    return {
        "cohort": samples.cohort.path.name,
        "split": samples.split,
        "synthetic": bool(samples.column("synthetic").all()),
        "subjects": len(np.unique(outcomes.subjects)),
        **outcomes.counts,
        "grades": dict(zip(*map(np.ndarray.tolist, _counted(samples.grades)), strict=True)),
        "batch": plan.batch,
        "top": plan.top,
        "seed": plan.seed,
    }


def _counted(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    names, counts = np.unique(values.astype(str), return_counts=True)
    return names, counts
