"""A prototype that looks at a planted mark, thrown out: what that is worth without marks.

A small model learns from phantoms of the preset ``shortcut``, in which a bright mark lies before
nine of ten fractured vertebrae and one of twenty healthy ones. A stated rule stands for the
clinician: a prototype of the fractured class is rejected where, in the median marked validation
vertebra, its best cell lies nearer to the mark than to the middle of the body. What is done then,
and what else could have been done, is measured on other persons without a mark.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spinexplain.analysis.atlas.passes import Sweep, sweep
from spinexplain.config.training import TrainConfig
from spinexplain.data.cohort import Cohort
from spinexplain.data.crops.dataset import TrainingSet, class_labels, with_classes
from spinexplain.data.crops.source import set_from_cohort
from spinexplain.evaluate.bootstrap import weighted_bootstrap
from spinexplain.explainers.dissection.statistics import auc
from spinexplain.explainers.prototypes import prototype_names
from spinexplain.models.bundle.decisions import decisions_of
from spinexplain.models.bundle.store import load_grader, save_bundle
from spinexplain.models.grader import Grader
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.progress import SILENT
from spinexplain.reproduce.cohorts import drawn_sheets
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.unkept import Unkept
from spinexplain.train.curation.carry_out import (
    Order,
    copied,
    fine_tune,
    remove,
    replace,
)
from spinexplain.train.curation.fine_tuning import FineTuning
from spinexplain.train.curation.sets import CurationSets, curation_sets
from spinexplain.train.engine.processes import start_fabric
from spinexplain.train.grading.package import Statement, bundle_of, scope_of
from spinexplain.train.grading.phases import tune_last_layer
from spinexplain.train.grading.recipes import train_model
from spinexplain.train.grading.validate import predict

RESULTS = "curation.json"
TRAINING, TEST = ("shortcut", 1700, 2400), ("balanced", 1702, 800)
STEPS = 300
SEEDS = (0,)
DRAWS = 2000
SETTINGS: dict[str, Any] = {
    "name": "shortcut",
    "classes": ["no fracture", "fracture"],
    "grades": {"no fracture": ["G0"], "fracture": ["G2", "G3"]},
    "validation_share": 0.15,
    "input": {
        "size": 56,
        "channels": ["wide", "gaussian", "narrow"],
        "windows_hu": {"wide": [-500, 1300], "narrow": [-50, 450]},
    },
    "trunk": {"name": "conv", "weights": "none", "blocks": 2, "max_stride": 4, "widths": [24, 48]},
    "head": {
        "feature_dim": 32,
        "prototypes_per_class": 4,
        "log_epsilon": 1e-2,
        "pooling": "target",
    },
    "loss": {"lambda_height": 1.0},
    "classifier": {"steps": 1200, "trunk_lr": 3e-3},
    "warm": {"steps": 150},
    "joint": {"steps": 600, "trunk_lr": 1e-3},
    "last_layer": {"lambda_l2": 3e-4},
}
"""A trunk of 38 mm fields, trained from scratch: small enough to see the mark as a part."""


@dataclass(frozen=True, eq=False)
class Case:
    """A trained model with the crops it is curated on and tested on.

    Parameters
    ----------
    grader : Grader
    config : TrainConfig
    sets : CurationSets
        Marked, as it learned.
    test : TrainingSet
        Without marks.
    """

    grader: Grader
    config: TrainConfig
    sets: CurationSets
    test: TrainingSet

    @property
    def model(self) -> PrototypeNet:
        """The network."""
        assert isinstance(self.grader.model, PrototypeNet)
        return self.grader.model


def measure(setting: Setting) -> None:
    """Train what is missing, carry everything out with every seed and store the figures."""
    torch.set_num_threads(1)
    cohort, test = drawn_sheets(setting, *TRAINING), drawn_sheets(setting, *TEST)
    runs = []
    for done, seed in enumerate(SEEDS, 1):
        runs.append(measured(case_of(setting, cohort, test, seed), cohort, seed))
        setting.store(RESULTS, stated(runs))
        setting.progress.step("Models", done, len(SEEDS))


def stated(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return all figures with what made them."""
    return {
        "command": "spinexplain reproduce curation --fresh",
        "training": TRAINING,
        "test": TEST,
        "steps": STEPS,
        "torch": str(torch.__version__),
        "runs": runs,
    }


def case_of(setting: Setting, cohort: Cohort, test: Cohort, seed: int) -> Case:
    """Train a model on marked phantoms, or load the one that is there."""
    folder = setting.work / "curation" / f"seed-{seed}"
    config = TrainConfig(**SETTINGS, seed=seed)
    if not (folder / "bundle").is_dir():
        _train(config, cohort, folder, setting)
    data = with_classes(set_from_cohort(test), config.task, 1)
    grader = load_grader(folder / "bundle", runtime="torch")
    return Case(grader, config, curation_sets(config, cohort, None), data)


def _train(config: TrainConfig, cohort: Cohort, folder: Path, setting: Setting) -> None:
    data = set_from_cohort(cohort)
    trained = train_model(config, data, folder, resume=True, progress=setting.progress)
    statement = Statement(
        name=f"shortcut-{config.seed}",
        version="1",
        trained_on=f"{len(trained.data)} marked phantoms",
        scope=scope_of(trained),
    )
    save_bundle(bundle_of(trained, statement), folder / "bundle")


def measured(case: Case, cohort: Cohort, seed: int) -> dict[str, Any]:
    """Reject by the rule, carry out every way and every opponent, and count on the test set."""
    where = looked_at(case, cohort)
    rejected = [one["prototype"] for one in where if one["rejected"]]
    before = answers(case, case.model)
    found: dict[str, Any] = {"seed": seed, "prototypes": where, "before": figures(case, before)}
    if not rejected:
        return found | {"ways": {}}
    ways = {}
    for name, models in variants(case, rejected, seed):
        given = [answers(case, model) for model in models]
        ways[name] = compared(case, before, given)
    return found | {"ways": over_opponents(ways, case.test.subjects)}


OPPONENTS = {
    "remove": "remove another",
    "replace": "replace another",
    "fine-tune": "train on",
}
"""What each way is held against: the same done without the decision."""


def over_opponents(ways: dict[str, Any], subjects: np.ndarray) -> dict[str, Any]:
    """Add what each way gains over its opponent, and drop the answers behind it.

    Parameters
    ----------
    ways : dict
        From :func:`compared`, with ``right`` for each.
    subjects : ndarray of str, shape (n,)
    """
    found = {name: {k: v for k, v in one.items() if k != "right"} for name, one in ways.items()}
    for name, opponent in OPPONENTS.items():
        if name in ways and opponent in ways:
            change = np.array(ways[name]["right"]) - np.array(ways[opponent]["right"])
            found[name]["over"] = {"opponent": opponent, **interval_of(change, subjects)}
    return found


def interval_of(change: np.ndarray, subjects: np.ndarray) -> dict[str, float]:
    """Return the mean of a change and its 95 % interval by subject.

    Examples
    --------
    >>> interval_of(np.zeros(20), np.arange(20).astype(str))
    {'value': 0.0, 'low': 0.0, 'high': 0.0}
    """
    found = weighted_bootstrap(
        lambda weights: weights @ change / weights.sum(axis=1), subjects, 0, DRAWS
    )
    return {"value": found.value, "low": found.low, "high": found.high}


def looked_at(case: Case, cohort: Cohort) -> list[dict[str, Any]]:
    """Say of every prototype where it looks in marked fractured validation vertebrae.

    Returns
    -------
    list of dict
        JSON-ready: ``prototype`` (from 1), ``fracture`` (whether of that class), ``to_mark_mm``
        and ``to_body_mm`` (median distance of its best cell), and ``rejected``.
    """
    data, marks = _marked(case, cohort)
    model, spec = case.model, case.config.input
    seen = sweep(model, data, spec, case.config.task)
    at = positions_mm(seen, case)
    assert data.target is not None
    body = centers_of(_inner(data.target, round(spec.extent_mm)))
    to_mark, to_body = (
        np.median(np.linalg.norm(at - middle[:, None], axis=-1), axis=0)
        for middle in (centers_of(marks), body)
    )
    owner = model.prototype_class.numpy()
    return [
        {
            "prototype": index + 1,
            "fracture": bool(owner[index] == 1),
            "to_mark_mm": round(float(to_mark[index]), 1),
            "to_body_mm": round(float(to_body[index]), 1),
            "rejected": bool(owner[index] == 1 and to_mark[index] < to_body[index]),
        }
        for index in range(len(owner))
    ]


def positions_mm(seen: Sweep, case: Case) -> np.ndarray:
    """Return where in its crop each prototype has its best cell, mm from the corner, (n, P, 2)."""
    field, spec = case.model.trunk.field, case.config.input
    cells = np.stack(np.unravel_index(seen.cells, seen.grid), axis=-1)
    return (field.start + cells * field.stride + 0.5) * spec.extent_mm / spec.size


def centers_of(masks: np.ndarray) -> np.ndarray:
    """Return the middle of each mask (n, *S) in samples, (n, 2); no mask is empty.

    Examples
    --------
    >>> centers_of(np.array([[[0, 1], [0, 1]]])).tolist()
    [[1.0, 1.5]]
    """
    return np.array([np.argwhere(mask > 0).mean(axis=0) + 0.5 for mask in masks])


def _inner(arrays: np.ndarray, side: int) -> np.ndarray:
    start = (arrays.shape[1] - side) // 2
    return arrays[:, start : start + side, start : start + side]


def _marked(case: Case, cohort: Cohort) -> tuple[TrainingSet, np.ndarray]:
    """Return the marked fractured validation vertebrae whose mark and body are in the crop."""
    validation, side = case.sets.validation, round(case.config.input.extent_mm)
    place = {name: row for row, name in enumerate(cohort.index["subject"])}
    rows = np.array([place[name] for name in validation.subjects])
    marks = _inner(cohort.read("shortcut_2d", rows, missing=0), side)
    assert validation.target is not None
    seen = (marks > 0).any(axis=(1, 2)) & (_inner(validation.target, side) > 0).any(axis=(1, 2))
    use = seen & (class_labels(validation, case.config.task) == 1)
    return validation.take(use), marks[use]


Models = list[PrototypeNet]


def variants(case: Case, rejected: list[int], seed: int) -> Iterator[tuple[str, Models]]:
    """Yield the ways of the package and their opponents, with the models that come out."""
    order = order_of(case, rejected)
    owner = case.model.prototype_class.tolist()
    fracture = [index + 1 for index, k in enumerate(owner) if k == 1]
    others = [number for number in fracture if number not in rejected]
    training = case.sets.training
    if others:
        yield "remove", [remove(order, training).model]
    yield "replace", [replace(order, training).model]
    arguments = (
        case.config.model_copy(update={"seed": seed}),
        training,
        case.sets.validation,
        Unkept(),
        SILENT,
        start_fabric(),
    )
    yield "fine-tune", [fine_tune(order, arguments, FineTuning(STEPS)).model]
    if others:
        single = [order_of(case, [number]) for number in others]
        yield "remove another", [remove(one, training).model for one in single]
        yield "replace another", [replace(one, training).model for one in single]
    yield "re-solve", [solved_again(case)]
    plain = FineTuning(STEPS, lambda_forbid=0.0, lambda_remember=0.0)
    yield "train on", [fine_tune(order_of(case, []), arguments, plain).model]


def order_of(case: Case, rejected: list[int]) -> Order:
    """Return the decisions of the rule: these prototypes lie outside the vertebra."""
    names = prototype_names(case.grader.classes, case.model.prototype_class.numpy())
    why = {"choice": "not meaningful", "reason": "outside the vertebra"}
    decisions = [{"prototype": n, "name": names[n - 1], **why} for n in rejected]
    return Order(case.grader, case.config, decisions_of(case.grader.info, "rule", decisions))


def solved_again(case: Case) -> PrototypeNet:
    """Fit the last layer again with every prototype there."""
    model = copied(case.model, case.config)
    tune_last_layer(model, case.sets.training, case.config)
    return model


def answers(case: Case, model: PrototypeNet) -> tuple[np.ndarray, np.ndarray]:
    """Return the log odds of fracture on the marked validation and on the unmarked test set."""
    found = [predict(model, data, case.config) for data in (case.sets.validation, case.test)]
    return found[0][:, 1] - found[0][:, 0], found[1][:, 1] - found[1][:, 0]


def figures(case: Case, given: tuple[np.ndarray, np.ndarray]) -> dict[str, Any]:
    """Return accuracy, sensitivity, specificity and area under the curve on both sets."""
    found = {}
    sets = {"marked": case.sets.validation, "unmarked": case.test}
    for (name, data), odds in zip(sets.items(), given, strict=True):
        fractured = class_labels(data, case.config.task) == 1
        found[name] = {
            "vertebrae": len(data),
            "accuracy": float(np.mean((odds > 0) == fractured)),
            "sensitivity": float(np.mean(odds[fractured] > 0)),
            "specificity": float(np.mean(odds[~fractured] <= 0)),
            "auc": float(auc(odds[:, None], fractured)[0]),
        }
    return found


def compared(
    case: Case, before: tuple[np.ndarray, np.ndarray], given: list[tuple[np.ndarray, np.ndarray]]
) -> dict[str, Any]:
    """Return the figures of some models, their mean, and what they gain on the test set."""
    fractured = class_labels(case.test, case.config.task) == 1
    right = np.mean([(odds[1] > 0) == fractured for odds in given], axis=0)
    gain = right - ((before[1] > 0) == fractured)
    each = [figures(case, one) for one in given]
    mean = {
        name: {key: float(np.mean([one[name][key] for one in each])) for key in each[0][name]}
        for name in each[0]
    }
    return {
        "models": len(given),
        **mean,
        "gain": interval_of(gain, case.test.subjects),
        "right": [round(float(one), 4) for one in right],
    }
