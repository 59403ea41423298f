"""``spinexplain tables``: the papers' tables and figures from stored results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import Force
from spinexplain.jobs.tables import TablesRequest, tables_to_folder


def command(
    results: Annotated[
        list[Path],
        typer.Argument(metavar="RESULTS...", help="Folders with results of experiments."),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder to write.")],
    cohort: Annotated[
        Path | None,
        typer.Option(
            "--cohort",
            help="The cross-validation's, for figures 5 and 6: held-out vertebrae explained.",
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Write the papers' tables and figures, ours beside the published numbers.

    Takes what crossval, ablate, evaluate, trials, dissect, study score and grade left below
    RESULTS; tables without results of ours are left out, results of different data are never mixed.
    Figure 4 is drawn where the runs are still beside the results.

    Example: spinexplain tables docs/results/experiments -o tables
    """
    request = TablesRequest(tuple(results), out, cohort, force)
    for name in tables_to_folder(request):
        typer.echo(name)
    typer.echo(f"tables: {out / 'tables.md'}")
