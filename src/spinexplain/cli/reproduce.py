"""``spinexplain reproduce``: a page of the documentation from stored or fresh results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import Jobs
from spinexplain.cli.progress import shown_steps
from spinexplain.jobs.reproduce import ReproduceRequest, reproduce
from spinexplain.texts.printable import printable


def command(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Which study; all are listed without.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="DIR", help="Folder to write, or to go on with."),
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh/--from-stored", help="Measure anew, or write from the repository's results."
        ),
    ] = False,
    checkout: Annotated[
        Path,
        typer.Option("--checkout", metavar="DIR", help="A checkout of the repository."),
    ] = Path(),
    work: Annotated[
        Path | None,
        typer.Option(
            "--work", metavar="DIR", help="Keep cohorts and networks here; DIR/work if left out."
        ),
    ] = None,
    jobs: Jobs = 1,
) -> None:
    """Repeat a study of the documentation and write its pages with what was found.

    DIR gets the pages, images/ and results/ (JSON), laid out as docs is. May be stopped at any
    time; the same command goes on where it stopped.

    Example: spinexplain reproduce receptive-fields --fresh -o again --jobs 2
    """
    if name is None:
        _list()
        return
    if out is None:
        raise typer.BadParameter("-o DIR is missing; expected a folder for pages and results")
    request = ReproduceRequest(name, out, fresh, checkout, work, jobs)
    with shown_steps(keep=False) as progress:
        written = reproduce(request, progress)
    for path in written:
        typer.echo(f"written: {printable(str(path))}")


def _list() -> None:
    from spinexplain.reproduce.studies import STUDIES

    width = max(map(len, STUDIES))
    for name, study in STUDIES.items():
        typer.echo(f"{name:{width}}  {study.measures} ({study.cost})")
