"""From a cohort's folder to a run with its bundle, with a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


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
    from spinexplain.train.package import Statement, bundle_of
    from spinexplain.train.protoverse import train_model
    from spinexplain.train.source import set_from_cohort

    config = read_config(preset)
    if seed is not None:
        config = config.model_copy(update={"seed": seed})
    data = set_from_cohort(Cohort.open(cohort), axes=config.input.axes, split=split)
    with _bars() as progress:
        trained = train_model(config, data, out, resume=resume, progress=progress)
    kind = "synthetic spines only" if data.synthetic else "patients' CTs"
    statement = Statement(
        name=f"{config.name}-{out.name}",
        version="1",
        trained_on=f"{len(trained.data)} vertebrae of {kind} (cohort {cohort.name}, {split})",
    )
    save_bundle(bundle_of(trained, statement), out / "bundle", force=True)
    return trained.figures


@contextmanager
def _bars() -> Iterator[Callable[[str, int, int], None]]:
    """Show one bar per phase; call what it yields with (phase, steps done, steps)."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bars:
        tasks: dict[str, int] = {}

        def advance(phase: str, done: int, total: int) -> None:
            if phase not in tasks:
                tasks[phase] = bars.add_task(phase, total=total)
            bars.update(tasks[phase], completed=done, total=total)  # type: ignore[arg-type]

        yield advance
