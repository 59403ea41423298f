"""Lay out which fractures' similarity does not fall on the healthy twin, pair by pair.

    python scripts/evidence_twins.py OUT.json NAME=BUNDLE... --cohorts FOLDER --seed SEED

The strengths are those of ``evidence_bars.py``; the truth is drawn again. Nothing is chosen here:
the pairs belong to the test.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from evidence_bars import answers
from evidence_bench import TASK, Bench, opened

from spinexplain.config.training import InputSpec
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.sheets import GRADED, draw_grades, phantom_sheets
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.heads.prototype import PrototypeNet

PRESET = "hard"


def pairs(model: PrototypeNet, spec: InputSpec, bench: Bench) -> list[dict[str, Any]]:
    """Return every fracture with its strength, its twin's, and the grades called on both."""
    owner, connections = model.prototype_class.numpy(), model.last_layer.weight.detach().numpy()
    best = [
        maps.reshape(*maps.shape[:2], -1).max(axis=2)
        for maps in (answers(model, crops, spec) for crops in (bench.crops, bench.twin_crops))
    ]
    own = owner[None] == bench.grades[:, None]
    strength, twin = (np.where(own, seen, 0).max(axis=1) for seen in best)
    called, called_twin = ((seen @ connections.T).argmax(axis=1) for seen in best)
    return [
        {
            "strength": round(float(strength[k]), 4),
            "twin": round(float(twin[k]), 4),
            "called": TASK[called[k]],
            "called_twin": TASK[called_twin[k]],
        }
        for k in range(len(own))
    ]


def truths(bench: Bench, seed: int) -> list[dict[str, Any]]:
    """Return what is true of every fracture, and whether a vertebra beside it is fractured."""
    found = []
    for name in bench.fractures.subjects:
        preset, drawn_seed, k = str(name).rsplit("-", 2)
        if (preset, int(drawn_seed)) != (bench.name, seed):
            raise SystemExit(f"{name} is not of {bench.name}-{seed}; expected its cohort.")
        truth = next(phantom_sheets(preset, seed, 1, start=int(k))).truth
        found.append(
            {
                "subject": str(name),
                "level": truth.level,
                "grade": f"G{truth.grade}",
                "shape": truth.shape,
                "loss": round(truth.loss, 3),
                "own_loss": round(truth.own_loss, 3),
                "look_alikes": list(truth.look_alikes),
                "fractured_beside": fractured_beside(preset, seed, int(k)),
            }
        )
    return found


def fractured_beside(preset: str, seed: int, k: int) -> bool:
    """Whether a neighbor of the vertebra of sheet ``k`` is fractured, in its twin too."""
    anatomy = np.random.SeedSequence(seed, spawn_key=(k,)).spawn(4)[0]
    target, grades = draw_grades(np.random.default_rng(anatomy), load_preset(preset))
    at = GRADED.index(target)
    return any(grades.get(GRADED[i]) for i in (at - 1, at + 1) if 0 <= i < len(GRADED))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("runs", nargs="+", help="NAME=BUNDLE")
    parser.add_argument("--cohorts", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=4990, help="of the cohorts")
    options = parser.parse_args()
    torch.set_num_threads(1)
    graders = {
        name: load_grader(run, runtime="torch")
        for name, run in (run.split("=", 1) for run in options.runs)
    }
    spec = next(iter(graders.values())).spec
    bench = opened(next(options.cohorts.glob(f"{PRESET}-{options.seed}-*")), spec)
    found: dict[str, Any] = {
        "preset": PRESET,
        "seed": options.seed,
        "fractures": truths(bench, options.seed),
        "pairs": {},
    }
    for name, grader in graders.items():
        assert isinstance(grader.model, PrototypeNet)
        found["pairs"][name] = pairs(grader.model, grader.spec, bench)
    options.out.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
