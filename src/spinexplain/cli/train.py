"""``spinexplain train``: a cohort in, a model bundle out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.progress import shown_phases


def command(
    preset: Annotated[str, typer.Argument(metavar="PRESET", help="Preset's name or a .toml file.")],
    cohort: Annotated[Path, typer.Argument(metavar="COHORT", help="What `prepare` wrote.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="RUN", help="Folder of the run.")],
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an interrupted run stopped.")
    ] = False,
    split: Annotated[
        str, typer.Option("--split", help="Which split of the cohort to learn from, or all.")
    ] = "training",
    seed: Annotated[
        int | None, typer.Option("--seed", help="Replaces the preset's seed. Same seed, same bits.")
    ] = None,
) -> None:
    """Train a model on a cohort: baseline, protopnet, protoverse or detector.

    Writes RUN/config.json, RUN/log.csv, checkpoints and RUN/bundle, which
    `grade --model RUN/bundle` takes. A tenth of the subjects is set aside for validation.

    Example: spinexplain train protoverse cohort -o run
    """
    figures = train_to_bundle(preset, cohort, out, resume=resume, split=split, seed=seed)
    shown = ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
    typer.echo(f"validation: {shown}")
    typer.echo(f"model: {out / 'bundle'}")


def train_to_bundle(
    preset: str, cohort: Path, out: Path, *, resume: bool, split: str, seed: int | None
) -> dict[str, float]:
    """Train by a preset and save the bundle beside the run's log.

    Returns
    -------
    dict of str to float
        Validation figures of the chosen round.

    Raises
    ------
    SpinexplainError
        If preset, cohort or output folder are wrong.
    """
    from spinexplain.config import read_config
    from spinexplain.data.cohort import Cohort
    from spinexplain.models.checkpoint import save_bundle
    from spinexplain.models.grader import Scope
    from spinexplain.train.fingerprint import fingerprint
    from spinexplain.train.package import Statement, bundle_of
    from spinexplain.train.recipes import train_model
    from spinexplain.train.source import set_from_cohort

    config = read_config(preset)
    if seed is not None:
        config = config.model_copy(update={"seed": seed})
    chosen = None if split == "all" else split
    data = set_from_cohort(
        Cohort.open(cohort),
        axes=config.input.axes,
        split=chosen,
        masks=config.head.kind != "detector",
    )
    known = fingerprint(data)
    with shown_phases() as progress:
        trained = train_model(config, data, out, resume=resume, progress=progress)
    _remember_cohort(out, cohort, chosen, known)
    kind = "synthetic spines only" if data.synthetic else "patients' CTs"
    statement = Statement(
        name=f"{config.name}-{out.name}",
        version="1",
        trained_on=f"{len(trained.data)} vertebrae of {kind} (cohort {cohort.name}, {split})",
        scope=Scope(levels=_levels_seen(trained.data.levels)),
        training={"cohort": {"name": cohort.name, "split": chosen, "fingerprint": known}},
    )
    save_bundle(bundle_of(trained, statement), out / "bundle", force=True)
    return trained.figures


def _levels_seen(levels: Iterable[str]) -> tuple[str, ...]:
    from spinexplain.anatomy import VertebraLevel

    seen = set(levels)
    return tuple(level.value for level in VertebraLevel if level.value in seen)


def _remember_cohort(run: Path, cohort: Path, split: str | None, fingerprint: str) -> None:
    """Note where the run found its cohort, so that `prototypes` finds it too."""
    from spinexplain.io.files import atomic_file
    from spinexplain.train.run_folder import COHORT_FILE

    told = {"path": str(cohort.resolve()), "split": split, "fingerprint": fingerprint}
    with atomic_file(run / COHORT_FILE) as temporary:
        temporary.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
