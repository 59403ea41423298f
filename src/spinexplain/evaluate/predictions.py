"""The predictions table: one row a vertebra, with everything needed to judge it later.

Columns: ``model``, ``bundle_sha256``, ``data_sha256``, ``config_sha256``, ``subject``,
``series``, ``level``, ``fold``, ``grade``, ``label`` (index of the true class, -1 where the
grade is none), one ``p_<class>`` per class, ``assessable`` and ``reason``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinexplain.errors import ConfigError, FileFormatError, ShapeError
from spinexplain.io.files import atomic_file

if TYPE_CHECKING:
    import pandas as pd

SCORE = "p_"
COLUMNS = (
    "model",
    "bundle_sha256",
    "data_sha256",
    "config_sha256",
    "subject",
    "series",
    "level",
    "fold",
    "grade",
    "label",
    "assessable",
    "reason",
)
_IDENTITY = ("subject", "series", "level", "grade", "shape", "loss", "split", "seed")


@dataclass(frozen=True)
class Origin:
    """Where predictions come from: the model, and the hashes that pin it and its data."""

    model: str
    bundle_sha256: str
    data_sha256: str
    config_sha256: str


def data_hash(index: pd.DataFrame) -> str:
    """Hash the index of a cohort: who is in it, with which grades; the order does not matter.

    Raters' grades count where there are any.

    Parameters
    ----------
    index : DataFrame
        One row a vertebra, as a cohort keeps it.

    Examples
    --------
    >>> import pandas as pd
    >>> one = data_hash(pd.DataFrame({"subject": ["a"], "grade": ["G0"]}))
    >>> other = data_hash(pd.DataFrame({"subject": ["a"], "grade": ["G2"]}))
    >>> len(one), one == other
    (64, False)
    """
    used = [name for name in (*_IDENTITY, "ct_sha256", "mask_sha256") if name in index]
    columns = [[_cell(value) for value in index[name]] for name in used]
    ratings = [",".join(row) for row in index["ratings"]] if "ratings" in index else []
    if any(ratings):  # cohorts without raters keep the hash they always had
        used, columns = [*used, "ratings"], [*columns, ratings]
    lines = sorted("\t".join(cells) for cells in zip(*columns, strict=True))
    return hashlib.sha256("\n".join(["\t".join(used), *lines]).encode()).hexdigest()


def _cell(value: Any) -> str:
    """Write one cell the same way whatever type a release of pandas gives it."""
    import pandas as pd

    if value is None or pd.isna(value):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def predictions_table(
    origin: Origin,
    rows: pd.DataFrame,
    classes: Sequence[str],
    probabilities: np.ndarray,
    labels: np.ndarray,
    fold: int = -1,
    reasons: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Put predictions beside the truth.

    Parameters
    ----------
    origin : Origin
    rows : DataFrame, n rows
        Columns ``subject``, ``series``, ``level`` and ``grade``.
    classes : sequence of str, length K
    probabilities : ndarray, shape (n, K)
        Model scores; NaN where the vertebra was not assessable.
    labels : ndarray of int, shape (n,)
        Index of the true class, -1 for grades that are none.
    fold : int
        The fold that was held out; -1 outside cross-validation.
    reasons : sequence of str, length n, optional
        Why a vertebra was not assessable; empty where it was.

    Raises
    ------
    ShapeError
        If the parts disagree about n or K.
    """
    import pandas as pd

    if probabilities.shape != (len(rows), len(classes)) or len(labels) != len(rows):
        raise ShapeError(
            f"probabilities have shape {probabilities.shape} and there are {len(labels)} labels; "
            f"expected ({len(rows)}, {len(classes)}), one row a vertebra."
        )
    why = list(reasons) if reasons is not None else [""] * len(rows)
    identity = {name: rows[name].astype(str).to_numpy() for name in ("subject", "series", "level")}
    columns: dict[str, Any] = {
        **{name: [value] * len(rows) for name, value in vars(origin).items()},
        **identity,
        "fold": np.full(len(rows), fold, np.int16),
        "grade": rows["grade"].astype(str).to_numpy(),
        "label": np.asarray(labels, np.int16),
        **{SCORE + name: probabilities[:, k] for k, name in enumerate(classes)},
        "assessable": [not reason for reason in why],
        "reason": why,
    }
    return pd.DataFrame(columns)


def write_predictions(table: pd.DataFrame, path: str | Path) -> None:
    """Write a predictions table as parquet, at once or not at all."""
    with atomic_file(path) as temporary:
        table.to_parquet(temporary, index=False)


def read_predictions(path: str | Path) -> pd.DataFrame:
    """Read a predictions table.

    Raises
    ------
    FileFormatError
        If the file is missing, no parquet, or lacks a column.
    """
    import pandas as pd

    path = Path(path)
    if not path.is_file():
        raise FileFormatError(f"{path}: no such file; expected predictions. Run evaluate first.")
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise FileFormatError(
            f"{path}: cannot be read as parquet ({error}); expected predictions written by "
            "evaluate or crossval. Make them again."
        ) from None
    missing = [name for name in COLUMNS if name not in table]
    if missing or not class_names(table):
        raise FileFormatError(
            f"{path}: lacks {', '.join(missing) or 'class scores'}; expected a predictions table. "
            "Make it again with evaluate or crossval."
        )
    return table


def class_names(table: pd.DataFrame) -> tuple[str, ...]:
    """Return the classes of a predictions table, in the order of its columns."""
    return tuple(name.removeprefix(SCORE) for name in table.columns if name.startswith(SCORE))


def judged(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return true labels (n,) and probabilities (n, K) of what was graded and has a class."""
    used = table[table["assessable"].to_numpy(bool) & (table["label"] >= 0).to_numpy(bool)]
    scores = used[[SCORE + name for name in class_names(table)]].to_numpy(float)
    return used["label"].to_numpy(int), scores


def check_same_data(tables: Sequence[pd.DataFrame]) -> str:
    """Return the hash of the data that all tables share.

    Raises
    ------
    ConfigError
        If they come from different data, or their classes differ.
    """
    seen = {str(value): str(t["model"].iloc[0]) for t in tables for value in set(t["data_sha256"])}
    if len(seen) != 1:
        shown = ", ".join(f"{model} on {digest[:12]}" for digest, model in seen.items())
        raise ConfigError(
            f"results of {len(seen)} different data sets cannot be put together ({shown}); "
            "expected one data_sha256. Evaluate all models on the same cohort."
        )
    if len({class_names(table) for table in tables}) != 1:
        raise ConfigError(
            "the predictions have different classes; expected the same for all. "
            "Compare models of one task."
        )
    return next(iter(seen))
