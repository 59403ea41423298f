"""Trainings and tests of one preset across cohorts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spinexplain.progress import SILENT, Progress

if TYPE_CHECKING:
    from spinexplain.experiment.trials_result import TrialsResult

EVERYTHING = "all"


@dataclass(frozen=True)
class TrialsRequest:
    """What ``trials`` is asked for.

    Parameters
    ----------
    preset : str
        A preset's name or a TOML file, with overrides.
    train, test : tuple of str
        Cohorts; ``A+B`` joins two.
    out : Path
    seeds : int
        Trainings on each set.
    train_split, test_split : str
        Splits of the cohorts, or ``all``.
    device : str
        ``"cpu"`` or ``"cuda"``, for gradient descent.
    """

    preset: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    out: Path
    seeds: int = 5
    train_split: str = "training"
    test_split: str = "test"
    device: str = "cpu"


def trials_to_folder(request: TrialsRequest, progress: Progress = SILENT) -> TrialsResult:
    """Train on every training set and test on every test set; return the result.

    Raises
    ------
    SpinexplainError
        If preset, cohorts or output folder are wrong.
    """
    from spinexplain.config.entries import parse_config_text
    from spinexplain.experiment.trials import Trials, run_trials
    from spinexplain.experiment.trials_sources import parse_source

    splits = [
        None if name == EVERYTHING else name for name in (request.train_split, request.test_split)
    ]
    return run_trials(
        Trials(
            parse_config_text(request.preset),
            [parse_source(text, splits[0]) for text in request.train],
            [parse_source(text, splits[1]) for text in request.test],
            request.seeds,
            request.out,
            progress,
            request.device,
        )
    )


def in_words(result: TrialsResult) -> str:
    """Return the result as tables in Markdown."""
    from spinexplain.experiment.trials_result import markdown

    return markdown(result)
