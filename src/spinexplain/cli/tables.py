"""``spinexplain tables``: the papers' tables and figures from stored results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import Force


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

    Takes what crossval, ablate, evaluate, trials, dissect and grade left below RESULTS;
    tables without results of ours are left out, results of different data are never mixed.
    Figure 4 is drawn where the runs are still beside the results.

    Example: spinexplain tables experiments/results -o tables
    """
    from spinexplain.data.cohort import Cohort
    from spinexplain.experiment.stored import find_results
    from spinexplain.experiment.table import latex, markdown
    from spinexplain.experiment.tables import make_tables
    from spinexplain.io.files import output_folder
    from spinexplain.report.paper_figures import draw_figures

    found = find_results(*results)
    opened = None if cohort is None else Cohort.open(cohort)
    tables = make_tables(found)
    with output_folder(out, force=force) as folder:
        for table in tables:
            (folder / f"{table.key}.md").write_text(markdown(table), "utf-8")
            (folder / f"{table.key}.tex").write_text(latex(table), "utf-8")
        pages = "\n".join(markdown(table) for table in tables)
        (folder / "tables.md").write_text(pages, "utf-8")
        figures = draw_figures(found, tables, folder, opened)
    for name in [*(table.key for table in tables), *figures]:
        typer.echo(name)
    typer.echo(f"tables: {out / 'tables.md'}")
