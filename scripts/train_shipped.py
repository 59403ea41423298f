"""Train the model that is shipped with the package: phantom sheets in, bundle out.

    python scripts/train_shipped.py                       # all of it, about an hour of CPU
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
    evidence_places,
    measure_reliability,
    paired_difference,
)
from spinexplain.config.training import read_config
from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.crops.dataset import TrainingSet, class_labels, joined
from spinexplain.data.crops.source import set_from_cohort
from spinexplain.data.phantom.sheets import GRADED, phantom_sheets
from spinexplain.data.sheets import sheet_shard
from spinexplain.evaluate.grading import class_average_f1, confusion_matrix
from spinexplain.explainers.cam import activation_maps
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
from spinexplain.train.grading.protoverse import trained_classifier
from spinexplain.train.grading.recipes import train_model
from spinexplain.train.grading.run import Trained
from spinexplain.train.grading.validate import predict
from spinexplain.types import ModelInfo

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES, SCANS = ROOT / "src" / "spinexplain" / "data" / "examples", ("lumbar", "thoracic")
NAME, VERSION = "protoverse-phantom", "2"
# (preset, seed) -> sheets
TRAINING_SHEETS = {("balanced", 1): 20000, ("balanced", 2): 8000, ("hospital-like", 1): 16000}
TEST_PRESETS, TEST_SEED = ("balanced", "hard", "shifted-scanner", "verse-like"), 990
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
    parser.add_argument("--test-sheets", type=int, default=400, help="of each test preset")
    parser.add_argument("--preset", default="protoverse")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "train-shipped")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "src" / "spinexplain" / "models" / "shipped" / NAME
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    config = read_config(options.preset)
    counts = {key: round(options.share * n) for key, n in TRAINING_SHEETS.items()}
    # Not held here: there is no room for the sheets twice.
    trained = train_model(
        config,
        joined([drawn(options.work, name, seed, n) for (name, seed), n in counts.items()]),
        options.work / "run",
        resume=True,
        progress=Steps(shown),
    )
    tests = {
        preset: drawn(options.work, preset, TEST_SEED, options.test_sheets)
        for preset in TEST_PRESETS
    }
    statement = stated(trained, tests, counts)
    compared = compare(trained, trained_classifier(trained, options.work / "run"), tests)
    statement.training["compared_with_classifier"] = compared
    save_bundle(bundle_of(trained, statement), options.out, force=True)
    calibration = calibration_of(trained.data, config.input, "training sheets")
    # Without model.onnx, which doubles what the export adds and grading does not need.
    export_bundle(options.out, options.out, calibration, onnx=False, force=True)
    print(options.out)


def drawn(work: Path, preset: str, seed: int, count: int) -> TrainingSet:
    """Draw phantom sheets into a cohort, or take up the one that is there."""
    settings = {"preset": preset, "seed": seed, "sheets": count}
    writer = CohortWriter.create(work / f"{preset}-{seed}-{count}", settings, force=True)
    for start in range(0, count, SHARD):
        series = f"{preset}-{seed}-{start:06d}"
        if writer.notes("phantom", series) is None:
            sheets = phantom_sheets(preset, seed, min(SHARD, count - start), start=start)
            writer.add_series(sheet_shard(series, sheets, seed=seed))
            print(f"{preset}: {start + SHARD} sheets", flush=True)
    return set_from_cohort(writer.finish())


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
            f"{', '.join(f'{name} {n} of seed {seed}' for (name, seed), n in counts.items())}); no "
            "patient was used for training or selection. The phantoms are generated by this "
            "package and carry its MIT licence."
        ),
        scope=scope,
        results={
            "Held-out phantoms": f"{LEGEND}\n\n{table(figures)}",
            "Two real scans without a known fracture": real_scans(trained, scope),
        },
        training={
            "command": "python scripts/train_shipped.py",
            "phantom_sheets": [[name, seed, n] for (name, seed), n in counts.items()],
            "test_seed": TEST_SEED,
            "reliability": {name: vars(figure) for name, figure in figures.items()},
            "torch": str(torch.__version__),
            "numpy": np.__version__,
        },
    )


def compare(
    trained: Trained, classifier: Trained, tests: dict[str, TrainingSet]
) -> dict[str, dict[str, object]]:
    """Compare grades and places with the classifier of the same trunk, paired by sheet.

    Differences of the share of the top 2 % on the true evidence, over fractures, with 95 %
    intervals: against a Gaussian in the middle of the crop, the classifier's class
    activation map and its GradCAM.
    """
    return {name: compared(trained, classifier, data) for name, data in tests.items()}


def compared(trained: Trained, classifier: Trained, data: TrainingSet) -> dict[str, object]:
    labels = class_labels(data, trained.config.task)
    used, labels = data.take(labels >= 0), labels[labels >= 0]
    fractured = used.grades > 0
    places = evidence_places(trained, used, labels)[fractured]
    others = {
        "gaussian": places[:, 3],
        "class_activation_map": evidence_places(classifier, used, labels)[fractured, 1],
        "gradcam": evidence_places(classifier, used, labels, gradcam)[fractured, 1],
    }
    f1 = [
        class_average_f1(
            confusion_matrix(
                labels,
                predict(one.model, used, one.config).argmax(axis=1),
                len(one.config.classes),
            )
        )
        for one in (trained, classifier)
    ]
    return {
        "fractures": int(fractured.sum()),
        "f1": f1[0],
        "f1_classifier": f1[1],
        "evidence_minus": {
            name: paired_difference(places[:, 1], other) for name, other in others.items()
        },
    }


def gradcam(model: torch.nn.Module, x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return activation_maps(model, x, labels.tolist(), "gradcam")[0]


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
