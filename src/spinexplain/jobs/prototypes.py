"""The atlas of a prototype model: what its prototypes are, what they do, how alike they are."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from spinexplain.progress import SILENT, Progress, Steps
from spinexplain.texts.printable import printable

if TYPE_CHECKING:
    from spinexplain.analysis.atlas.record import ModelAtlas


@dataclass(frozen=True)
class PrototypesRequest:
    """What ``prototypes`` is asked for.

    Parameters
    ----------
    run : str
        A run, a bundle or a shipped model.
    out : Path
    cohorts : tuple of Path
        What it was trained on, where it does not know.
    split : str, optional
        Which split it learned from; ``all`` for the whole cohort.
    bundle : Path, optional
        The run's model, if it is not ``RUN/bundle``.
    beside : str, optional
        A second model's run.
    redact : bool
        Whether the pixels of training crops are left out.
    """

    run: str
    out: Path
    cohorts: tuple[Path, ...] = ()
    split: str | None = None
    bundle: Path | None = None
    beside: str | None = None
    redact: bool = False
    force: bool = False


def atlas_to_folder(request: PrototypesRequest, progress: Progress = SILENT) -> ModelAtlas:
    """Measure a model's prototypes and write the atlas, whole or not at all.

    Raises
    ------
    SpinexplainError
        If the run or a cohort is missing or broken, they do not belong together, or the
        output exists.
    """
    from spinexplain.report.atlas_html import write_atlas

    atlas = atlas_of(request, progress)
    other = None
    if request.beside is not None:
        other = atlas_of(replace(request, run=request.beside, bundle=None), progress)
    write_atlas(atlas, request.out, other, command_line(request), force=request.force)
    return atlas


def command_line(request: PrototypesRequest) -> str:
    """Return the command that makes this atlas again."""
    words = ["spinexplain", "prototypes", request.run, "-o", str(request.out)]
    words += [part for path in request.cohorts for part in ("--cohort", str(path))]
    words += [] if request.beside is None else ["--beside", request.beside]
    return shlex.join(words)


def atlas_of(request: PrototypesRequest, progress: Progress = SILENT) -> ModelAtlas:
    """Open a run and measure its prototypes on the crops it learned from, where they are known.

    Raises
    ------
    SpinexplainError
        If the run or a cohort is missing or broken, or they do not belong together.
    """
    from spinexplain.analysis.atlas.build import measure_atlas
    from spinexplain.analysis.atlas.crops import training_data
    from spinexplain.data.cohort import Cohort
    from spinexplain.train.grading.run_folder import open_run

    opened = open_run(request.run, request.bundle)
    paths = request.cohorts or (() if opened.cohort is None else (opened.cohort,))
    split = request.split
    part = opened.split if split is None else None if split == "all" else split
    data = training_data(opened, [Cohort.open(path) for path in paths], part) if paths else None
    name = printable(opened.grader.info.name)

    def show(step: str, done: int, total: int) -> None:
        progress.step(f"{name}: {step}", done, total)

    return measure_atlas(opened, data, withheld=request.redact, progress=Steps(show))


def in_words(atlas: ModelAtlas) -> str:
    """Say in one line what was found."""
    from spinexplain.report.atlas_words import sentences
    from spinexplain.texts.catalogue import load_catalogue

    said = sentences(atlas, load_catalogue())
    return said[0] if said else f"{len(atlas.prototypes)} prototypes"
