"""Train the model that is shipped with the package: phantom sheets in, bundle out.

    python scripts/train_shipped.py                       # all of it, two hours of CPU
    python scripts/train_shipped.py --trunk trunk.pth     # from a trunk that is there, one hour
    python scripts/train_shipped.py --share 0.05 --work try --out try/bundle

Everything is a function of the preset, the seeds and the counts below; they are recorded
in the bundle. An interrupted run is taken up where it stopped.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import numpy as np
import torch

from spinexplain.analysis.reliability import (
    Reliability,
    measure_reliability,
)
from spinexplain.config.training import TrainConfig, read_config
from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.crops.dataset import TrainingSet, joined
from spinexplain.data.crops.source import set_from_cohort
from spinexplain.data.phantom.sheets import GRADED, phantom_sheets
from spinexplain.data.sheets import sheet_shard, twin_shard
from spinexplain.io.centroids import read_centroids
from spinexplain.io.nifti import read_labels, read_volume
from spinexplain.models.bundle.store import save_bundle
from spinexplain.models.grader import Grader, Scope
from spinexplain.models.runtime.export import export_bundle
from spinexplain.progress import Steps
from spinexplain.spine.localize import vertebrae_from_mask
from spinexplain.spine.reformat import reformat
from spinexplain.train.grading.export_inputs import calibration_of
from spinexplain.train.grading.package import PHANTOM_LICENCE, Statement, bundle_of, scope_of
from spinexplain.train.grading.protoverse import without_twins
from spinexplain.train.grading.recipes import train_model
from spinexplain.train.grading.run import Trained
from spinexplain.types import ModelInfo

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES, SCANS = ROOT / "src" / "spinexplain" / "data" / "examples", ("lumbar", "thoracic")
SHIPPED = ROOT / "src" / "spinexplain" / "models" / "shipped"
NAME, VERSION = "protoverse-phantom", "3"
# (preset, seed) -> sheets
TRUNK_SHEETS = {("balanced", 1): 20000, ("balanced", 2): 8000, ("hospital-like", 1): 16000}
TRAINING_SHEETS = {("balanced-2", 11): 8000, ("hospital-like", 3): 1500}
TEST_PRESETS, TEST_SEED = ("placement", "balanced", "hard", "shifted-scanner", "verse-like-2"), 990
TWINS = ("balanced-2",)  # whose fractures come with their healthy twins
SHARD = 500
LEGEND = (
    "*moved*: every centroid 5 mm off in a random direction. *on body*, *on evidence*: share of "
    "the top 2 % of the strongest own-class map inside the vertebral body and, of fractures, on "
    "the true evidence, with crops moved by up to 20 mm; *gaussian*: the same for a Gaussian in "
    "the middle of the crop."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the sheets to draw")
    parser.add_argument("--test-sheets", type=int, default=600, help="of each test preset")
    parser.add_argument("--trunk", help="state of a trunk to start from; trained if left out")
    parser.add_argument("--preset", default="protoverse")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "train-shipped")
    parser.add_argument("--out", type=Path, default=SHIPPED / NAME)
    options = parser.parse_args()
    torch.set_num_threads(1)
    trunk = options.trunk or trained_trunk(options.work, options.share)
    counts = {key: round(options.share * n) for key, n in TRAINING_SHEETS.items()}
    data = joined(
        [drawn(options.work, name, seed, n, name in TWINS) for (name, seed), n in counts.items()]
    )
    runs = [
        train_model(
            from_trunk(options.preset, trunk, seed),
            data,
            options.work / f"run-{seed}",
            resume=True,
            progress=Steps(shown),
        )
        for seed in range(options.seeds)
    ]
    chosen = max(runs, key=lambda run: run.figures["f1"])  # on validation subjects alone
    tests = {
        preset: drawn(options.work, preset, TEST_SEED, options.test_sheets, True)
        for preset in TEST_PRESETS
    }
    statement = stated(chosen, {name: without_twins(one) for name, one in tests.items()}, counts)
    statement.training["seeds"] = {str(run.config.seed): run.figures for run in runs}
    save_bundle(bundle_of(chosen, statement), options.out, force=True)
    calibration = calibration_of(chosen.data, chosen.config.input, "training sheets")
    # Without model.onnx, which doubles what the export adds and grading does not need.
    export_bundle(options.out, options.out, calibration, onnx=False, force=True)
    for run in runs:
        bare = replace(statement, results={}, training={})
        save_bundle(bundle_of(run, bare), options.work / f"seed-{run.config.seed}", force=True)
    print(options.out)


def trained_trunk(work: Path, share: float) -> str:
    """Train the former model, prototypes without parts, for its trunk; an hour of CPU."""
    config = read_config("protoverse-unaddressed")
    counts = {key: round(share * n) for key, n in TRUNK_SHEETS.items()}
    former = train_model(
        config,
        joined([drawn(work, name, seed, n) for (name, seed), n in counts.items()]),
        work / "run-trunk",
        resume=True,
        progress=Steps(shown),
    )
    path = work / "trunk.pth"
    torch.save(former.model.trunk.state_dict(), path)
    return str(path)


def from_trunk(preset: str, trunk: str, seed: int) -> TrainConfig:
    """Return a preset that starts from a trained trunk, without the classifier phase."""
    config = read_config(preset)
    return config.model_copy(
        update={
            "seed": seed,
            "trunk": config.trunk.model_copy(update={"weights": trunk}),
            "classifier": config.classifier.model_copy(update={"steps": 0}),
        }
    )


def drawn(work: Path, preset: str, seed: int, count: int, twins: bool = False) -> TrainingSet:
    """Draw phantom sheets into a cohort, or take up the one that is there."""
    settings = {"preset": preset, "seed": seed, "sheets": count}
    if twins:
        settings["twins"] = True
    writer = CohortWriter.create(work / f"{preset}-{seed}-{count}", settings, force=True)
    for start in range(0, count, SHARD):
        series = f"{preset}-{seed}-{start:06d}"
        if writer.notes("phantom", series) is None:
            number = min(SHARD, count - start)
            sheets = list(phantom_sheets(preset, seed, number, start=start, twins=twins))
            pairs = twin_shard(f"{series}-twins", sheets, seed=seed)
            if pairs is not None:
                writer.add_series(pairs)
            writer.add_series(sheet_shard(series, sheets, seed=seed))
            print(f"{preset}: {start + SHARD} sheets", flush=True)
    return set_from_cohort(writer.finish(), with_twins=twins)


def shown(phase: str, done: int, steps: int) -> None:
    if done % 100 == 0 or done == steps:
        print(f"{phase} {done}/{steps}", flush=True)


def stated(
    trained: Trained, tests: dict[str, TrainingSet], counts: dict[tuple[str, int], int]
) -> Statement:
    """Measure the model on held-out phantoms and say so."""
    figures = {name: measure_reliability(trained, data) for name, data in tests.items()}
    scope = replace(scope_of(trained), levels=GRADED)
    return Statement(
        data_licence=PHANTOM_LICENCE,
        name=NAME,
        version=VERSION,
        trained_on=(
            f"{sum(counts.values())} synthetic mid-sagittal sheets (phantom presets "
            f"{listed(counts)}, healthy twins of their fractures with them), from a trunk that "
            f"learned on {sum(TRUNK_SHEETS.values())} others ({listed(TRUNK_SHEETS)}); no patient "
            "was used for training or selection. The phantoms are generated by this package and "
            "carry its MIT licence."
        ),
        scope=scope,
        results={
            "Held-out phantoms": f"{LEGEND}\n\n{table(figures)}",
            "Two real scans without a known fracture": real_scans(trained, scope),
        },
        training={
            "command": "python scripts/train_shipped.py",
            "phantom_sheets": [[name, seed, n] for (name, seed), n in counts.items()],
            "trunk_sheets": [[name, seed, n] for (name, seed), n in TRUNK_SHEETS.items()],
            "test_seed": TEST_SEED,
            "reliability": {name: vars(figure) for name, figure in figures.items()},
            "torch": str(torch.__version__),
            "numpy": np.__version__,
        },
    )


def listed(counts: dict[tuple[str, int], int]) -> str:
    """Name presets, sheets and seeds."""
    return ", ".join(f"{name} {n} of seed {seed}" for (name, seed), n in counts.items())


def table(figures: dict[str, Reliability]) -> str:
    """Lay the figures out as a Markdown table, one row a preset."""
    names = list(vars(next(iter(figures.values()))))
    head = ["preset", *(name.replace("_", " ") for name in names)]
    rows = [head, ["---"] * len(head)]
    for preset, figure in figures.items():
        rows.append([preset, *(f"{value:.3f}" for value in vars(figure).values())])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def real_scans(trained: Trained, scope: Scope) -> str:
    """Grade the bundled real CTs and tell level by level what came out; selects nothing."""
    config = trained.config
    info = ModelInfo(NAME, VERSION, "", config.classes, "")
    grader = Grader(trained.model, config.input, config.task, info, scope)
    lumbar, thoracic = (read_volume(EXAMPLES / f"{name}_ct.nii.gz") for name in SCANS)
    mask = read_labels(EXAMPLES / "lumbar_seg-vert_msk.nii.gz")
    found = {
        "lumbar": (lumbar, vertebrae_from_mask(mask)),
        "thoracic": (thoracic, read_centroids(EXAMPLES / "thoracic_ctd.json", thoracic)),
    }
    lines = [
        "Model score of any fracture, per level; in brackets where the crop is out of scope. "
        "Thoracic T11 has a Schmorl node, lumbar L1 a dense endplate: look-alikes.",
        "",
    ]
    for name, (volume, vertebrae) in found.items():
        patches = [p for p in reformat(volume, vertebrae) if p.vertebra.level.is_graded]
        scores = []
        for patch, grading in zip(patches, grader.grade(patches), strict=True):
            text = f"{patch.vertebra.level.value} {1 - grading.probabilities[0]:.2f}"
            scores.append(f"({text})" if grader.not_assessable(patch) else text)
        lines.append(f"- {name}: {', '.join(scores)}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
