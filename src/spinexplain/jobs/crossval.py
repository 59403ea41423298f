"""Several trainings compared on the same folds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spinexplain.progress import SILENT, Progress


@dataclass(frozen=True)
class CrossvalRequest:
    """What ``crossval`` is asked for.

    Parameters
    ----------
    presets : tuple of str
        Presets or TOML files, each with overrides.
    cohort, out : Path
    folds : int
    seed : int
    jobs : int
        Folds trained side by side.
    so_far : bool
        Whether nothing is trained and only the finished folds of ``out`` are judged.
    device : str
        ``"cpu"`` or ``"cuda"``, for gradient descent.
    """

    presets: tuple[str, ...]
    cohort: Path
    out: Path
    folds: int = 5
    seed: int = 0
    jobs: int = 1
    so_far: bool = False
    device: str = "cpu"


def crossval_to_folder(request: CrossvalRequest, progress: Progress = SILENT) -> dict[str, Any]:
    """Cross-validate and judge; return what ``results.json`` holds.

    Parameters
    ----------
    request : CrossvalRequest
    progress : Progress
        Hears every training as a stage, and its steps.

    Raises
    ------
    SpinexplainError
        If presets, cohort or output folder are wrong; with ``so_far`` if there is no such
        experiment or no fold is finished.
    """
    from spinexplain.config.entries import parse_entries
    from spinexplain.data.cohort import Cohort
    from spinexplain.experiment.crossval import Plan, cross_validate
    from spinexplain.experiment.crossval_results import crossval_results
    from spinexplain.io.files import atomic_file

    if request.so_far:
        return crossval_results(request.out, request.seed, so_far=True)
    plan = Plan(tuple(parse_entries(list(request.presets))), request.folds, request.seed)
    opened = Cohort.open(request.cohort)
    cross_validate(opened, plan, request.out, request.jobs, progress, request.device)
    results = crossval_results(request.out, request.seed)
    with atomic_file(request.out / "summary.md") as temporary:
        temporary.write_text(in_words(results), "utf-8")
    return results


def in_words(results: dict[str, Any]) -> str:
    """Return the results as a table in Markdown."""
    from spinexplain.experiment.crossval_results import results_markdown

    return results_markdown(results)
