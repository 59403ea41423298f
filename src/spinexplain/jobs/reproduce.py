"""A page of the documentation from stored or from fresh results."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spinexplain.errors import ConfigError, FileFormatError, OutputError
from spinexplain.progress import SILENT, Progress

if TYPE_CHECKING:
    from spinexplain.reproduce.studies import Study


@dataclass(frozen=True)
class ReproduceRequest:
    """What ``reproduce`` is asked for.

    Parameters
    ----------
    name : str
        A key of :data:`spinexplain.reproduce.studies.STUDIES`.
    out : Path
        Folder laid out as docs: pages, images/, results/. May exist; what it holds of an
        interrupted run is taken up.
    fresh : bool
        Whether results are measured, not taken from the repository.
    checkout : Path
        A checkout of the repository: stored results, pages, real CTs.
    work : Path, optional
        Where cohorts, scans and networks are kept; ``out``/work by default.
    jobs : int
        Processes that draw side by side.
    """

    name: str
    out: Path
    fresh: bool = False
    checkout: Path = Path()
    work: Path | None = None
    jobs: int = 1


def reproduce(request: ReproduceRequest, progress: Progress = SILENT) -> list[Path]:
    """Measure if asked for, and write pages and figures; return what was written.

    Raises
    ------
    ConfigError
        If there is no such study, or nothing measures it afresh.
    FileFormatError
        If there is no checkout where one is expected.
    OutputError
        If the pages could not be written.
    """
    from spinexplain.reproduce.studies import study_of

    study = study_of(request.name)
    docs = _docs(request.checkout)
    results = docs / "results"
    if request.fresh and (study.run or study.how):
        _measure(study, request, progress)
        results = request.out / "results"
    return _written(docs, request.name, results, request.out)


def _docs(checkout: Path) -> Path:
    docs = checkout.resolve() / "docs"
    if not (docs / "writers" / "__main__.py").is_file():
        raise FileFormatError(
            f"{checkout}: is no checkout of the repository (docs/writers is missing); expected "
            "stored results and pages there. Run in a checkout, or name one with --checkout."
        )
    return docs


def _measure(study: Study, request: ReproduceRequest, progress: Progress) -> None:
    from spinexplain.reproduce.setting import Setting
    from spinexplain.reproduce.studies import measuring

    if not study.run:
        raise ConfigError(
            f"{request.name}: is measured by other commands, see {study.how}; expected "
            "--from-stored."
        )
    setting = Setting(
        checkout=request.checkout.resolve(),
        work=request.work or request.out / "work",
        results=request.out / "results",
        images=request.out / "images",
        jobs=request.jobs,
        progress=progress,
    )
    measuring(study)(setting)


def _written(docs: Path, name: str, results: Path, out: Path) -> list[Path]:
    """Run the page writers of a checkout, which are no part of the package."""
    command = [sys.executable, "-m", "writers", name]
    folders = ["--results", str(results.resolve()), "--out", str(out.resolve())]
    ended = subprocess.run([*command, *folders], cwd=docs, capture_output=True, text=True)
    if ended.returncode:
        said = (ended.stderr.strip().splitlines() or ["nothing was said"])[-1]
        raise OutputError(f"{out}: the pages of {name} were not written ({said}).")
    return [Path(line) for line in ended.stdout.splitlines()]
