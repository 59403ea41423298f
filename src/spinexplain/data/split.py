"""Splits by patient: the official one guarded against leaks, and folds for cross-validation."""

from __future__ import annotations

import csv
import io
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from spinexplain.data.table_file import Cell, read_tables
from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.io.files import atomic_file

if TYPE_CHECKING:
    import pandas as pd


def check_no_leak(splits: Iterable[tuple[str, str | None]]) -> None:
    """Refuse a patient on both sides of a split.

    Parameters
    ----------
    splits : iterable of (subject, split)
        One entry per series; None where a series belongs to no split.

    Raises
    ------
    ConfigError
        If a subject has series in two splits.

    Examples
    --------
    >>> check_no_leak([("verse409", "test"), ("verse409", "test"), ("verse004", "training")])
    """
    sides: dict[str, set[str]] = defaultdict(set)
    for subject, split in splits:
        if split is not None:
            sides[subject].add(split)
    torn = {subject: sorted(found) for subject, found in sides.items() if len(found) > 1}
    if torn:
        subject, found = min(torn.items())
        others = f" (and {len(torn) - 1} more)" if len(torn) > 1 else ""
        raise ConfigError(
            f"subject {subject}{others} has series in {' and '.join(found)}; expected every "
            "patient on one side of the split. Set the split of its series in the overrides CSV, "
            "or leave a source out."
        )


def check_enough(n_folds: int, n_subjects: int) -> None:
    """Refuse folds that a cohort has too few subjects for.

    Raises
    ------
    ConfigError
        If ``n_folds`` is under 2 or over the number of subjects.

    Examples
    --------
    >>> check_enough(4, n_subjects=4)
    """
    if n_subjects == 1:
        raise ConfigError(
            f"folds is {n_folds}, but there is one subject; expected one for every fold. "
            "Add subjects, or ask for no folds."
        )
    if not 2 <= n_folds <= n_subjects:
        raise ConfigError(
            f"folds is {n_folds}; expected 2 to {n_subjects}, the number of subjects. "
            "Change the number of folds."
        )


def assign_folds(index: pd.DataFrame, n_folds: int, seed: int) -> dict[str, int]:
    """Spread patients over folds, so that every fold has a like share of each grade.

    Parameters
    ----------
    index : DataFrame
        Columns ``subject`` and ``grade``, one row a vertebra. The order does not matter.
    n_folds : int
    seed : int

    Returns
    -------
    dict of str to int
        Fold (0 to ``n_folds`` - 1) of every subject.

    Raises
    ------
    ConfigError
        If ``n_folds`` is under 2 or over the number of subjects.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    rows = index[["subject", "grade"]].fillna("").sort_values(["subject", "grade"])
    subjects = rows["subject"].to_numpy(dtype=str)
    check_enough(n_folds, len(set(subjects)))
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    strata = _frequent(rows["grade"].to_numpy(dtype=str).tolist(), n_folds)
    folds = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # grades rarer than the folds are fine
        for fold, (_, held_out) in enumerate(splitter.split(subjects, strata, subjects)):
            folds.update(dict.fromkeys(subjects[held_out].tolist(), fold))
    return folds


def _frequent(grades: list[str], n_folds: int) -> list[str]:
    """Merge all grades into one stratum if none is frequent enough to be spread."""
    enough = any(grades.count(grade) >= n_folds for grade in set(grades))
    return grades if enough else [""] * len(grades)


def write_folds(path: str | Path, folds: Mapping[str, int]) -> None:
    """Write a fold assignment as CSV with the columns subject and fold."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["subject", "fold"])
    writer.writerows(sorted(folds.items()))
    with atomic_file(path) as temporary:
        temporary.write_text(buffer.getvalue(), encoding="utf-8", newline="")


def read_folds(path: str | Path) -> dict[str, int]:
    """Read a fold assignment: CSV or .xlsx with the columns subject and fold.

    Raises
    ------
    FileFormatError
        If a column is missing, a fold is no whole number from 0, or a subject has two folds.
    """
    path = Path(path)
    rows = read_tables(path)[0]
    header = [str(cell).strip().lower() for cell in rows[0]]
    if not {"subject", "fold"} <= set(header):
        raise FileFormatError(
            f"{path}: has the columns {', '.join(header)}; expected subject and fold."
        )
    folds: dict[str, int] = {}
    for row in rows[1:]:
        cells = dict(zip(header, row, strict=False))
        subject, fold = str(cells.get("subject")), _fold(path, cells.get("fold"))
        if folds.setdefault(subject, fold) != fold:
            raise FileFormatError(
                f"{path}: subject {subject} is in the folds {folds[subject]} and {fold}; "
                "expected one fold a patient."
            )
    return folds


def _fold(path: Path, cell: Cell) -> int:
    try:
        number = float(str(cell))
    except ValueError:
        number = -1.0
    if number < 0 or not number.is_integer() or number > 1000:
        raise FileFormatError(f"{path}: fold {cell!r}; expected a whole number from 0.")
    return int(number)
