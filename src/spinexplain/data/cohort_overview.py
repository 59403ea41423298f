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

SUMMARY_SCHEMA = "spinexplain/cohort-summary/1"
UNGRADED = "not graded"
NO_SPLIT = "no split"

COLUMNS = (*GRADES, FOREIGN_MATERIAL, UNGRADED)


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
        name: {grade: counts[name, grade] for grade in COLUMNS} for name in order if name in present
    }


def write_summary(path: str | Path, summary: dict[str, Any]) -> None:
    """Write a summary as JSON."""
    with atomic_file(path) as temporary:
        temporary.write_text(
            json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )


def read_summary(path: str | Path) -> dict[str, Any]:
    """Read what :func:`write_summary` wrote."""
    summary: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return summary
