"""``spinexplain summarize``: what an archive holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def command(
    out: Annotated[Path, typer.Argument(help="Folder that batch wrote.")],
    reference: Annotated[
        Path | None,
        typer.Option(
            "--reference", metavar="FOLDER", help="Earlier batch to look for drift against."
        ),
    ] = None,
) -> None:
    """Count fractures by level, age and sex, refusals by reason, and drift.

    Writes OUT/summary.json and OUT/archive.html.

    Example: spinexplain summarize graded --reference last-year
    """
    from spinexplain.io.files import atomic_file
    from spinexplain.jobs.batch.index import read_index
    from spinexplain.jobs.batch.prevalence import summarize
    from spinexplain.report.archive_page import write_archive_page

    figures = summarize(*read_index(out), read_index(reference) if reference else None)
    with atomic_file(out / "summary.json") as temporary:
        temporary.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    page = write_archive_page(figures, out)
    counts = figures["scans"]
    typer.echo(
        f"{sum(counts.values())} scans, {counts.get('graded', 0)} graded, "
        f"{figures['with_fracture']} with a fracture by the model: {page}"
    )
