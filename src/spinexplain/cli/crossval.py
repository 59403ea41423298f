"""``spinexplain crossval``: several trainings compared on the same folds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from spinexplain.cli.options import Folds, Jobs, ResumableFolder, Seed, SoFar


def command(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="PRESET... COHORT",
            help="Presets or .toml files, each with overrides if you like "
            "(protoverse:loss.lambda_div=0,as=no-diversity), then what `prepare` wrote.",
        ),
    ],
    out: ResumableFolder,
    folds: Folds = 5,
    seed: Seed = 0,
    jobs: Jobs = 1,
    so_far: SoFar = False,
) -> None:
    """Compare trainings by cross-validation on the training split, by subject.

    Every preset is trained on every fold with its own settings and judged on what was held
    out; then intervals and tests on the differences. May be stopped at any time; the same
    command goes on where it stopped. Presets that begin with the same classifier share it.

    Example: spinexplain crossval baseline protoverse cohort --folds 5 -o comparison
    """
    *presets, cohort = arguments
    results = (
        judged_so_far(out, seed)
        if so_far
        else crossval_to_folder(presets, Path(cohort), out, folds=folds, seed=seed, jobs=jobs)
    )
    from spinexplain.experiment.crossval_results import results_markdown

    typer.echo(results_markdown(results))
    typer.echo(f"results: {out / 'results.json'}")


def judged_so_far(out: Path, seed: int) -> dict[str, Any]:
    """Judge the finished folds of an experiment that may still run.

    Raises
    ------
    SpinexplainError
        If there is no such experiment, or no fold is finished.
    """
    from spinexplain.experiment.crossval_results import crossval_results

    return crossval_results(out, seed, so_far=True)


def crossval_to_folder(
    presets: list[str], cohort: Path, out: Path, *, folds: int, seed: int, jobs: int
) -> dict[str, Any]:
    """Cross-validate and judge; return what ``results.json`` holds.

    Raises
    ------
    SpinexplainError
        If presets, cohort or output folder are wrong.
    """
    from spinexplain.config.entries import parse_entries
    from spinexplain.data.cohort import Cohort
    from spinexplain.experiment.crossval import Plan, cross_validate
    from spinexplain.experiment.crossval_results import crossval_results, results_markdown
    from spinexplain.io.files import atomic_file

    plan = Plan(tuple(parse_entries(presets)), folds, seed)
    opened = Cohort.open(cohort)
    with shown_trainings(len(plan.entries) * folds) as progress:
        cross_validate(opened, plan, out, jobs, progress)
    results = crossval_results(out, seed)
    with atomic_file(out / "summary.md") as temporary:
        temporary.write_text(results_markdown(results), "utf-8")
    return results


@contextmanager
def shown_trainings(total: int) -> Iterator[Callable[[str, int, int, str, int, int], None]]:
    """Show one bar over all trainings; call it with (entry, fold, folds, phase, done, steps)."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=30), TimeElapsedColumn())
    started: set[tuple[str, int]] = set()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        task = bars.add_task("trainings", total=total)

        def advance(entry: str, fold: int, folds: int, phase: str, done: int, steps: int) -> None:
            started.add((entry, fold))
            words = f"{entry}, fold {fold + 1} of {folds}: {phase} {done}/{steps}"
            bars.update(task, description=escape(words), completed=len(started) - 1)

        yield advance
