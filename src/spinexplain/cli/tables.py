"""``spinexplain tables``: the papers' tables and figures from stored results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import Force


def command(
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="Folder with results of experiments.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder to write.")],
    force: Force = False,
) -> None:
    """Write the papers' tables and figures, ours beside the published numbers.

    Takes what crossval, ablate, evaluate, trials and dissect left below RESULTS; tables
    without results of ours are left out, results of different data are never mixed.

    Example: spinexplain tables experiments/results -o tables
    """
    from spinexplain.experiment.stored import find_results
    from spinexplain.experiment.table import latex, markdown
    from spinexplain.experiment.tables import make_tables
    from spinexplain.io.files import output_folder
    from spinexplain.report.paper_figures import draw_figures

    found = find_results(results)
    tables = make_tables(found)
    with output_folder(out, force=force) as folder:
        for table in tables:
            (folder / f"{table.key}.md").write_text(markdown(table), "utf-8")
            (folder / f"{table.key}.tex").write_text(latex(table), "utf-8")
        pages = "\n".join(markdown(table) for table in tables)
        (folder / "tables.md").write_text(pages, "utf-8")
        figures = draw_figures(found, tables, folder)
    for name in [*(table.key for table in tables), *figures]:
        typer.echo(name)
    typer.echo(f"tables: {out / 'tables.md'}")
