"""``spinexplain prepare``: VerSe or phantom folders in, a cohort out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.cohort_summary import print_summary
from spinexplain.cli.options import Force, Jobs, Seed
from spinexplain.cli.progress import shown_steps
from spinexplain.jobs.prepare import PrepareRequest, prepare_to_cohort
from spinexplain.texts.printable import printable


def command(
    sources: Annotated[
        list[Path], typer.Argument(metavar="SOURCE...", help="Folders in any layout of VerSe.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="COHORT", help="Folder to write.")],
    table: Annotated[
        Path | None, typer.Option("--table", help="Fracture table, xlsx or csv.")
    ] = None,
    patches: Annotated[str, typer.Option("--patches", help="2d, 3d or both.")] = "2d",
    overrides: Annotated[
        Path | None, typer.Option("--overrides", help="CSV of corrected labels.")
    ] = None,
    folds: Annotated[
        str | None,
        typer.Option(
            "--folds",
            help="How many folds to make, or a CSV subject,fold; by default 5, or none where "
            "there are fewer subjects.",
        ),
    ] = None,
    seed: Seed = 0,
    jobs: Jobs = 1,
    force: Force = False,
) -> None:
    """Turn folders of scans into a cohort: patches, labels, splits and a summary.

    May be stopped at any time; the same command goes on where it stopped.

    Example: spinexplain prepare dataset-verse19training --table table.xlsx -o cohort --jobs 2
    """
    from rich.console import Console

    request = PrepareRequest(
        sources=tuple(sources),
        table=table,
        out=out,
        patches=patches,
        overrides=overrides,
        folds=_folds_of(folds),
        seed=seed,
        jobs=jobs,
        force=force,
    )
    with shown_steps(keep=False) as progress:
        summary = prepare_to_cohort(request, progress)
    print_summary(summary, Console(stderr=True))
    typer.echo(f"cohort: {printable(str(out))}")


def _folds_of(text: str | None) -> int | Path | None:
    if text is None:
        return None
    return int(text) if text.isdecimal() else Path(text)
