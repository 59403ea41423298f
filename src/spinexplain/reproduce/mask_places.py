"""How well the place of a fracture can be read off the true mask: the leaderboard's opponent.

Written down before it was measured. Two readings of the walls and discs that
:mod:`~spinexplain.reproduce.mask_walls` finds. One by hand. One by boosted trees, which learn
endplate and third from fractures of the shipped training; what they see was chosen on one half of
its persons after learning from the other. Both answer for the leaderboard's fractures once, by the
metric that maps are asked by.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from spinexplain.analysis.explanations.assemble import scoring_of
from spinexplain.analysis.explanations.bench import Bench, bench_rows, open_bench
from spinexplain.analysis.explanations.figures import Scoring, map_figures
from spinexplain.config.training import InputSpec
from spinexplain.data.cohort import Cohort
from spinexplain.data.phantom.bench import bench_cohort
from spinexplain.io.files import atomic_file
from spinexplain.reproduce.cohorts import drawn_sheets
from spinexplain.reproduce.mask_walls import Walls, features_of, painted, read_by_hand, walls_of
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.shipped_prototypes import TRAINING, TWINS
from spinexplain.reproduce.transfer.tasks import code_hash

RESULTS = "explanations-mask.json"
PRESET, SEED, VERTEBRAE, DRAWS = "placement", 90001, 200, 2000
"""The leaderboard's."""

TREES = {"max_iter": 100, "max_leaf_nodes": 8, "learning_rate": 0.1, "random_state": 0}
ASKED = ("endplate", "third")


def measure(setting: Setting) -> None:
    """Learn from the training's fractures, read the leaderboard's, and store what is right."""
    trees = learned([fractures_of(setting, preset) for preset in TWINS])
    folder = setting.work / "cohorts" / f"leaderboard-{PRESET}-2d"
    scoring = scored(bench_cohort(folder, PRESET, SEED, VERTEBRAE, 2))
    bench = scoring.bench
    walls = walls_of(bench.masks["body"], bench.masks["neighbors"], bench.bodies)
    readings = {"by hand": read_by_hand(walls), "by boosted trees": read_by_trees(trees, walls)}
    rows = [{"reading": name, **placed(scoring, parts)} for name, parts in readings.items()]
    setting.store(RESULTS, {"cohort": PRESET, "bench_seed": SEED, "rows": rows})


def scored(cohort: Cohort) -> Scoring:
    """Open the leaderboard's vertebrae with what maps are asked."""
    spec = InputSpec()
    bench = open_bench(cohort, bench_rows(cohort, spec.axes, None, 0, 0), spec)
    return scoring_of(bench, 0, DRAWS)


def fractures_of(setting: Setting, preset: str) -> tuple[Walls, dict[str, np.ndarray]]:
    """Return walls and true parts of one training cohort's fractures; kept in the work folder."""
    ((name, seed, count),) = [(*key, n) for key, n in TRAINING.items() if key[0] == preset]
    drawn = f"{name}-{seed}-{count}-{code_hash('reproduce/mask_walls.py')}.npz"
    path = setting.work / "mask-walls" / drawn
    if not path.is_file():
        cohort = drawn_sheets(setting, name, seed, count, twins=True)
        twins = cohort.index["healthy_twin"].to_numpy(bool)
        broken = cohort.index["grade"].isin(["G2", "G3"]).to_numpy(bool) & ~twins
        keep_walls(open_bench(cohort, np.flatnonzero(broken), InputSpec()), path)
    with np.load(path) as kept:
        truth = {question: kept[question] for question in ASKED}
        return Walls(kept["heights"], kept["discs"]), truth


def keep_walls(bench: Bench, path: Path) -> None:
    """Write walls and true parts of a bench, at once or not at all."""
    walls = walls_of(bench.masks["body"], bench.masks["neighbors"], bench.bodies)
    path.parent.mkdir(parents=True, exist_ok=True)
    endplate, third = (bench.truth[question] for question in ASKED)
    with atomic_file(path) as temporary:
        np.savez(
            temporary, heights=walls.heights, discs=walls.discs, endplate=endplate, third=third
        )


def learned(
    known: list[tuple[Walls, dict[str, np.ndarray]]],
) -> dict[str, HistGradientBoostingClassifier]:
    """Let trees learn each question from the fractures that have one answer to it."""
    features = np.concatenate([features_of(walls) for walls, _ in known])
    trees = {}
    for question in ASKED:
        truth = np.concatenate([parts[question] for _, parts in known])
        asked = truth >= 0
        tree = HistGradientBoostingClassifier(**TREES)
        trees[question] = tree.fit(features[asked], truth[asked])
    return trees


def read_by_trees(trees: Mapping[str, HistGradientBoostingClassifier], walls: Walls) -> np.ndarray:
    """Return the product of what trees say for each endplate and third, (n, 2, 3)."""
    endplate, third = (trees[name].predict_proba(features_of(walls)) for name in ASKED)
    return endplate[:, :, None] * third[:, None]


def placed(scoring: Scoring, parts: np.ndarray) -> dict[str, Any]:
    """Ask what was read as any map is asked."""
    bench = scoring.bench
    shape = bench.masks["body"].shape[1:]
    maps = [painted(one, frame, shape) for one, frame in zip(parts, bench.bodies, strict=True)]
    return {"placement": map_figures(scoring, np.stack(maps))["placement"]}
