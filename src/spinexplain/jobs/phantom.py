"""Synthetic spines with known truth: scans in VerSe's layout, or a cohort to train on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spinexplain.errors import ConfigError
from spinexplain.progress import SILENT, Progress


@dataclass(frozen=True)
class PhantomRequest:
    """What ``phantom`` is asked for.

    Parameters
    ----------
    out : Path
        Folder to write, or to go on with.
    subjects : int
        How many spines.
    seed : int
    preset : str
    twins : bool
        Whether every spine is written without its fractures too.
    jobs : int
        Processes that draw side by side.
    """

    out: Path
    subjects: int = 1
    seed: int = 0
    preset: str = "balanced"
    twins: bool = False
    jobs: int = 1
    force: bool = False


@dataclass(frozen=True)
class WrittenPhantoms:
    """Where the scans are.

    Parameters
    ----------
    scans : Path
    table : Path
        The fracture table.
    more : int
        Subjects in the folder beyond those asked for.
    """

    scans: Path
    table: Path
    more: int


def phantom_to_folder(request: PhantomRequest, progress: Progress = SILENT) -> WrittenPhantoms:
    """Draw the spines that are not there yet, and write table and truth.

    Raises
    ------
    SpinexplainError
        If a number or the preset is wrong, the folder holds something else, or a process that
        draws was killed twice.
    """
    from spinexplain.data.phantom.write import begun_subjects, write_phantom

    out = request.out
    table = write_phantom(
        out,
        request.subjects,
        request.seed,
        request.preset,
        request.jobs,
        force=request.force,
        twins=request.twins,
        progress=progress,
    )
    return WrittenPhantoms(out / "rawdata", table, len(begun_subjects(out)) - request.subjects)


@dataclass(frozen=True)
class PhantomCohortRequest:
    """What ``phantom --cohort`` is asked for.

    Parameters
    ----------
    out : Path
        The cohort to write, or to go on with.
    kind : {"sheets", "boxes"}
        2-D reformations, each of another person; or the 3-D boxes of whole scans.
    count : int
        How many sheets, or scans.
    seed : int
    preset : str
    twins : bool
        Whether every fractured vertebra comes with its healthy twin; sheets only.
    rater_error : float, optional
        Standard deviation of the error of three simulated raters, as a share of the height;
        sheets only.
    masks : bool
        Whether boxes come with labels, bodies and evidence; sheets always do.
    jobs : int
        Processes that draw side by side.
    """

    out: Path
    kind: str
    count: int = 1
    seed: int = 0
    preset: str = "balanced"
    twins: bool = False
    rater_error: float | None = None
    masks: bool = True
    jobs: int = 1
    force: bool = False


def phantom_cohort(request: PhantomCohortRequest, progress: Progress = SILENT) -> int:
    """Draw a cohort, or what is missing of it; return how many vertebrae it holds.

    Raises
    ------
    SpinexplainError
        If an option does not go with the kind, a number or the preset is wrong, the folder
        holds something else, or a process that draws was killed twice.
    """
    from spinexplain.data.phantom.cohorts import box_cohort, sheet_cohort

    _check_kind(request)
    named = (request.out, request.preset, request.seed, request.count)
    if request.kind == "sheets":
        cohort = sheet_cohort(
            *named,
            twins=request.twins,
            rater_error=request.rater_error,
            jobs=request.jobs,
            force=request.force,
            progress=progress,
        )
    else:
        cohort = box_cohort(
            *named,
            masks=request.masks,
            jobs=request.jobs,
            force=request.force,
            progress=progress,
        )
    return len(cohort)


def _check_kind(request: PhantomCohortRequest) -> None:
    if request.kind not in ("sheets", "boxes"):
        raise ConfigError(f"--cohort {request.kind}: expected sheets or boxes.")
    for_sheets = {"--twins": request.twins, "--raters": request.rater_error is not None}
    wrong = [option for option, given in for_sheets.items() if given]
    if request.kind == "boxes" and wrong:
        raise ConfigError(
            f"--cohort boxes has no {wrong[0]}; expected it with --cohort sheets. To get twins of "
            "scans, write scans with --twins and prepare them."
        )
    if request.kind == "sheets" and not request.masks:
        raise ConfigError("--no-masks goes with --cohort boxes; sheets always come with masks.")
