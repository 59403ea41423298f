"""The table of witnesses in one small file, so that a new fit needs no drawing and no network."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pandas as pd

from spinexplain.errors import FileFormatError
from spinexplain.io.files import atomic_file

DIGITS = 4
_TEXTS = (
    "group",
    "subject",
    "level",
    "route",
    "shape",
    "look_alikes",
    "called",
    "severity",
    "deformity",
    "refusal",
    "weights_sha256",
)
_ORDER = ["group", "subject", "route", "level"]


def rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as it comes back from :func:`read_table`: sorted, four digits kept.

    Parameters
    ----------
    table : DataFrame
        Of :func:`~spinexplain.analysis.verdict.table.witness_table`.
    """
    ordered = table.sort_values(_ORDER).reset_index(drop=True)
    numbers = [str(name) for name in ordered if ordered[name].dtype.kind == "f"]
    shown = ordered[numbers].map(lambda value: float(f"{value:.{DIGITS}g}"))
    return ordered.assign(**{name: shown[name] for name in numbers})


def store_table(table: pd.DataFrame, path: Path) -> Path:
    """Store a rounded table as gzipped text; the same table gives the same bytes.

    Parameters
    ----------
    table : DataFrame
        Of :func:`rounded`.
    path : Path
        Ends in ``.csv.gz``.
    """
    text = table.to_csv(index=False, float_format=f"%.{DIGITS}g")
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as temporary:
        temporary.write_bytes(gzip.compress(text.encode("utf-8"), mtime=0))
    return path


def read_table(path: Path) -> pd.DataFrame:
    """Read a stored table.

    Raises
    ------
    FileFormatError
        If it is no such table.
    """
    types = dict.fromkeys(_TEXTS, str)
    try:
        found = pd.read_csv(path, dtype=types, keep_default_na=False, na_values=[""])
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise FileFormatError(
            f"{path}: is no table of witnesses ({error}); expected gzipped text. "
            "Run `make verdict` to write it again."
        ) from error
    if missing := [name for name in _ORDER if name not in found]:
        raise FileFormatError(
            f"{path}: has no column {', '.join(missing)}; expected a table of witnesses. "
            "Run `make verdict` to write it again."
        )
    texts = [name for name in _TEXTS if name in found]
    return found.assign(**{name: found[name].fillna("") for name in texts})
