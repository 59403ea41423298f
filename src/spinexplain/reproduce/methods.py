"""Baseline, ProtoPNet and ProtoVerse as whole networks on phantom sheets, with equal budgets.

Written down in docs/decisions/claims.md before any was trained: persons, rates, rounds, seeds
and the rule. All start from one trunk, a plain classifier's of other persons, which never saw a
prototype or the diversity loss; all take as many rounds of as many steps.
"""

from __future__ import annotations

import json
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
from spinexplain.reproduce.dissection.training_size import late_gain
from spinexplain.reproduce.heads.figures import same_class_cosine, winner_share
from spinexplain.reproduce.heads.record import Record
from spinexplain.reproduce.heads.trunks import classifiers_trunk
from spinexplain.reproduce.mask_heights import third_heights, third_loss
from spinexplain.reproduce.rounds import curve, trained_in_rounds
from spinexplain.reproduce.setting import Setting
from spinexplain.train.grading.phases import cached_similarities
from spinexplain.train.grading.validate import predict

RESULTS = "methods.json"
TRUNK_SHEETS, TRUNK_STEPS = ("balanced", 6730, 300), 200
TRAINING = ("balanced", 6731, 1200)
TESTS = {"balanced": ("balanced", 6732, 350), "hard": ("hard", 6733, 350)}
SEEDS = (0, 1, 2)
"""Each with validation persons of its own."""
RATES = (1e-4, 3e-4, 1e-3, 3e-3)
"""Of the trunk; every method is tried with each."""
TUNING_ROUNDS, ROUNDS = 2, 16
STEPS, WARM, BATCH, PRECISION = 250, 60, 32, "bf16"
"""Of a round; before the first the head of a prototype network alone is warmed up."""
METHODS = ("baseline", "protopnet", "protoverse")
WITHOUT = "protoverse-lambda-0"
"""ProtoVerse with the diversity term's weight at 0, and what ProtoVerse chose otherwise."""
DRAWS, DRAW_SEED = 2000, 6704
_INPUT: dict[str, Any] = {
    "size": 48,
    "extent_mm": 72.0,
    "channels": ["ct", "gaussian"],
    "windows_hu": {"ct": (-300.0, 1000.0)},
}
_TRUNK: dict[str, Any] = {
    "name": "conv",
    "weights": "none",
    "blocks": 4,
    "max_stride": 8,
    "widths": [16, 24, 32, 64],
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
        A quarter of its persons, other ones for every seed, chooses rate and round.
    tests : dict of str to TrainingSet
    trunk : Path
        Weights that all start from.
    """

    training: TrainingSet
    tests: dict[str, TrainingSet]
    trunk: Path


def measure(setting: Setting) -> None:
    """Train what is missing: with every rate for few rounds, with the chosen one to the end."""
    torch.set_num_threads(1)
    work = setting.work / "methods"
    sheets = drawn(setting, work)
    record = Record(work / "runs.json")
    for method in METHODS:
        for rate in RATES:
            tuned(record, method, rate, sheets, work, setting.progress)
    for seed in SEEDS:
        for method in (*METHODS, WITHOUT):
            figures_kept(record, method, seed, sheets, work, setting.progress)
        content = stated(record, sheets)
        content |= after_fewer_rounds(content, setting.stored(RESULTS))
        setting.store(RESULTS, content)


def settings_of(
    method: str, rate: float, rounds: int, seed: int, trunk: str = "none"
) -> TrainConfig:
    """Return the settings of one training.

    Examples
    --------
    >>> made = [settings_of(method, 1e-3, 8, 0) for method in METHODS]
    >>> [(one.rounds, one.classifier.steps + one.joint.steps) for one in made]
    [(8, 250), (8, 250), (8, 250)]
    """
    plain = method == "baseline"
    phase: dict[str, Any] = {"batch": BATCH, "precision": PRECISION}
    content: dict[str, Any] = {
        "name": method,
        "seed": seed,
        "validation_share": 0.25,
        "input": _INPUT,
        "trunk": _TRUNK | {"weights": trunk},
        "augment": {"shift_mm": 6.0},
        "rounds": rounds,
        "classifier": {"steps": STEPS if plain else 0, "trunk_lr": rate} | phase,
        "warm": {"steps": 0 if plain else WARM} | phase,
        "joint": {"steps": 0 if plain else STEPS, "trunk_lr": rate} | phase,
    }
    return TrainConfig(**content, **_HEADS[method])


def drawn(setting: Setting, work: Path) -> Sheets:
    """Draw all sheets and train the trunk, or take up what is there."""
    base = settings_of("baseline", 1e-3, 1, 0)
    training = graded_sheets(setting, *TRAINING, base)
    tests = {name: graded_sheets(setting, *which, base) for name, which in TESTS.items()}
    path = work / "trunk.pth"
    if not path.is_file():
        steps = base.classifier.model_copy(update={"steps": TRUNK_STEPS})
        config = base.model_copy(update={"classifier": steps})
        others = graded_sheets(setting, *TRUNK_SHEETS, config)
        made = classifiers_trunk(config, others, work / "trunk", None, setting.progress)
        with atomic_file(path) as temporary:
            torch.save(made.state_dict(), temporary)
    return Sheets(training, tests, path)


def tuned(
    record: Record,
    method: str,
    rate: float,
    sheets: Sheets,
    work: Path,
    progress: Progress = SILENT,
) -> None:
    """Train with one rate for few rounds, on the first seed's persons, unless it is known."""
    name = f"{method}-{rate:g}"
    if record.has(name, 0):
        return
    config = settings_of(method, rate, TUNING_ROUNDS, 0, str(sheets.trunk))
    found = trained_in_rounds(config, sheets.training, work / name, progress)
    record.keep(name, 0, {"validation_f1": found.figures["f1"]})


def figures_kept(
    record: Record,
    method: str,
    seed: int,
    sheets: Sheets,
    work: Path,
    progress: Progress = SILENT,
) -> None:
    """Train one network with the chosen rate and test it, unless its figures are there."""
    if record.has(method, seed):
        return
    config = settings_of(method, chosen(record, method), ROUNDS, seed, str(sheets.trunk))
    folder = work / f"{method}-seed-{seed}"
    found = trained_in_rounds(config, sheets.training, folder, progress)
    scores = curve(folder)
    figures: dict[str, Any] = {
        "validation": [round(score, 4) for score in scores],
        "late_gain": late_gain(scores),
    }
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
    record.keep(method, seed, figures)
    progress.step("Networks", 1, 1)


def tries(record: Record, method: str) -> list[float]:
    """Return the best F1 on validation that a method came to with each rate."""
    return [record.runs[f"{method}-{rate:g}"]["0"]["validation_f1"] for rate in RATES]


def chosen(record: Record, method: str) -> float:
    """Return the rate with the best F1 on validation; without the term, what the term's has."""
    return RATES[int(np.argmax(tries(record, "protoverse" if method == WITHOUT else method)))]


def stated(record: Record, sheets: Sheets) -> dict[str, Any]:
    """Return all figures with what made them, and the differences with their intervals."""
    task = settings_of("baseline", 1e-3, 1, 0).task
    labels = {name: class_labels(data, task) for name, data in sheets.tests.items()}
    all_methods = (*METHODS, WITHOUT)
    done = set.intersection(*(set(record.runs[method]) for method in all_methods))
    runs = {m: {seed: record.runs[m][seed] for seed in sorted(done)} for m in all_methods}
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
        "size": _INPUT["size"],
        "batch": BATCH,
        "precision": PRECISION,
        "rounds": {"tuning": TUNING_ROUNDS, "all": ROUNDS, "steps": STEPS, "warm": WARM},
        "rates": RATES,
        "tuning": {method: tries(record, method) for method in METHODS},
        "chosen": {method: chosen(record, method) for method in all_methods},
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


def after_fewer_rounds(content: dict[str, Any], former: dict[str, Any] | None) -> dict[str, Any]:
    """Return what a former stored result said after fewer rounds of the same trainings.

    Parameters
    ----------
    content : dict
        What is to be stored, of :func:`stated`.
    former : dict or None
        What is stored so far.

    Returns
    -------
    dict
        ``after_fewer_rounds``: number of rounds -> differences; nothing where the former result
        is of other persons or settings, or knows of no fewer rounds.
    """
    if former is None or _design(former) != _design(content):
        return {}
    known = dict(former.get("after_fewer_rounds", {}))
    if former["rounds"]["all"] < content["rounds"]["all"]:
        known[str(former["rounds"]["all"])] = former["differences"]
    return {"after_fewer_rounds": known} if known else {}


def _design(content: dict[str, Any]) -> dict[str, Any]:
    """Return what is the same in trainings that only go on, as JSON reads it."""
    same = ("trunk", "training", "tests", "size", "batch", "precision", "rates", "chosen")
    rounds = {key: value for key, value in content.get("rounds", {}).items() if key != "all"}
    found = {key: content.get(key) for key in same} | {"rounds": rounds}
    return json.loads(json.dumps(found))


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
