"""What a curation does to a model: grades, places and prototypes, before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from spinexplain.analysis.atlas.passes import sweep
from spinexplain.analysis.explanations.assemble import scoring_of
from spinexplain.analysis.explanations.bench import bench_rows, open_bench
from spinexplain.analysis.explanations.figures import Scoring, interval_json, map_figures, mean_of
from spinexplain.analysis.explanations.methods import scored_map
from spinexplain.analysis.explanations.targets import explained_class, fracture_probability
from spinexplain.config.training import TrainConfig
from spinexplain.data.cohort import Cohort
from spinexplain.data.crops.dataset import TrainingSet, class_labels
from spinexplain.errors import ConfigError
from spinexplain.evaluate.bootstrap import weighted_bootstrap
from spinexplain.evaluate.detection import detection_figures
from spinexplain.evaluate.prototypes import cosine_matrix, same_class_cosine, winner_share
from spinexplain.explainers.registry import EXPLAINERS
from spinexplain.models.grader import Grader
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.progress import SILENT, Progress
from spinexplain.train.grading.validate import figures_of, predict

LARGEST_BENCH = 150
DRAWS = 500


@dataclass(frozen=True, eq=False)
class Judged:
    """A model on the validation subjects.

    Parameters
    ----------
    figures : dict
        JSON-ready: ``grades`` (class-average F1, accuracy, recalls), ``evidence`` (placement and
        skill; None without masks); of a prototype model ``prototypes`` (centered cosine of a
        class's prototypes, winner shares), of others ``detection`` (AUC, AP, F1).
    right : ndarray of bool, shape (n,)
        Whether each vertebra got its class.
    """

    figures: dict[str, Any]
    right: np.ndarray


def validation_bench(
    cohort: Cohort, grader: Grader, split: str | None, subjects: np.ndarray, seed: int
) -> Scoring | None:
    """Open the validation vertebrae with their masks; None where there are no masks of bodies.

    At most 150, drawn by the seed where there are more.
    """
    try:
        rows = bench_rows(cohort, grader.spec.axes, split, 0, seed)
        rows = rows[np.isin(cohort.index["subject"].to_numpy(str)[rows], subjects)]
        if len(rows) > LARGEST_BENCH:
            rng = np.random.default_rng([seed, 31])
            rows = np.sort(rng.choice(rows, LARGEST_BENCH, replace=False))
        bench = open_bench(cohort, rows, grader.spec) if len(rows) else None
    except ConfigError:
        return None
    return None if bench is None or not len(bench) else scoring_of(bench, seed, DRAWS)


def judge(
    grader: Grader, validation: TrainingSet, scoring: Scoring | None, progress: Progress = SILENT
) -> Judged:
    """Measure a prototype model on the validation subjects.

    Parameters
    ----------
    grader : Grader
        In torch.
    validation : TrainingSet
        Every grade is in a class of its task.
    scoring : Scoring or None
        From :func:`validation_bench`.
    progress : Progress
        Hears ``crops`` and ``explaining``.
    """
    model = grader.model
    assert isinstance(model, PrototypeNet)
    seen = sweep(model, validation, grader.spec, grader.task, progress)
    owner = model.prototype_class.cpu().numpy()
    logits = seen.similarities @ model.last_layer.weight.detach().double().numpy().T
    cosine = cosine_matrix(model.prototypes.detach().double().numpy(), seen.center)
    figures = {
        "vertebrae": len(validation),
        "subjects": len(np.unique(validation.subjects)),
        "grades": figures_of(logits, seen.labels, grader.classes),
        "prototypes": {
            "count": len(owner),
            "centered_cosine": same_class_cosine(cosine, owner),
            "winner_share": winner_share(seen.similarities, seen.labels, owner).tolist(),
        },
        "evidence": None if scoring is None else _evidence(grader, scoring, progress),
    }
    return Judged(figures, logits.argmax(axis=1) == seen.labels)


def judge_classifier(
    grader: Grader,
    config: TrainConfig,
    validation: TrainingSet,
    scoring: Scoring | None,
    progress: Progress = SILENT,
) -> Judged:
    """Measure a detector or a linear classifier on the validation subjects.

    Parameters
    ----------
    grader : Grader
        In torch.
    config : TrainConfig
        It was trained by.
    validation : TrainingSet
    scoring : Scoring or None
        From :func:`validation_bench`; the model's own explainer is scored.
    progress : Progress
        Hears ``explaining``.
    """
    logits = predict(grader.model, validation, config)
    labels = class_labels(validation, grader.task)
    fractured = (labels != grader.task.healthy_index).astype(int)
    found = detection_figures(fractured, fracture_probability(logits, grader.task))
    figures = {
        "vertebrae": len(validation),
        "subjects": len(np.unique(validation.subjects)),
        "grades": figures_of(logits, labels, grader.classes),
        "detection": {name: value if np.isfinite(value) else None for name, value in found.items()},
        "evidence": None if scoring is None else _evidence(grader, scoring, progress),
    }
    return Judged(figures, logits.argmax(axis=1) == labels)


def accuracy_gain(
    before: Judged, after: Judged, subjects: np.ndarray, seed: int
) -> dict[str, float | None]:
    """Return how many more vertebrae get their class, with an interval by subject.

    Parameters
    ----------
    before, after : Judged
        On the same vertebrae.
    subjects : ndarray of str, shape (n,)
    seed : int

    Examples
    --------
    >>> names = np.arange(40).astype(str)
    >>> first, second = Judged({}, np.zeros(40, bool)), Judged({}, np.ones(40, bool))
    >>> accuracy_gain(first, second, names, 0)["low"]
    1.0
    """
    change = after.right.astype(float) - before.right.astype(float)
    return interval_json(weighted_bootstrap(mean_of(change), subjects, seed, 2000))


def _evidence(grader: Grader, scoring: Scoring, progress: Progress) -> dict[str, Any]:
    bench, maps, explain = scoring.bench, [], EXPLAINERS[grader.explainer]
    for row in range(len(bench)):
        patch = bench.patch(row)
        with torch.no_grad():
            logits = grader.logits([patch])[0]
        target = grader.classes[explained_class(str(bench.grades[row]), logits, grader.task)]
        maps.append(bench.scored(scored_map(explain(grader, patch, target)).heatmap))
        progress.step("explaining", row + 1, len(bench))
    return map_figures(scoring, np.stack(maps)) | {"vertebrae": len(bench)}
