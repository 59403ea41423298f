"""``spinexplain phantom``: synthetic spines with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import Force, Jobs, Seed
from spinexplain.cli.progress import shown_steps
from spinexplain.jobs.phantom import (
    PhantomCohortRequest,
    PhantomRequest,
    phantom_cohort,
    phantom_to_folder,
)

RATER_ERROR = 0.05
"""Standard deviation of a simulated rater's error, as a share of the height."""


Preset = Annotated[
    str,
    typer.Option(
        "--preset",
        help="What kind: demo, balanced, balanced-2, balanced-3, verse-like, verse-like-2, "
        "hospital-like, wide, wide-2, wide-test, wide-test-2, hard, placement, shortcut, "
        "shortcut-2 or shifted-scanner.",
    ),
]
Cohort = Annotated[
    str | None,
    typer.Option(
        "--cohort",
        metavar="KIND",
        help="Draw a cohort to train on instead of scans: sheets (one vertebra of each "
        "spine, 2-D) or boxes (all vertebrae of each spine, 3-D).",
    ),
]
Twins = Annotated[
    bool, typer.Option("--twins", help="Also write every spine without its fractures.")
]
Raters = Annotated[
    bool, typer.Option("--raters", help="Sheets also get the grades of three simulated raters.")
]
Masks = Annotated[bool, typer.Option("--masks/--no-masks", help="Whether boxes come with masks.")]


def command(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write, or to go on with.")],
    subjects: Annotated[int, typer.Option("--subjects", min=1, help="How many spines.")] = 1,
    seed: Seed = 0,
    preset: Preset = "balanced",
    cohort: Cohort = None,
    twins: Twins = False,
    raters: Raters = False,
    masks: Masks = True,
    jobs: Jobs = 1,
    force: Force = False,
) -> None:
    """Write synthetic CT scans of spines in VerSe's layout, with table and truth; or a cohort.

    Subject k is the same whatever --subjects and --jobs are. May be stopped at any time; the
    same command goes on where it stopped. Subjects that are there stay, if fewer are asked for.

    Example: spinexplain phantom synthetic --subjects 20 --seed 1 --preset verse-like --jobs 2

    Example: spinexplain phantom cohort --cohort sheets --subjects 1500 --seed 71
    """
    if cohort is not None:
        error = RATER_ERROR if raters else None
        _draw_cohort(
            PhantomCohortRequest(
                out, cohort, subjects, seed, preset, twins, error, masks, jobs, force
            )
        )
        return
    if raters or not masks:
        raise typer.BadParameter("--raters and --no-masks go with --cohort")
    _draw_scans(PhantomRequest(out, subjects, seed, preset, twins, jobs, force))


def _draw_cohort(request: PhantomCohortRequest) -> None:
    with shown_steps(keep=False) as progress:
        vertebrae = phantom_cohort(request, progress)
    typer.echo(f"cohort: {request.out}, {vertebrae} vertebrae")


def _draw_scans(request: PhantomRequest) -> None:
    with shown_steps(keep=False) as progress:
        written = phantom_to_folder(request, progress)
    typer.echo(f"scans: {written.scans}\nfracture table: {written.table}")
    if written.more:
        typer.echo(
            f"{written.more} more subjects than asked for were there; they stay in the table"
        )
