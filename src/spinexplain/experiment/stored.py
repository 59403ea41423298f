"""Stored results of experiments, found in a folder and sorted by kind."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.io.files import sha256_file

_KINDS = {
    "spinexplain/crossval-results/1": "crossval",
    "spinexplain/evaluation/1": "evaluation",
    "spinexplain/trials/1": "trials",
    "spinexplain/dissection/1": "dissection",
    "spinexplain/result/1": "reading",
    "spinexplain/study-score/1": "study",
}
_LARGEST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Stored:
    """One stored result.

    Parameters
    ----------
    path : Path
    sha256 : str
        Of the file.
    content : dict
    """

    path: Path
    sha256: str
    content: dict[str, Any]


@dataclass(frozen=True)
class Results:
    """All results of a folder, by kind, in the order of their paths."""

    by_kind: dict[str, tuple[Stored, ...]] = field(default_factory=dict)

    def of(self, kind: str) -> tuple[Stored, ...]:
        """Return the results of a kind.

        Parameters
        ----------
        kind : str
            ``"crossval"`` (ablations, too), ``"evaluation"``, ``"trials"``, ``"dissection"``,
            ``"reading"`` (a graded scan's ``result.json``) or ``"study"`` (a scored one).
        """
        return self.by_kind.get(kind, ())


def find_results(*folders: str | Path) -> Results:
    """Read every result below some folders; files that are none are passed over.

    Parameters
    ----------
    *folders : str or Path
        A single result's file will do, too.

    Raises
    ------
    ConfigError
        If there is no such folder, or no result in it.
    FileFormatError
        If a result is damaged.
    """
    found: dict[str, list[Stored]] = {}
    for folder in map(Path, folders):
        here = [known for path in _files(folder) if (known := _stored(path))]
        if not here:
            raise ConfigError(
                f"{folder}: holds no results; expected some written by crossval, ablate, evaluate, "
                "trials or dissect. Run one of them, or name its folder."
            )
        for kind, item in here:
            found.setdefault(kind, []).append(item)
    return Results({kind: tuple(items) for kind, items in found.items()})


def _files(folder: Path) -> list[Path]:
    """List the JSON files that may be results, sorted.

    What is below runs/ are the single trainings, which the results of the whole summarize.
    """
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; expected one with results of experiments.")
    paths = sorted(folder.rglob("*.json"))
    return [
        path
        for path in paths
        if "runs" not in path.relative_to(folder).parts and path.stat().st_size <= _LARGEST_BYTES
    ]


def _stored(path: Path) -> tuple[str, Stored] | None:
    content = _content(path)
    kind = _KINDS.get(str(content.get("schema")))
    return (kind, Stored(path, sha256_file(path), content)) if kind else None


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise FileFormatError(
            f"{path}: cannot be read as JSON ({error}); expected a result. Make it again."
        ) from None
    return content if isinstance(content, dict) else {}


def same_data(stored: Sequence[Stored], what: str) -> str:
    """Return the hash of the data that all results share.

    Raises
    ------
    ConfigError
        If they are of different data.
    """
    seen = {str(item.content.get("data_sha256")): item.path for item in stored}
    if len(seen) != 1:
        shown = "; ".join(f"{path} on {digest[:12]}" for digest, path in seen.items())
        raise ConfigError(
            f"{what} would mix results of {len(seen)} different data sets ({shown}); expected one "
            "data_sha256. Keep the results of each data set in a folder of its own."
        )
    return next(iter(seen))
