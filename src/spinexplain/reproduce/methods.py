"""Baseline, ProtoPNet and ProtoVerse as whole networks on phantom sheets, with equal budgets.

Written down in docs/decisions/claims.md before any was trained: persons, candidates, seeds and
the rule. All start from one trunk, a plain classifier's of other persons, which never saw a
prototype or the diversity loss; all take as many steps of gradient descent.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spinexplain.config.training import TrainConfig
from spinexplain.data.crops.dataset import TrainingSet, class_labels
from spinexplain.evaluate.grading import class_average_f1, confusion_matrix
from spinexplain.io.files import atomic_file
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.progress import SILENT, Progress
from spinexplain.reproduce.cohorts import graded_sheets
from spinexplain.reproduce.heads.figures import same_class_cosine, winner_share
from spinexplain.reproduce.heads.record import Record
from spinexplain.reproduce.heads.trunks import classifiers_trunk
from spinexplain.reproduce.mask_heights import third_heights, third_loss
from spinexplain.reproduce.setting import Setting
from spinexplain.train.grading.phases import cached_similarities
from spinexplain.train.grading.recipes import train_model
from spinexplain.train.grading.validate import predict

RESULTS = "methods.json"
TRUNK_SHEETS, TRUNK_STEPS = ("balanced", 6700, 700), 300
TRAINING = ("balanced", 6711, 2400)
TESTS = {"balanced": ("balanced", 6712, 400), "hard": ("hard", 6713, 400)}
SEEDS = (0, 1, 2)
STEPS, WARM, BATCH = 800, 60, 32
CANDIDATES = tuple(
    {"trunk_lr": rate, "steps": steps} for steps in (STEPS, 2 * STEPS) for rate in (3e-4, 1e-3)
)
"""The same for every method; the later half says whether as many steps again still help."""
METHODS = ("baseline", "protopnet", "protoverse")
WITHOUT = "protoverse-lambda-0"
"""ProtoVerse with the diversity term's weight at 0, and what ProtoVerse chose otherwise."""
DRAWS, DRAW_SEED = 2000, 6704
_INPUT: dict[str, Any] = {
    "size": 72,
    "extent_mm": 72.0,
    "channels": ["ct", "gaussian"],
    "windows_hu": {"ct": (-300.0, 1000.0)},
}
_TRUNK: dict[str, Any] = {
    "name": "conv",
    "weights": "none",
    "blocks": 4,
    "max_stride": 8,
    "widths": [16, 32, 64, 96],
}
_HEADS: dict[str, dict[str, Any]] = {
    "baseline": {"head": {"kind": "linear"}},
    "protopnet": {
        "head": {"feature_dim": 128, "initial_prototypes": "uniform"},
        "loss": {"lambda_div": 0.0},
        "projection": {"allow_duplicates": True},
        "last_layer": {"constrained": False},
    },
    "protoverse": {
        "head": {"feature_dim": 128},
        "loss": {"lambda_div": 0.3, "lambda_outside": 1.0},
    },
    WITHOUT: {"head": {"feature_dim": 128}, "loss": {"lambda_div": 0.0, "lambda_outside": 1.0}},
}
"""What experiments/verse19 sets for each; everything else is the same for all."""


@dataclass(frozen=True, eq=False)
class Sheets:
    """What whole networks learn from and are tested on.

    Parameters
    ----------
    training : TrainingSet
        A quarter of its persons chooses the candidate.
    tests : dict of str to TrainingSet
    trunk : Path
        Weights that all start from.
    """

    training: TrainingSet
    tests: dict[str, TrainingSet]
    trunk: Path


def measure(setting: Setting) -> None:
    """Train what is missing: every candidate with the first seed, the chosen one with all."""
    torch.set_num_threads(1)
    work = setting.work / "methods"
    sheets = drawn(setting, work)
    record = Record(work / "runs.json")
    for method in METHODS:
        for number in range(len(CANDIDATES)):
            figures_kept(record, method, number, 0, sheets, work, setting.progress)
    for seed in SEEDS:
        for method in (*METHODS, WITHOUT):
            number = chosen(record, "protoverse" if method == WITHOUT else method)
            figures_kept(record, method, number, seed, sheets, work, setting.progress)
        setting.store(RESULTS, stated(record, sheets))


def settings_of(method: str, candidate: int, seed: int, trunk: str = "none") -> TrainConfig:
    """Return the settings of one training.

    Examples
    --------
    >>> [settings_of(m, 2, 0).classifier.steps + settings_of(m, 2, 0).joint.steps for m in METHODS]
    [1600, 1540, 1540]
    """
    tuned = CANDIDATES[candidate]
    rate, steps = float(tuned["trunk_lr"]), int(tuned["steps"])
    plain = method == "baseline"
    content: dict[str, Any] = {
        "name": method,
        "seed": seed,
        "validation_share": 0.25,
        "input": _INPUT,
        "trunk": _TRUNK | {"weights": trunk},
        "augment": {"shift_mm": 6.0},
        "classifier": {"steps": steps if plain else 0, "batch": BATCH, "trunk_lr": rate},
        "warm": {"steps": 0 if plain else WARM, "batch": BATCH},
        "joint": {"steps": 0 if plain else steps - WARM, "batch": BATCH, "trunk_lr": rate},
    }
    return TrainConfig(**content, **_HEADS[method])


def drawn(setting: Setting, work: Path) -> Sheets:
    """Draw all sheets and train the trunk, or take up what is there."""
    base = settings_of("baseline", 0, 0)
    training = graded_sheets(setting, *TRAINING, base)
    tests = {name: graded_sheets(setting, *which, base) for name, which in TESTS.items()}
    path = work / "trunk.pth"
    if not path.is_file():
        steps = base.classifier.model_copy(update={"steps": TRUNK_STEPS, "trunk_lr": 1e-3})
        config = base.model_copy(update={"classifier": steps})
        others = graded_sheets(setting, *TRUNK_SHEETS, config)
        made = classifiers_trunk(config, others, work / "trunk", None, setting.progress)
        with atomic_file(path) as temporary:
            torch.save(made.state_dict(), temporary)
    return Sheets(training, tests, path)


def figures_kept(
    record: Record,
    method: str,
    candidate: int,
    seed: int,
    sheets: Sheets,
    work: Path,
    progress: Progress = SILENT,
) -> None:
    """Train and test one network unless its figures are there."""
    name = f"{method}-{candidate}"
    if record.has(name, seed):
        return
    config = settings_of(method, candidate, seed, str(sheets.trunk))
    folder = work / f"{name}-seed-{seed}"
    found = train_model(config, sheets.training, folder, resume=True, progress=progress)
    figures: dict[str, Any] = {"validation_f1": found.figures["f1"]}
    figures["cross_entropy"] = last_loss(folder / "log.csv")
    for test, data in sheets.tests.items():
        predicted = predict(found.model, data, config).argmax(axis=1)
        labels = class_labels(data, config.task)
        figures[f"f1_{test}"] = class_average_f1(confusion_matrix(labels, predicted, 3))
        figures[f"predicted_{test}"] = "".join(map(str, predicted))
    if isinstance(found.model, PrototypeNet):
        similarities, labels = cached_similarities(found.model, found.data, config)
        owner = found.model.prototype_class.numpy()
        figures["winner_share"] = winner_share(similarities, labels, owner)
        figures["cosine_after"] = same_class_cosine(found.model)
        figures["distinct"] = len({(s.row, s.cell) for s in found.sources})
    record.keep(name, seed, figures)
    progress.step("Networks", 1, 1)


def last_loss(path: Path) -> float:
    """Return the mean cross-entropy of a training's last 50 steps."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["term"] == "cross_entropy"]
    return float(np.mean([float(r["value"]) for r in rows[-50:]]))


def chosen(record: Record, method: str) -> int:
    """Return the candidate with the best F1 on validation, first seed."""
    scores = [record.runs[f"{method}-{k}"]["0"]["validation_f1"] for k in range(len(CANDIDATES))]
    return int(np.argmax(scores))


def stated(record: Record, sheets: Sheets) -> dict[str, Any]:
    """Return all figures with what made them, and the differences with their intervals."""
    task = settings_of("baseline", 0, 0).task
    labels = {name: class_labels(data, task) for name, data in sheets.tests.items()}
    picks = {method: chosen(record, method) for method in METHODS}
    picks[WITHOUT] = picks["protoverse"]
    runs = {method: record.runs[f"{method}-{k}"] for method, k in picks.items()}
    return {
        "command": "spinexplain reproduce methods --fresh",
        "trunk": {"sheets": TRUNK_SHEETS, "steps": TRUNK_STEPS, "widths": _TRUNK["widths"]},
        "training": TRAINING,
        "tests": TESTS,
        "classes": {
            name: np.bincount(class_labels(data, task)).tolist()
            for name, data in (("training", sheets.training), *sheets.tests.items())
        },
        "extent_mm": _INPUT["extent_mm"],
        "batch": BATCH,
        "candidates": CANDIDATES,
        "validation": {
            m: [record.runs[f"{m}-{k}"]["0"]["validation_f1"] for k in range(len(CANDIDATES))]
            for m in METHODS
        },
        "chosen": picks,
        "runs": {
            method: {seed: kept(run) for seed, run in of_seed.items()}
            for method, of_seed in runs.items()
        },
        "differences": {
            f"{one} - {other}": {
                test: difference(runs[one], runs[other], labels[test], test) for test in TESTS
            }
            for one, other in (
                ("protoverse", "protopnet"),
                ("protoverse", "baseline"),
                ("protopnet", "baseline"),
                ("protoverse", WITHOUT),
            )
        },
        "opponents": opponents(sheets, task),
        "torch": str(torch.__version__),
    }


def kept(run: dict[str, Any]) -> dict[str, Any]:
    """Return a run's figures without its predictions."""
    return {key: value for key, value in run.items() if not key.startswith("predicted")}


def difference(
    one: dict[str, Any], other: dict[str, Any], labels: np.ndarray, test: str
) -> dict[str, Any]:
    """Return the mean difference of F1, and an interval over test persons and trainings.

    A draw takes persons (one sheet each) and, of each method on its own, trainings, all with
    repeats. ``floor`` is the largest difference of two trainings of the same method.
    """
    seeds = sorted(set(one) & set(other))
    calls = [
        np.array([[int(c) for c in runs[seed][f"predicted_{test}"]] for seed in seeds])
        for runs in (one, other)
    ]
    rng = np.random.default_rng(DRAW_SEED)
    drawn_values = []
    for _ in range(DRAWS):
        rows = rng.integers(len(labels), size=len(labels))
        means = [
            np.mean([f1_of(labels[rows], made[rows]) for made in call[_again(rng, len(seeds))]])
            for call in calls
        ]
        drawn_values.append(means[0] - means[1])
    single = [[f1_of(labels, made) for made in call] for call in calls]
    low, high = np.percentile(drawn_values, [2.5, 97.5])
    return {
        "value": float(np.mean(single[0]) - np.mean(single[1])),
        "low": float(low),
        "high": float(high),
        "floor": float(max(np.ptp(values) for values in single)),
        "trainings": len(seeds),
    }


def _again(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.integers(count, size=count)


def f1_of(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Return class-average F1 of three classes."""
    return class_average_f1(np.bincount(3 * labels + predicted, minlength=9).reshape(3, 3))


def opponents(sheets: Sheets, task: Any) -> dict[str, dict[str, float]]:
    """Return the F1 of what sees no image, and of heights in the true mask of the body."""
    from sklearn.linear_model import LogisticRegression

    levels = sorted(set(sheets.training.levels.tolist()))

    def by_level(data: TrainingSet) -> np.ndarray:
        return (data.levels[:, None] == np.array(levels)[None]).astype(float)

    found: dict[str, dict[str, float]] = {}
    truth = class_labels(sheets.training, task)
    for name, features in (("level alone", by_level), ("heights in the mask", mask_losses)):
        model = LogisticRegression(class_weight="balanced", max_iter=1000)
        model.fit(features(sheets.training), truth)
        found[name] = {
            test: f1_of(class_labels(data, task), model.predict(features(data)))
            for test, data in sheets.tests.items()
        }
    most = int(np.bincount(truth).argmax())
    found["always the most frequent"] = {
        test: f1_of(class_labels(data, task), np.full(len(data), most))
        for test, data in sheets.tests.items()
    }
    return found


def mask_losses(data: TrainingSet) -> np.ndarray:
    """Return how much the lowest third of each true body lacks of its highest, (N, 2).

    Then its square. Sheets are of different persons: no neighbor can be asked.
    """
    assert data.target is not None
    losses = np.array([third_loss(third_heights(mask > 0)) for mask in data.target])
    return np.stack([losses, losses**2], axis=1)
