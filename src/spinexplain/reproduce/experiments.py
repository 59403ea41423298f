"""The comparisons of the ProtoVerse paper on phantoms: the commands, one after another.

Presets stand in experiments/phantom, where its README says what each command compares.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import torch

from spinexplain.config.training import read_config
from spinexplain.errors import FileFormatError, OutputError
from spinexplain.io.files import atomic_file
from spinexplain.reproduce.cohorts import graded_sheets
from spinexplain.reproduce.heads.trunks import classifiers_trunk
from spinexplain.reproduce.setting import Setting

RESULTS = "experiments"
BALANCED, VERSE_LIKE = "balanced-71", "verse-like-72"
COHORTS = (
    ("phantom", BALANCED, "--subjects", "1500", "--seed", "71", "--preset", "balanced"),
    ("phantom", VERSE_LIKE, "--subjects", "1000", "--seed", "72", "--preset", "verse-like"),
)
OVER = (
    "prototypes=2,3,4,5",
    "lambda_div=0,0.1,0.3,0.5",
    "head.initial_prototypes=own_class_patches,uniform",
    "head.log_epsilon=1e-2,1e-4",
    "projection.allow_duplicates=false,true",
    "projection.inside_target=true,false",
    "last_layer.constrained=true,false",
    "loss.lambda_outside=2.0,0.0",
)
WEIGHTING = "weighting=none,ins,isns,median"
TRUNK_SHEETS, TRUNK_STEPS = ("balanced", 70, 1000), 1200
"""What the plain classifier learns from whose trunk all comparisons start from."""
TUNED = "warm.head_lr=1e-3|3e-3|1e-2,warm.steps=400"
TASKS = ("g0-g1-g2-g3", "g0-g2-g3", "any-fracture")
NETWORKS = ("baseline", "protopnet", "protoverse", "protoverse-lambda-0")
KEPT = ("*.json", "*.csv", "*.md", "*.parquet", "*.png", "predictions/*.parquet")


def commands() -> dict[str, tuple[str, ...]]:
    """Return the command that fills each folder of results, in order."""
    heads = ("ablate", BALANCED, "--preset", "heads.toml", "--folds", "3")
    found = {"heads": (*heads, *(part for over in OVER for part in ("--over", over)))}
    weighted = ("ablate", BALANCED, "--preset", "heads.toml:loss.normalize=samples,as=heads")
    found["weighting"] = (*weighted, "--folds", "3", "--over", WEIGHTING)
    found["heads-tuned"] = compared(
        f"heads.toml:{TUNED},as=protoverse",
        f"heads.toml:loss.lambda_div=0,{TUNED},as=protoverse-lambda-0",
        f"heads-protopnet.toml:{TUNED},as=protopnet",
    )
    for task in TASKS:
        found[f"task-{task}"] = compared(
            f"heads.toml:task={task},as=cross-entropy",
            f"heads.toml:task={task},loss.grading=ordinal,as=ordinal",
            f"heads.toml:task={task},loss.grading=soft,as=soft",
        )
    found["comparison"] = compared(
        *(f"{name}.toml" for name in NETWORKS[:3]),
        "protoverse.toml:loss.lambda_div=0,as=protoverse-lambda-0",
        folds=5,
    )
    for name in NETWORKS:
        run = f"comparison/runs/{name}/fold-0"
        found[f"test-{name}"] = ("evaluate", run, VERSE_LIKE, "--split", "all")
    return {folder: (*command, "-o", folder) for folder, command in found.items()}


def compared(*presets: str, folds: int = 3) -> tuple[str, ...]:
    """Return a cross-validation of presets."""
    return ("crossval", *presets, BALANCED, "--folds", str(folds))


def measure(setting: Setting) -> None:
    """Draw the cohorts, run every command, and keep what the page is written from."""
    work = setting.work / "experiments"
    copy_presets(setting.checkout, work)
    plain_trunk(setting, work)
    jobs = ("--jobs", str(setting.jobs))
    for cohort in COHORTS:
        run((*cohort, "--cohort", "sheets", "--raters", *jobs), work)
    found = commands()
    for done, (folder, command) in enumerate(found.items(), 1):
        tested = command[0] == "evaluate"
        if not (tested and (work / folder).is_dir()):
            run(command if tested else (*command, *jobs), work)
        keep(work / folder, setting.results / RESULTS / folder)
        setting.progress.step("Comparisons", done, len(found))


def copy_presets(checkout: Path, work: Path) -> None:
    """Put the presets into the folder of work.

    Raises
    ------
    FileFormatError
        If the checkout holds no presets.
    """
    presets = sorted((checkout / "experiments" / "phantom").glob("*.toml"))
    if not presets:
        raise FileFormatError(
            f"{checkout}: holds no experiments/phantom/*.toml; expected a checkout of the "
            "repository. Name one with --checkout."
        )
    work.mkdir(parents=True, exist_ok=True)
    for preset in presets:
        shutil.copyfile(preset, work / preset.name)


def plain_trunk(setting: Setting, work: Path) -> Path:
    """Train the trunk that all comparisons start from; it never sees a prototype's loss.

    Nothing is done where it is there.
    """
    path = work / "trunk.pth"
    if not path.is_file():
        heads = read_config(work / "heads.toml")
        classifier = heads.classifier.model_copy(update={"steps": TRUNK_STEPS, "trunk_lr": 1e-3})
        trunk = heads.trunk.model_copy(update={"weights": "none"})
        config = heads.model_copy(update={"classifier": classifier, "trunk": trunk})
        preset, seed, count = TRUNK_SHEETS
        sheets = graded_sheets(setting, preset, seed, count, config)
        made = classifiers_trunk(config, sheets, work / "trunk", None, setting.progress)
        with atomic_file(path) as temporary:
            torch.save(made.state_dict(), temporary)
    return path


def run(command: tuple[str, ...], work: Path) -> None:
    """Run one command of the package in the folder of work.

    Raises
    ------
    OutputError
        If it fails, with the last line that it said.
    """
    program = [sys.executable, "-m", "spinexplain.cli.main", *command]
    ended = subprocess.run(program, cwd=work, capture_output=True, text=True)
    if ended.returncode:
        said = (ended.stderr.strip().splitlines() or ["nothing was said"])[-1]
        raise OutputError(f"{work}: `spinexplain {command[0]}` failed ({said}).")


def keep(folder: Path, out: Path) -> None:
    """Copy the figures of a comparison, and not its networks."""
    for path in sorted(path for pattern in KEPT for path in folder.glob(pattern)):
        target = out / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
