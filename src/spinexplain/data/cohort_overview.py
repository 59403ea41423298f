"""What is in a cohort and what is not, counted for a person to check."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.plan import LeftOut
from spinexplain.data.schema import FOREIGN_MATERIAL, GRADES, SPLITS
from spinexplain.io.files import atomic_file

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

SUMMARY_SCHEMA = "spinexplain/cohort-summary/1"
UNGRADED = "not graded"
NO_SPLIT = "no split"

_COLUMNS = (*GRADES, FOREIGN_MATERIAL, UNGRADED)


def summarize(
    index: pd.DataFrame, left_out: Sequence[LeftOut] = (), remarks: Sequence[str] = ()
) -> dict[str, Any]:
    """Count vertebrae by grade, split and level; list what was left out, and why.

    Returns
    -------
    dict
        JSON values. ``by_split`` and ``by_level`` map a name to counts by grade;
        ``left_out`` lists series, level (None: the whole series) and reason.
    """
    grades = index["grade"].astype(object).where(index["grade"].notna(), UNGRADED)
    splits = index["split"].astype(object).where(index["split"].notna(), NO_SPLIT)
    flags = Counter(flag for flags in index["flags"] for flag in flags)
    return {
        "schema": SUMMARY_SCHEMA,
        "series": int(index.groupby(["subject", "series"]).ngroups),
        "subjects": int(index["subject"].nunique()),
        "vertebrae": len(index),
        "by_split": _crossed(splits, grades, (*SPLITS, NO_SPLIT)),
        "by_level": _crossed(index["level"], grades, [level.value for level in VertebraLevel]),
        "flags": dict(sorted(flags.items())),
        "left_out": [
            {"series": one.series, "level": one.level, "reason": one.reason} for one in left_out
        ],
        "remarks": list(remarks),
    }


def _crossed(
    names: Iterable[str], grades: Iterable[str], order: Iterable[str]
) -> dict[str, dict[str, int]]:
    counts = Counter(zip(names, grades, strict=True))
    present = {name for name, _ in counts}
    return {
        name: {grade: counts[name, grade] for grade in _COLUMNS}
        for name in order
        if name in present
    }


def write_summary(path: str | Path, summary: dict[str, Any]) -> None:
    """Write a summary as JSON."""
    with atomic_file(path) as temporary:
        temporary.write_text(
            json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )


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

    table = Table(title, *_COLUMNS, "all", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, row in counts.items():
        table.add_row(name, *(str(row[grade]) for grade in _COLUMNS), str(sum(row.values())))
    totals = [sum(row[grade] for row in counts.values()) for grade in _COLUMNS]
    table.add_row("all", *map(str, totals), str(sum(totals)), style="bold")
    return table


def printable(text: str) -> str:
    """Replace what could move the cursor or break a line (file names may hold it)."""
    return "".join(char if char.isprintable() else "?" for char in text)
