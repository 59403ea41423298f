"""Prints what is in a cohort and what was left out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from spinexplain.texts.printable import printable

if TYPE_CHECKING:
    from rich.console import Console


def print_summary(summary: dict[str, Any], console: Console) -> None:
    """Print the counts as tables, and the reasons for what was left out."""
    from rich.text import Text

    console.print(
        f"{summary['vertebrae']} vertebrae of {summary['series']} series, "
        f"{summary['subjects']} subjects"
    )
    for title, key in (("split", "by_split"), ("level", "by_level")):
        console.print(_table(title, summary[key]))
    reasons = Counter((one["reason"], one["level"] is None) for one in summary["left_out"])
    for (reason, whole_series), number in reasons.most_common():
        what = "series" if whole_series else "vertebrae"
        console.print(Text(f"left out: {number} {what}: {printable(reason)}"))
    for remark in summary["remarks"]:
        console.print(Text(f"note: {printable(remark)}"))


def _table(title: str, counts: dict[str, dict[str, int]]) -> Any:
    from rich.table import Table

    from spinexplain.data.cohort_overview import COLUMNS

    table = Table(title, *COLUMNS, "all", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, row in counts.items():
        table.add_row(name, *(str(row[grade]) for grade in COLUMNS), str(sum(row.values())))
    totals = [sum(row[grade] for row in counts.values()) for grade in COLUMNS]
    table.add_row("all", *map(str, totals), str(sum(totals)), style="bold")
    return table
