"""Explain one grade by the units of a dissected layer: which were active here, and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.errors import ModelError
from spinexplain.explainers.activations import layer_activations
from spinexplain.explainers.dissection.grid import CellGrid
from spinexplain.explainers.dissection.names import consensus
from spinexplain.explainers.dissection.record import BestSample, Dissection
from spinexplain.explainers.dissection.statistics import most_relevant
from spinexplain.models.grader import Grader
from spinexplain.types import Evidence, Exemplar, Explanation, Patch, UnitDetail

SCORE_NAME = "relevance: activation above the unit's threshold"
UNITS_SHOWN = 5
_EXEMPLARS = 2


@dataclass(frozen=True, eq=False)
class DissectionExplainer:
    """Explain a model by the units of its dissection.

    Called like every explainer; see :func:`explain_dissection` for what it shows.

    Parameters
    ----------
    dissection : Dissection
        Of the model that is explained.
    count : int
        Units shown, at most.
    """

    dissection: Dissection
    count: int = UNITS_SHOWN

    def __call__(self, grader: Grader, patch: Patch, target: str) -> Explanation:
        """Show the units that were most active on a patch."""
        return explain_dissection(grader, patch, target, self.dissection, self.count)


def explain_dissection(
    grader: Grader,
    patch: Patch,
    target: str,
    dissection: Dissection,
    count: int = UNITS_SHOWN,
) -> Explanation:
    """Show the units that were most active on a patch, and what else they respond to.

    Parameters
    ----------
    grader : Grader
        The model that was dissected.
    patch : Patch
    target : str
        The class explained. Relevance does not depend on it: a unit's activation is what it
        is, and its rank says what the unit is tied to.
    dissection : Dissection
        Of this model.
    count : int
        Units shown, at most.

    Returns
    -------
    Explanation
        One Evidence a unit; none where no unit exceeds its threshold. The score is the
        relevance. A unit more often enabled in fractured vertebrae speaks for ``target``, or
        where that is the healthy class for the first fractured one; any other unit for the
        healthy class. The terms are rank in the correlation with fracture and its interval,
        contrast, AUC, threshold, how the raters judged and, where the network runs in torch,
        the effect: log odds of fracture as they are minus those with the unit silenced.

    Raises
    ------
    ModelError
        If it is of another model, or the model has no such class.

    Notes
    -----
    Relevance is eq. 2 of Interpretable Vertebral Fracture Diagnosis, r = sum(M * A). The
    heat map is M * A itself, spread linearly: it is never empty where r is not 0.
    """
    if target not in grader.classes:
        raise ModelError(
            f'model "{grader.info.name}" has no class "{target}"; expected one of '
            f"{', '.join(grader.classes)}."
        )
    dissection.check_model(grader.info)
    above = relevant_maps(grader, patch, dissection)
    relevance = above.reshape(len(above), -1).sum(axis=1, dtype=np.float64)
    order = most_relevant(relevance, count)
    effects = effects_here(grader, patch, dissection, order)
    healthy, others = grader.task.healthy, grader.task.fractures
    fractured = target if target in others else others[0]
    evidence = tuple(
        _evidence(
            dissection,
            unit,
            above[unit],
            fractured if dissection.statistics.contrast[unit] > 0 else healthy,
            effects.get(unit),
        )
        for unit in order
    )
    return Explanation(patch, target, "dissection", SCORE_NAME, evidence)


def relevant_maps(grader: Grader, patch: Patch, dissection: Dissection) -> np.ndarray:
    """Return each unit's activation where it exceeds its threshold, else 0.

    Returns
    -------
    ndarray of float32, shape (U, *G)
        0 everywhere for units that were set aside.

    Raises
    ------
    ModelError
        If the layer gives another grid than the one that was dissected.
    """
    activation = layer_activations(grader, [patch], dissection.layer)[0]
    if activation.shape != (dissection.units, *dissection.grid.cells):
        raise ModelError(
            f'layer "{dissection.layer}" gives {activation.shape}; the dissection is of '
            f"{(dissection.units, *dissection.grid.cells)}. Dissect the model again."
        )
    axes = (1,) * len(dissection.grid.cells)
    above = activation > dissection.thresholds.reshape(-1, *axes)
    above &= (dissection.mass > 0).reshape(-1, *axes)
    return np.where(above, activation, 0).astype(np.float32)


def effects_here(
    grader: Grader, patch: Patch, dissection: Dissection, units: list[int]
) -> dict[int, float]:
    """Return what silencing each unit takes from the log odds of fracture of this patch.

    Empty where an exported network answers, which runs as a whole or not at all, and where
    the dissection does not know the units' means.
    """
    if grader.runtime is not None or not units or not np.isfinite(dissection.means).all():
        return {}
    from spinexplain.explainers.dissection.effect import effects_on

    x = grader.inputs([patch])
    changes = effects_on(grader, dissection.layer, x, units, dissection.means)
    return dict(zip(units, changes.tolist(), strict=True))


def unit_title(dissection: Dissection, unit: int) -> str:
    """Return what a unit is called: what raters call it, or its number."""
    return consensus(dissection.names, unit).name or f"Unit {unit}"


def _evidence(
    dissection: Dissection, unit: int, above: np.ndarray, class_name: str, effect: float | None
) -> Evidence:
    statistics, said = dissection.statistics, consensus(dissection.names, unit)
    detail = UnitDetail(
        relevance=float(above.sum(dtype=np.float64)),
        unit=unit,
        rank=int(statistics.rank[unit]),
        rank_low=int(statistics.rank_low[unit]),
        rank_high=int(statistics.rank_high[unit]),
        units=int(np.count_nonzero(statistics.rank)),
        contrast=float(statistics.contrast[unit]),
        auc=float(statistics.auc_max[unit]),
        q=float(statistics.q[unit]),
        threshold=float(dissection.thresholds[unit]),
        peak=float(above.max()),
        cluster=int(dissection.clusters[unit]),
        raters=said.raters,
        meaningful=said.meaningful,
        named=bool(said.name),
        effect=effect,
    )
    return Evidence(
        name=said.name or f"Unit {unit}",
        class_name=class_name,
        heatmap=dissection.grid.spread(above),
        score=detail.relevance,
        detail=detail,
        exemplars=tuple(
            _exemplar(dissection, item) for item in dissection.best_of(unit)[:_EXEMPLARS]
        ),
        grid=above.shape,
    )


def _exemplar(dissection: Dissection, item: BestSample) -> Exemplar:
    source, grid = dissection.sources[item.picture], dissection.grid
    flat = CellGrid(item.cells.shape, grid.side, grid.start, grid.step)
    row, column = np.unravel_index(int(item.cells.argmax()), item.cells.shape)
    return Exemplar(
        array=dissection.pictures[item.picture].astype(np.float32),
        heatmap=flat.spread(item.cells),
        provenance=source.provenance,
        cell=(int(row), int(column)),
    )
