"""Units of a 3-D detector that look at a planted mark, silenced: what that is worth without marks.

A small detector learns from boxes of phantoms of the preset ``shortcut``: a bright mark lies before
nine of ten fractured vertebrae and one of twenty healthy ones. It learns from every second person
and is tested on the others, with the marks and, the same vertebrae, without. A stated rule stands
for the clinician: of the first ten units by contrast those are rejected whose masks lie on the mark
at least six times as much as by chance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spinexplain.config.training import TrainConfig, read_config
from spinexplain.data.crops.source import set_from_cohort
from spinexplain.evaluate.bootstrap import Interval, weighted_bootstrap
from spinexplain.evaluate.detection import detection_figures
from spinexplain.explainers.dissection.activity import layer_activity
from spinexplain.explainers.dissection.effect import mean_levels
from spinexplain.explainers.dissection.grid import cell_grid
from spinexplain.explainers.dissection.samples import Samples, select_samples
from spinexplain.models.grader import Grader
from spinexplain.models.heads.detector import DetectorNet
from spinexplain.reproduce.dissection.cohorts import marked_boxes
from spinexplain.reproduce.dissection.evidence import TOP, Units, compared, evidence_of
from spinexplain.reproduce.dissection.shortcut import ON_THE_MARK
from spinexplain.reproduce.setting import Setting
from spinexplain.train.curation.silencing import with_silenced
from spinexplain.train.grading.recipes import train_model
from spinexplain.types import ModelInfo

RESULTS = "silencing.json"
SEED, SCANS, FOLDS = 22, 30, 2
TRAINED = (0,)
"""Folds that a detector is trained for: the second would double the cost."""
EXTENT_MM, SIZE, EPOCHS, BATCH = 80.0, 40, 16, 8
GROUPS, DRAWS = 10, 2000


@dataclass(frozen=True, eq=False)
class Fold:
    """A detector with the boxes that it learned from and those that it is tested on.

    Parameters
    ----------
    grader : Grader
    learned : Samples
        Marked.
    tests : dict of str to Samples
        ``"marked"`` and, row for row the same vertebrae, ``"plain"``.
    """

    grader: Grader
    learned: Samples
    tests: dict[str, Samples]

    @property
    def model(self) -> DetectorNet:
        """The network."""
        assert isinstance(self.grader.model, DetectorNet)
        return self.grader.model


def measure(setting: Setting) -> None:
    """Train what is missing, silence, and store the figures."""
    torch.set_num_threads(1)
    config = design()
    folds = [fold_of(setting, config, number) for number in TRAINED]
    answers = [answered(fold, config) for fold in folds]
    setting.store(RESULTS, stated(folds, answers))


def design() -> TrainConfig:
    """Return the preset on boxes of 2 mm that hold the mark: what a CPU affords."""
    config = read_config("detector")
    changes: dict[str, dict[str, Any]] = {
        "input": {"extent_mm": EXTENT_MM, "size": SIZE},
        "detector": {"epochs": EPOCHS, "patience": EPOCHS, "batch": BATCH, "precision": "fp32"},
        "volume_augment": {"share": 0.5, "elastic_mm": 0.0},
    }
    return config.model_copy(
        update={name: getattr(config, name).model_copy(update=new) for name, new in changes.items()}
    )


def fold_of(setting: Setting, config: TrainConfig, number: int) -> Fold:
    """Train on one half of the persons, or take up the run that is there."""
    cohorts = marked_boxes(setting, SEED, SCANS, masks=True)
    chosen = {name: select_samples(one, config.input, config.task) for name, one in cohorts.items()}
    persons = chosen["marked"].column("subject").astype(str)
    tested = half_of(persons, number)
    data = set_from_cohort(cohorts["marked"], axes=3, masks=False)
    inside = np.isin(data.subjects, np.unique(persons[~tested]))
    run = setting.work / "silencing" / f"fold-{number}"
    learned_from = data.take(np.flatnonzero(inside))
    found = train_model(config, learned_from, run, resume=True, progress=setting.progress)
    info = ModelInfo(run.name, "0", "", config.classes, cohorts["marked"].path.name)
    grader = Grader(found.model.eval(), config.input, config.task, info)
    tests = {name: replace(one, rows=one.rows[tested]) for name, one in chosen.items()}
    learned = replace(chosen["marked"], rows=chosen["marked"].rows[~tested])
    return Fold(grader, learned, tests)


def half_of(persons: np.ndarray, number: int) -> np.ndarray:
    """Return whose vertebrae are in a fold: every second person.

    Examples
    --------
    >>> half_of(np.array(["a", "a", "b", "c"]), 0).tolist()
    [True, True, False, True]
    """
    place = np.unique(persons, return_inverse=True)[1]
    return np.asarray(place % FOLDS == number)


def rejected_units(fold: Fold) -> tuple[list[int], np.ndarray, Units]:
    """Dissect a detector on what it learned from.

    Returns
    -------
    list of int
        Units among the first ten by contrast that lie on the mark.
    levels : ndarray of float64, shape (U,)
        What each unit would be held at.
    units : Units
    """
    learned = fold.learned
    seen = layer_activity(fold.model, "trunk", learned.batches(8), len(learned))
    marks = np.stack([evidence_of(learned, n, "shortcut") for n in range(len(learned))])
    grid = cell_grid(seen.grid, learned.side, fold.grader.spec.size, fold.model.trunk.field)
    units = compared(seen, grid, learned, marks)
    lift = units.share() / units.chance
    first = units.top("contrast")
    return [int(u) for u in first if lift[u] >= ON_THE_MARK], mean_levels(seen), units


def answered(fold: Fold, config: TrainConfig) -> dict[str, Any]:
    """Return what a detector and its silenced copies say of the vertebrae it did not learn from.

    Returns
    -------
    dict
        ``rejected`` and ``odds``: by network (``as trained``, ``silenced``, ``first ten``, and
        ``at random`` as a list), then ``marked`` and ``plain``, log odds of each vertebra.
    """
    rejected, levels, units = rejected_units(fold)
    first = units.top("contrast").tolist()
    rng = np.random.default_rng([SEED, 5])
    others = np.setdiff1d(np.flatnonzero(units.ranked), rejected)
    count = min(max(len(rejected), 1), len(others))
    groups = [rng.choice(others, count, replace=False).tolist() for _ in range(GROUPS)]
    lift = units.share() / units.chance
    features = trunk_features(fold)

    def without(silent: list[int]) -> dict[str, np.ndarray]:
        return log_odds(fold, config, features, levels, silent)

    return {
        "rejected": rejected,
        "lift": [round(float(lift[u]), 1) for u in first],
        "odds": {
            "as trained": without([]),
            "silenced": without(rejected),
            "first ten": without(first),
        },
        "at random": [without(group) for group in groups],
    }


def trunk_features(fold: Fold) -> dict[str, Tensor]:
    """Run the trunk over the tested vertebrae once: whatever is silenced comes after it."""
    with torch.inference_mode():
        return {
            name: torch.cat([fold.model.trunk(x) for x in samples.batches(8)])
            for name, samples in fold.tests.items()
        }


def log_odds(
    fold: Fold,
    config: TrainConfig,
    features: dict[str, Tensor],
    levels: np.ndarray,
    units: list[int],
) -> dict[str, np.ndarray]:
    """Return the log odds of fracture of the tested vertebrae, marked and plain."""
    network = fold.model
    if units:
        held = {unit: float(levels[unit]) for unit in units}
        silent, _ = with_silenced(fold.model, config.head, 2, config.input, held)
        assert isinstance(silent, DetectorNet)
        network = silent
    with torch.inference_mode():
        return {
            name: torch.cat(
                [network.head(network.silence(part)).double() for part in seen.split(16)]
            ).numpy()
            for name, seen in features.items()
        }


def stated(folds: list[Fold], answers: list[dict[str, Any]]) -> dict[str, Any]:
    """Return all figures with what made them."""
    truth = np.concatenate([fold.tests["plain"].positive for fold in folds])
    persons = np.concatenate([fold.tests["plain"].column("subject").astype(str) for fold in folds])
    sizes = [len(fold.tests["plain"]) for fold in folds]
    before = pooled(answers, "as trained")
    rows = {
        name: row_of(before, pooled(answers, name), truth, persons, sizes)
        for name in ("as trained", "silenced", "first ten")
    }
    drawn = [row_of(before, pooled_group(answers, k), truth, persons, sizes) for k in range(GROUPS)]
    return {
        "command": "spinexplain reproduce silencing --fresh",
        "seed": SEED,
        "scans": SCANS,
        "extent_mm": EXTENT_MM,
        "size": SIZE,
        "epochs": EPOCHS,
        "torch": str(torch.__version__),
        "vertebrae": len(truth),
        "fractured": int(truth.sum()),
        "folds": [
            {"learned": len(f.learned), "units": len(answer["rejected"]), "lift": answer["lift"]}
            for f, answer in zip(folds, answers, strict=True)
        ],
        "first": TOP,
        "on_the_mark": ON_THE_MARK,
        "rows": rows,
        "at_random": mean_row(drawn),
    }


def pooled(answers: list[dict[str, Any]], name: str) -> dict[str, np.ndarray]:
    """Join the folds' answers of one kind of network."""
    kinds = ("marked", "plain")
    return {k: np.concatenate([answer["odds"][name][k] for answer in answers]) for k in kinds}


def pooled_group(answers: list[dict[str, Any]], group: int) -> dict[str, np.ndarray]:
    """Join the folds' answers without one group of units drawn at random."""
    kinds = ("marked", "plain")
    return {k: np.concatenate([a["at random"][group][k] for a in answers]) for k in kinds}


def row_of(
    before: dict[str, np.ndarray],
    after: dict[str, np.ndarray],
    truth: np.ndarray,
    persons: np.ndarray,
    sizes: list[int],
) -> dict[str, Any]:
    """Return the figures of one network, and what it gains on vertebrae without marks.

    The area under the curve is the mean over the folds: scores of two networks have no common
    scale.
    """
    row: dict[str, Any] = {k: figures(after[k], truth, sizes) for k in ("marked", "plain")}
    change = [((odds["plain"] >= 0) == truth).astype(float) for odds in (after, before)]
    gained = change[0] - change[1]
    found = weighted_bootstrap(lambda rows: rows @ gained / rows.sum(axis=1), persons, SEED, DRAWS)
    return row | {"gained": interval(found)}


def figures(odds: np.ndarray, truth: np.ndarray, sizes: list[int]) -> dict[str, float]:
    """Return accuracy, sensitivity, specificity and area under the curve of log odds."""
    called, ends = odds >= 0, np.cumsum([0, *sizes])
    areas = [detection_figures(truth[a:b].astype(int), odds[a:b])["auc"] for a, b in pairwise(ends)]
    return {
        "accuracy": float((called == truth).mean()),
        "sensitivity": float(called[truth].mean()),
        "specificity": float((~called[~truth]).mean()),
        "auc": float(np.mean(areas)),
    }


def interval(found: Interval) -> dict[str, float | None]:
    """Return an interval as JSON has it."""
    known = {name: float(getattr(found, name)) for name in ("value", "low", "high")}
    return {name: value if np.isfinite(value) else None for name, value in known.items()}


def mean_row(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Average the figures of networks without groups drawn at random; gains by their mean."""
    kinds = {
        kind: {key: float(np.mean([row[kind][key] for row in rows])) for key in rows[0][kind]}
        for kind in ("marked", "plain")
    }
    gains = [row["gained"]["value"] for row in rows]
    return kinds | {"gained": {"value": float(np.mean(gains)), "most": float(np.max(gains))}}
