"""The training of the prototype model whose prototypes know their part, on drawn sheets alone.

Everything is a function of the preset, the seeds and the counts below; they are recorded in
the bundle. The trunk goes on from that of the former model, which is in the package as well;
:func:`former_trunk` trains it from nothing, in the two stages it went through. An interrupted
training is taken up where it stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spinexplain.analysis.reliability import Reliability, measure_reliability
from spinexplain.config.training import TrainConfig, read_config
from spinexplain.data.crops.dataset import TrainingSet, joined
from spinexplain.data.crops.source import set_from_cohort
from spinexplain.data.phantom.sheets import GRADED
from spinexplain.models.bundle.store import load_grader, save_bundle
from spinexplain.models.grader import Grader, Scope
from spinexplain.models.runtime.export import export_bundle
from spinexplain.models.trunks.backbones import Trunk
from spinexplain.reproduce.cohorts import drawn_sheets
from spinexplain.reproduce.real_scans import RealScan, real_scan
from spinexplain.reproduce.setting import Setting
from spinexplain.spine.localize import localize
from spinexplain.spine.reformat import reformat
from spinexplain.train.grading.package import PHANTOM_LICENCE, Statement, bundle_of, scope_of
from spinexplain.train.grading.protoverse import without_twins
from spinexplain.train.grading.recipes import train_model
from spinexplain.train.grading.run import Trained
from spinexplain.types import ModelInfo, Patch

NAME, VERSION, FORMER = "protoverse-phantom-4", "4", "protoverse-phantom-3"
PRESET, FIRST_PRESET = "protoverse", "protoverse-unaddressed"
SEEDS = (0,)
STEPS, AVERAGE = 3400, 0.999
REAL = ("lumbar", "thoracic")
Counts = Mapping[tuple[str, int], int]
"""Preset and seed -> sheets."""

FIRST_SHEETS: Counts = {("balanced", 1): 20000, ("balanced", 2): 8000, ("hospital-like", 1): 16000}
FORMER_SHEETS: Counts = {
    ("balanced-2", 11): 3000,
    ("balanced-2", 21): 3000,
    ("hospital-like", 3): 1500,
    ("hospital-like", 23): 1000,
}
TRUNK_SHEETS: Counts = {**FIRST_SHEETS, **FORMER_SHEETS}
TRAINING: Counts = {
    ("balanced-2", 31): 3000,
    ("balanced-3", 32): 3000,
    ("balanced", 34): 3000,
    ("hospital-like", 35): 3500,
}
TWINS = ("balanced-2", "balanced-3")
"""Presets whose fractures come with their healthy twins."""

TEST_SEED, TEST_SHEETS = 4990, 450
TEST_PRESETS = ("placement", "balanced", "hard", "shifted-scanner", "verse-like-2")
TEST_TWINS = ("placement", "balanced", "hard")
"""Presets that scripts/evidence_bars.py asks for places, which needs the twins."""

COMMAND = "python scripts/train_shipped.py"
LEGEND = (
    "*moved*: every centroid 5 mm off in a random direction. *on body*, *on evidence*: share of "
    "the top 2 % of the strongest own-class map inside the vertebral body and, of fractures, on "
    "the true evidence, with crops moved by up to 20 mm. Maps that never saw the image stand "
    "beside it in docs/decisions/grounded-prototypes.md."
)
SHOWN = tuple(name for name in Reliability.__annotations__ if "gaussian" not in name)


def train_prototypes(setting: Setting, out: Path, fresh_trunk: bool = False) -> None:
    """Draw the cohorts, train every seed, choose on validation, test, and write the bundle.

    Parameters
    ----------
    setting : Setting
    out : Path
        The bundle's folder; every other seed's goes beside the runs.
    fresh_trunk : bool
        Train the former model again for its trunk, hours more, instead of taking it.
    """
    torch.set_num_threads(1)
    folder = setting.work / "prototypes"
    folder.mkdir(parents=True, exist_ok=True)
    trunk = former_trunk(setting) if fresh_trunk else taken_trunk(folder)
    data = read_all(setting, TRAINING)
    runs = [trained_from(trunk, seed, data, setting) for seed in SEEDS]
    best = chosen(runs)
    statement = stated(setting, best, runs, tested(best, setting), trunk)
    save_bundle(bundle_of(named_trunk(best), statement), out, force=True)
    # Without model.onnx, which doubles what the export adds and grading does not need; in
    # float32, so that grades do not hang on what a processor can do.
    export_bundle(out, out, onnx=False, force=True)
    for run in runs:
        bare = replace(statement, results={}, training={})
        path = folder / f"seed-{run.config.seed}"
        save_bundle(bundle_of(named_trunk(run), bare), path, force=True)


def taken_trunk(folder: Path) -> Path:
    """Write the trunk of the former shipped model into a file; return its path."""
    trunk = load_grader(FORMER, runtime="torch").model.trunk
    assert isinstance(trunk, Trunk)
    return saved_trunk(trunk, folder / "trunk.pth")


def former_trunk(setting: Setting) -> Path:
    """Train the former model for its trunk; an hour and a half of CPU.

    First prototypes without parts from nothing, then those that know their part.
    """
    folder = setting.work / "prototypes"
    first = train_model(
        read_config(FIRST_PRESET),
        read_all(setting, FIRST_SHEETS, twins=()),
        folder / "run-first",
        resume=True,
        progress=setting.progress,
    )
    path = saved_trunk(trunk_of(first), folder / "trunk-first.pth")
    former = train_model(
        on_trunk(str(path), seed=0),
        read_all(setting, FORMER_SHEETS),
        folder / "run-former",
        resume=True,
        progress=setting.progress,
    )
    return saved_trunk(trunk_of(former), folder / "trunk-again.pth")


def trunk_of(trained: Trained) -> Trunk:
    """Return a trained network's trunk."""
    assert isinstance(trained.model.trunk, Trunk)
    return trained.model.trunk


def saved_trunk(trunk: Trunk, path: Path) -> Path:
    """Write a trunk's tensors as training reads them."""
    torch.save(trunk.state_dict(), path)
    return path


def tensors_sha256(state: Mapping[str, torch.Tensor]) -> str:
    """Return a hash of tensors by their names, values and types, whatever file they lie in.

    Examples
    --------
    >>> one = {"a": torch.zeros(2), "b": torch.ones(1)}
    >>> tensors_sha256(one) == tensors_sha256(dict(reversed(one.items())))
    True
    >>> tensors_sha256(one) == tensors_sha256({"a": torch.zeros(2), "b": torch.zeros(1)})
    False
    """
    digest = sha256()
    for name in sorted(state):
        array = state[name].detach().cpu().numpy()
        digest.update(f"{name} {array.dtype} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def read_all(setting: Setting, counts: Counts, twins: Sequence[str] = TWINS) -> TrainingSet:
    """Return the sheets of several cohorts in their order; drawn if they are not there."""
    sets = []
    for (preset, seed), count in counts.items():
        cohort = drawn_sheets(setting, preset, seed, count, twins=preset in twins)
        sets.append(set_from_cohort(cohort, with_twins=preset in twins))
    return joined(sets)


def trained_from(trunk: Path, seed: int, data: TrainingSet, setting: Setting) -> Trained:
    """Train one seed."""
    run = setting.work / "prototypes" / f"run-{seed}"
    config = from_trunk(str(trunk), seed)
    return train_model(config, data, run, resume=True, progress=setting.progress)


def from_trunk(trunk: str, seed: int) -> TrainConfig:
    """Return the settings of the shipped training, which starts from a trained trunk.

    In float32, which is faster than bfloat16 on the processors it was trained on.
    """
    config = on_trunk(trunk, seed)
    joint = {"steps": STEPS, "average": AVERAGE, "precision": "fp32"}
    return config.model_copy(update={"joint": config.joint.model_copy(update=joint)})


def on_trunk(trunk: str, seed: int) -> TrainConfig:
    """Return the preset that starts from a trained trunk, without the classifier phase."""
    config = read_config(PRESET)
    return config.model_copy(
        update={
            "seed": seed,
            "trunk": config.trunk.model_copy(update={"weights": trunk}),
            "classifier": config.classifier.model_copy(update={"steps": 0}),
        }
    )


def chosen(runs: Sequence[Trained]) -> Trained:
    """Return the run with the best class-average F1 on its own validation persons."""
    return max(runs, key=lambda run: run.figures["f1"])


def named_trunk(trained: Trained) -> Trained:
    """Replace the path of the trunk in a run's settings by the file's name."""
    name = Path(trained.config.trunk.weights).name
    trunk = trained.config.trunk.model_copy(update={"weights": name})
    return replace(trained, config=trained.config.model_copy(update={"trunk": trunk}))


def tested(trained: Trained, setting: Setting) -> dict[str, Reliability]:
    """Measure a model on the held-out presets, without the twins."""
    return {
        preset: measure_reliability(
            trained,
            without_twins(read_all(setting, {(preset, TEST_SEED): TEST_SHEETS}, TEST_TWINS)),
        )
        for preset in TEST_PRESETS
    }


def stated(
    setting: Setting,
    trained: Trained,
    runs: Sequence[Trained],
    figures: Mapping[str, Reliability],
    trunk: Path,
) -> Statement:
    """Say what the model was trained and tested on, and how it did."""
    scope = replace(scope_of(trained), levels=GRADED)
    real = real_scores(trained, scope, setting)
    return Statement(
        name=NAME,
        version=VERSION,
        trained_on=trained_on(),
        scope=scope,
        results={
            "Held-out phantoms": f"{LEGEND}\n\n{table(figures)}",
            "Two real scans without a known fracture": real,
        },
        training=settings()
        | {
            "trunk_sha256": tensors_sha256(torch.load(trunk, weights_only=True)),
            "seeds": {str(run.config.seed): run.figures for run in runs},
            "reliability": {name: vars(figure) for name, figure in figures.items()},
        },
        data_licence=PHANTOM_LICENCE,
    )


def trained_on() -> str:
    """Say what the model was trained on."""
    return (
        f"{sum(TRAINING.values())} synthetic mid-sagittal sheets (phantom presets "
        f"{listed(TRAINING)}; fractures of {' and '.join(TWINS)} with their healthy twins), from a "
        f"trunk that learned on {sum(TRUNK_SHEETS.values())} others ({listed(TRUNK_SHEETS)}); no "
        "patient was used for training or selection. The phantoms are generated by this package "
        "and carry its MIT licence."
    )


def settings() -> dict[str, Any]:
    """Return what reproduces a training."""
    return {
        "command": COMMAND,
        "phantom_sheets": [[name, seed, n] for (name, seed), n in TRAINING.items()],
        "trunk_of": FORMER,
        "trunk_sheets": [[name, seed, n] for (name, seed), n in TRUNK_SHEETS.items()],
        "test_seed": TEST_SEED,
        "test_sheets": TEST_SHEETS,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
    }


def listed(counts: Counts) -> str:
    """Name presets, sheets and seeds.

    Examples
    --------
    >>> listed({("balanced", 1): 200, ("hard", 2): 100})
    'balanced 200 of seed 1, hard 100 of seed 2'
    """
    return ", ".join(f"{name} {n} of seed {seed}" for (name, seed), n in counts.items())


def table(figures: Mapping[str, Reliability]) -> str:
    """Lay the figures out as a Markdown table, one row a preset."""
    rows = [["preset", *(name.replace("_", " ") for name in SHOWN)]]
    rows.append(["---"] * len(rows[0]))
    for preset, figure in figures.items():
        rows.append([preset, *(f"{getattr(figure, name):.3f}" for name in SHOWN)])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def real_scores(trained: Trained, scope: Scope, setting: Setting) -> str:
    """Grade two real CTs and write level by level what came out; selects nothing."""
    config = trained.config
    info = ModelInfo(NAME, VERSION, "", config.classes, "")
    grader = Grader(trained.model, config.input, config.task, info, scope)
    lines = [
        "Model score of any fracture, per level; in brackets where the crop is out of scope. "
        "Thoracic T11 has a Schmorl node, lumbar L1 a dense endplate: look-alikes.",
        "",
    ]
    for name in REAL:
        patches = graded_patches(real_scan(setting.data, name))
        scores = []
        for patch, grading in zip(patches, grader.grade(patches), strict=True):
            text = f"{patch.vertebra.level.value} {1 - grading.probabilities[0]:.2f}"
            scores.append(f"({text})" if grader.not_assessable(patch) else text)
        lines.append(f"- {name}: {', '.join(scores)}")
    return "\n".join(lines)


def graded_patches(scan: RealScan) -> list[Patch]:
    """Return the sheets of a real scan's thoracic and lumbar levels."""
    vertebrae = localize(scan.volume, labels=scan.labels, centroids=scan.centroids)
    return [p for p in reformat(scan.volume, vertebrae) if p.vertebra.level.is_graded]
