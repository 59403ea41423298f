"""The papers' tables and figures from stored results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spinexplain.experiment.stored import Results


@dataclass(frozen=True)
class TablesRequest:
    """What ``tables`` is asked for.

    Parameters
    ----------
    results : tuple of Path
        Folders with results of experiments.
    out : Path
    cohort : Path, optional
        The cross-validation's, for the figures of explained vertebrae.
    """

    results: tuple[Path, ...]
    out: Path
    cohort: Path | None = None
    force: bool = False


def tables_to_folder(request: TablesRequest) -> list[str]:
    """Write tables and figures, whole or not at all; return their names.

    Raises
    ------
    SpinexplainError
        If there are no results, the cohort is not theirs, or the output exists.
    """
    from spinexplain.data.cohort import Cohort
    from spinexplain.experiment.stored import find_results
    from spinexplain.experiment.table import latex, markdown
    from spinexplain.experiment.tables import make_tables
    from spinexplain.io.files import output_folder
    from spinexplain.report.paper_figures import draw_figures

    found = find_results(*request.results)
    opened = None if request.cohort is None else Cohort.open(request.cohort)
    tables = make_tables(found)
    with output_folder(request.out, force=request.force) as folder:
        for table in tables:
            (folder / f"{table.key}.md").write_text(markdown(table), "utf-8")
            (folder / f"{table.key}.tex").write_text(latex(table), "utf-8")
        pages = "\n".join([*map(markdown, tables), *(f"*{line}*\n" for line in left_out(found))])
        (folder / "tables.md").write_text(pages, "utf-8")
        figures = draw_figures(found, tables, folder, opened)
    return [*(table.key for table in tables), *figures]


def left_out(found: Results) -> list[str]:
    """Say which of the papers' tables there are no results for, and why."""
    from spinexplain.experiment.study_table import NO_STUDY

    return [] if found.of("study") else [NO_STUDY]
