"""``spinexplain batch``: grade an archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from spinexplain.jobs.batch.outcome import Outcome


def command(
    manifest: Annotated[
        Path, typer.Argument(help="CSV: ct, labels or centroids, and name, age, sex, series.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder; what is in it is not redone.")],
    model: Annotated[
        list[str] | None, typer.Option("--model", help="As for grade; repeat to compare.")
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Processes; each holds one scan in memory.")
    ] = 1,
    minutes: Annotated[
        float, typer.Option("--minutes", min=0.01, help="Time limit of one scan.")
    ] = 30.0,
    retry: Annotated[
        bool, typer.Option("--retry", help="Try scans again that were refused or crashed.")
    ] = False,
    address: Annotated[
        str | None,
        typer.Option("--address", help="Grade on this Ray cluster; local starts one here."),
    ] = None,
) -> None:
    """Grade every scan of MANIFEST, and go on where an earlier run ended.

    Writes OUT/scans/NAME/result.json, and last of all OUT/scans.parquet and
    OUT/vertebrae.parquet. Bad input is a row, not an end.

    Example: spinexplain batch archive.csv -o graded --workers 2
    """
    from spinexplain.config.shipped import DEFAULT_MODEL
    from spinexplain.jobs.batch.crew import Crew
    from spinexplain.jobs.batch.run import BatchRequest, run_batch

    request = BatchRequest(
        manifest=manifest,
        out=out,
        models=tuple(model or (DEFAULT_MODEL,)),
        crew=Crew(workers, scan_seconds=60 * minutes),
        retry=retry,
        address=address,
    )
    report = run_batch(request, _started, _ended)
    typer.echo(
        f"graded {report.graded}, refused {report.refused}, crashed {report.crashed}: "
        f"{out / 'scans.parquet'}"
    )


def _started(total: int, todo: int) -> None:
    typer.echo(f"{total} scans, {todo} to do", err=True)


def _ended(outcome: Outcome) -> None:
    from spinexplain.texts.printable import printable

    words = f": {outcome.words}" if outcome.words else ""
    typer.echo(printable(f"{outcome.name} {outcome.state}{words}"), err=True)
