"""What a phantom knows about its own vertebrae, read from its truth file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from spinexplain.data.shard import VertebraRow
from spinexplain.errors import FileFormatError

TRUTH_SCHEMA = "spinexplain/phantom-truth/1"


@dataclass(frozen=True)
class PhantomTruth:
    """The seed of a phantom and the true height loss of its vertebrae, by level name."""

    seed: int
    losses: Mapping[str, float]


def read_truth(path: str | Path) -> PhantomTruth:
    """Read seed and height losses from a ``*_truth.json``.

    Raises
    ------
    FileFormatError
        If it cannot be read or has another schema.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        schema = document["schema"]
        losses = {one["level"]: float(one["loss"]) for one in document["vertebrae"]}
        truth = PhantomTruth(int(document["seed"]), losses)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileFormatError(
            f"{path}: cannot be read as a phantom's truth ({type(error).__name__}: {error}); "
            "expected the file that phantom wrote. Write the phantom again."
        ) from None
    if schema != TRUTH_SCHEMA:
        raise FileFormatError(
            f"{path}: has the schema {schema!r}; expected {TRUTH_SCHEMA!r}. "
            "Write the phantom again with this version."
        )
    return truth


def with_truth(rows: Sequence[VertebraRow], truth: PhantomTruth) -> list[VertebraRow]:
    """Fill in what only a phantom can know.

    Examples
    --------
    >>> with_truth([VertebraRow("L1")], PhantomTruth(7, {"L1": 0.3}))[0].loss
    0.3
    """
    return [
        replace(row, synthetic=True, seed=truth.seed, loss=truth.losses.get(row.level))
        for row in rows
    ]
