"""The experiments of the two papers on VerSe: what is run, one step after another.

Presets stand in ``experiments/verse19`` and ``experiments/verse-s2`` of a checkout. Every step
is a command of the package that can be stopped; the whole goes on with the first one that has
not left its result.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from spinexplain.errors import ConfigError, FileFormatError, OutputError
from spinexplain.io.json_file import write_json
from spinexplain.progress import SILENT, Progress

METHODS = ("baseline", "protopnet", "protoverse")
SEEDS = (0, 1, 2)
HOURS = "hours.json"
DETECTORS = {
    "detector": "detector.toml",
    "as-published": "detector-as-published",
    "as-released": "detector-as-released",
}
"""The dissection paper's network three times, side by side on one cohort."""
SIZES = {25: 6601, 80: 6602, 250: 6603}
"""Scans -> seed of the phantoms that detectors learn from."""
UNSEEN, UNSEEN_SEED, UNSEEN_SCANS = "boxes-unseen", 6604, 40
"""What all of them are tested and dissected on."""
_RATES = "trunk_lr=3e-5|1e-4|3e-4"
"""Candidates of every method: equally many, chosen fold by fold on validation subjects."""


@dataclass(frozen=True)
class Asked:
    """What the person who runs an experiment has.

    Parameters
    ----------
    data : tuple of Path
        Folders of VerSe as they were unpacked.
    table : Path
        The fracture table.
    weights : Path, optional
        torchvision's VGG-11; without it trunks start from scratch, and the page says so.
    device : str
    settings : str
        Further settings for every training, as behind a preset's colon.
    folds, seeds : int
    """

    data: tuple[Path, ...]
    table: Path
    weights: Path | None = None
    device: str = "cpu"
    settings: str = ""
    folds: int = 5
    seeds: int = len(SEEDS)

    def preset(self, source: str, *settings: str) -> str:
        """Return a preset with its settings, as commands take it."""
        given = ",".join([*settings, *([self.settings] if self.settings else [])])
        return f"{source}:{given}" if given else source


@dataclass(frozen=True)
class Step:
    """One command and what it leaves.

    Parameters
    ----------
    name : str
    command : tuple of str
        Words behind ``spinexplain``.
    result : str
        File that is there when the step is done; empty for a step that is always run.
    answers : str
        What of the paper it is for.
    """

    name: str
    command: tuple[str, ...]
    result: str
    answers: str


@dataclass(frozen=True)
class Paper:
    """The experiments of one paper, or one claim of it on phantoms, which need no data."""

    folder: str
    title: str
    steps: Callable[[Asked], list[Step]]
    caveat: str = field(default="")
    needs_data: bool = True


def verse19(asked: Asked) -> list[Step]:
    """Return the steps of the ProtoVerse paper."""
    weights = f"trunk.weights={asked.weights.resolve()}" if asked.weights else "trunk.weights=none"
    device = ("--device", asked.device)
    folds = ("--folds", str(asked.folds))
    tuned = [
        asked.preset(f"{name}.toml", weights, f"{_phase(name)}.{_RATES}", f"as={name}")
        for name in METHODS
    ]
    steps = [
        _prepared(asked, "cohort"),
        Step(
            "cross-validation",
            ("crossval", *tuned, "cohort", *folds, *device, "-o", "results/crossval"),
            "results/crossval/results.json",
            "tables 2 and 3, figure 3",
        ),
    ]
    for name in METHODS:
        for seed in SEEDS[: asked.seeds]:
            preset = asked.preset(f"{name}.toml", weights, f"as={name}")
            steps += _tested(name, seed, preset, device)
    varied = asked.preset("protoverse.toml", weights, "as=protoverse")
    by_samples = asked.preset("protoverse.toml", weights, "loss.normalize=samples", "as=protoverse")
    return [
        *steps,
        Step(
            "ablation",
            _ablation(
                asked, varied, ("prototypes=2,3,4,5", "lambda_div=0,0.1,0.3,0.5"), "ablation"
            ),
            "results/ablation/results.json",
            "tables 5 and 6",
        ),
        Step(
            "weighting",
            _ablation(asked, by_samples, ("weighting=none,ins,isns,median",), "weighting"),
            "results/weighting/results.json",
            "figure 7",
        ),
        _tables("cohort"),
    ]


def verse_s2(asked: Asked) -> list[Step]:
    """Return the steps of the dissection paper."""
    steps = [_prepared(asked, "boxes", "--patches", "3d")]
    for name, source in DETECTORS.items():
        settings = () if source.endswith(".toml") else ("task=any-fracture",)
        preset = asked.preset(source, *settings)
        sides = ("--train", "boxes", "--test", "boxes", "--seeds", str(asked.seeds))
        out = f"results/trials-{name}"
        words = ("trials", preset, *sides, "--device", asked.device, "-o", out)
        steps.append(Step(f"trials, {name}", words, f"{out}/result.json", "table 1"))
        steps += [
            _dissected(f"{out}/runs/boxes--seed{seed}", "boxes", f"{name}-seed{seed}")
            for seed in range(asked.seeds)
        ]
    return [*steps, _tables()]


def detector_sizes(asked: Asked) -> list[Step]:
    """Return the steps of the dissection paper's central claim: patterns from many, none from few.

    Detectors learn from cohorts of three sizes, every training is dissected on the same unseen
    spines.
    """
    trained = {f"boxes-{scans}": (seed, scans) for scans, seed in SIZES.items()}
    drawn = {**trained, UNSEEN: (UNSEEN_SEED, UNSEEN_SCANS)}
    steps = [
        Step(f"draw {name}", _drawn(name, *pair), f"{name}/index.parquet", "all")
        for name, pair in drawn.items()
    ]
    sides = (*(word for name in trained for word in ("--train", name)), "--test", UNSEEN)
    splits = ("--train-split", "all", "--test-split", "all", "--seeds", str(asked.seeds))
    out = "results/trials"
    words = ("trials", asked.preset("detector"), *sides, *splits, "--device", asked.device)
    steps.append(Step("trials", (*words, "-o", out), f"{out}/result.json", "table 1"))
    steps += [
        _dissected(f"{out}/runs/{name}--seed{seed}", UNSEEN, f"{name}-seed{seed}")
        for name in trained
        for seed in range(asked.seeds)
    ]
    return [*steps, _tables()]


def _dissected(run: str, cohort: str, name: str) -> Step:
    """Return the dissection of one training; every training is dissected, not the first alone."""
    out = f"results/dissection-{name}"
    command = ("dissect", f"{run}/bundle", cohort, "-o", out)
    return Step(f"dissect {name}", command, f"{out}/dissection.json", "table 2")


def _drawn(name: str, seed: int, scans: int) -> tuple[str, ...]:
    how = ("--cohort", "boxes", "--subjects", str(scans), "--seed", str(seed))
    return ("phantom", name, *how, "--preset", "hospital-like")


PAPERS = {
    "verse19": Paper(
        "verse19",
        "ProtoVerse on VerSe'19",
        verse19,
        "Not a replication: the paper graded VerSe'19 anew in-house (G0 1308, G2 76, G3 52); the "
        "public table has G0 1180, G2 96, G3 51. With five folds no two-sided Wilcoxon test can "
        "reach 0.05.",
    ),
    "verse-s2": Paper(
        "verse-s2",
        "Interpretable vertebral fracture diagnosis on VerSe",
        verse_s2,
        "The paper's larger figures rest on 465 patients that are not public; the comparison is "
        "with its first row.",
    ),
    "detector-sizes": Paper(
        "",
        "Units of detectors that learned from few and from many phantoms",
        detector_sizes,
        "The claim holds if units tied to fracture, and log odds lost by silencing the first ten, "
        "rise with size in every seed; a training at chance is a result. Synthetic spines.",
        needs_data=False,
    ),
}


def _phase(name: str) -> str:
    return "classifier" if name == "baseline" else "joint"


def _prepared(asked: Asked, out: str, *options: str) -> Step:
    folders = tuple(str(folder.resolve()) for folder in asked.data)
    table = ("--table", str(asked.table.resolve()))
    command = ("prepare", *folders, *table, *options, "-o", out)
    return Step("cohort", command, f"{out}/index.parquet", "all")


def _tested(name: str, seed: int, preset: str, device: tuple[str, ...]) -> list[Step]:
    run, out = f"runs/{name}-seed{seed}", f"results/test-{name}-seed{seed}"
    train = ("train", preset, "cohort", "--seed", str(seed), *device, "-o", run)
    return [
        Step(f"{name}, seed {seed}", train, f"{run}/bundle/manifest.json", "table 1"),
        Step(
            f"{name}, seed {seed}, tested",
            ("evaluate", run, "cohort", "--split", "test", "-o", out),
            f"{out}/figures.json",
            "table 1",
        ),
    ]


def _ablation(asked: Asked, preset: str, over: tuple[str, ...], out: str) -> tuple[str, ...]:
    factors = tuple(word for factor in over for word in ("--over", factor))
    folds = ("--folds", str(asked.folds), "--seeds", str(asked.seeds))
    where = ("--device", asked.device, "-o", f"results/{out}")
    return ("ablate", "cohort", "--preset", preset, *factors, *folds, *where)


def _tables(cohort: str = "") -> Step:
    drawn = ("--cohort", cohort) if cohort else ()
    return Step("tables", ("tables", "results", *drawn, "-o", "tables", "--force"), "", "all")


def paper_of(name: str) -> Paper:
    """Look a paper's experiments up.

    Raises
    ------
    ConfigError
        If there are none of this name.
    """
    if name not in PAPERS:
        raise ConfigError(f"{name}: no such experiment; expected one of {', '.join(PAPERS)}.")
    return PAPERS[name]


def copy_presets(checkout: Path, paper: Paper, out: Path) -> None:
    """Put a paper's presets into the folder that everything is run in.

    Raises
    ------
    FileFormatError
        If the checkout holds none.
    """
    presets = sorted((checkout / "experiments" / paper.folder).glob("*.toml"))
    if not presets and paper.folder:
        raise FileFormatError(
            f"{checkout}: holds no experiments/{paper.folder}/*.toml; expected a checkout of the "
            "repository. Name one with --checkout."
        )
    out.mkdir(parents=True, exist_ok=True)
    for preset in presets:
        if not (out / preset.name).is_file():
            shutil.copyfile(preset, out / preset.name)


def run_steps(
    steps: list[Step],
    out: Path,
    run: Callable[[tuple[str, ...], Path], int],
    after: Callable[[], object],
    progress: Progress = SILENT,
) -> None:
    """Run what has not left its result, and note what each step took.

    Parameters
    ----------
    steps : list of Step
    out : Path
        Commands run here; ``hours.json`` adds up what every step took, interruptions included.
    run : callable
        Runs one command in a folder and returns its exit code.
    after : callable
        Called after every step: it writes the page anew.
    progress : Progress

    Raises
    ------
    OutputError
        If a command fails; the same call goes on with it.
    """
    for done, step in enumerate(steps):
        progress.note(f"step {done + 1} of {len(steps)}: {step.name}")
        if step.result and (out / step.result).exists():
            continue
        started = time.monotonic()
        code = run(_resumed(step.command, out), out)
        _add_hours(out, step.name, (time.monotonic() - started) / 3600)
        if code:
            raise OutputError(
                f"{out}: step {step.name} (`spinexplain {step.command[0]}`) ended with code "
                f"{code}; expected 0. Its message stands above; the same command goes on with "
                "this step."
            )
        after()


def _resumed(command: tuple[str, ...], out: Path) -> tuple[str, ...]:
    """Let a training that was begun go on."""
    if command[0] == "train" and (out / command[-1]).is_dir():
        return (*command, "--resume")
    return command


def _add_hours(out: Path, name: str, hours: float) -> None:
    known = read_hours(out)
    write_json(out / HOURS, {**known, name: known.get(name, 0.0) + hours})


def read_hours(out: Path) -> dict[str, float]:
    """Return what every step took so far, in hours."""
    path = out / HOURS
    return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else {}


def run_command(command: tuple[str, ...], folder: Path) -> int:
    """Run a command of the package in a process of its own; what it prints is shown."""
    program = [sys.executable, "-m", "spinexplain.cli.main", *command]
    return subprocess.run(program, cwd=folder, check=False).returncode
