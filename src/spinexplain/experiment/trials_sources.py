"""The sets of trials: one cohort or several put together, and whether any scan is on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spinexplain.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from spinexplain.data.crops.dataset import TrainingSet


@dataclass(frozen=True)
class Source:
    """Vertebrae of one or several cohorts.

    Parameters
    ----------
    cohorts : tuple of Path
    split : str or None
        Which split is taken of each; None for all of it.
    """

    cohorts: tuple[Path, ...]
    split: str | None

    @property
    def name(self) -> str:
        """The folders' names, joined by a plus sign."""
        return "+".join(path.name for path in self.cohorts)

    @property
    def parts(self) -> tuple[Source, ...]:
        """Its cohorts one by one."""
        return tuple(Source((path,), self.split) for path in self.cohorts)

    def described(self) -> dict[str, object]:
        """Return what identifies the set, JSON-ready."""
        return {"cohorts": [str(path.resolve()) for path in self.cohorts], "split": self.split}


def parse_source(text: str, split: str | None) -> Source:
    """Read ``"A"`` or ``"A+B"``, paths of cohorts; a folder's own plus signs are respected.

    Examples
    --------
    >>> parse_source("data/verse+data/hospital", "training").name
    'verse+hospital'
    """
    if Path(text).exists():
        return Source((Path(text),), split)
    return Source(tuple(Path(part) for part in text.split("+") if part), split)


def read_source(source: Source, axes: int, body_height_mm: float | None = None) -> TrainingSet:
    """Read a set's graded vertebrae without masks; subjects are named after their cohort too.

    Raises
    ------
    ConfigError
        If a cohort is none, or has no graded vertebra of this kind in its split.
    """
    from spinexplain.data.cohort import Cohort
    from spinexplain.data.crops.dataset import joined
    from spinexplain.data.crops.source import set_from_cohort

    parts = []
    for path in source.cohorts:
        part = set_from_cohort(
            Cohort.open(path),
            axes,
            source.split,
            masks=False,
            body_height_mm=body_height_mm,
        )
        subjects = np.array([f"{path.name}/{subject}" for subject in part.subjects])
        parts.append(replace(part, subjects=subjects))
    return parts[0] if len(parts) == 1 else joined(parts)


def check_apart(train: Sequence[Source], test: Sequence[Source]) -> None:
    """Refuse a subject that is trained and tested on.

    Raises
    ------
    ConfigError
        Naming the scan or the subject, and the cohorts.
    """
    trained = _identities(train)
    for key, where in _identities(test).items():
        if key in trained:
            raise ConfigError(
                f"{key[1]} is in training ({trained[key]}) and in testing ({where}); expected "
                "every patient on one side. Choose other splits or cohorts."
            )


def _identities(sources: Sequence[Source]) -> dict[tuple[str, str], str]:
    """Return every scan (by its hash) and subject (within its cohort) of the sets."""
    from spinexplain.data.cohort import Cohort

    found = {}
    for path, split in {(path, source.split) for source in sources for path in source.cohorts}:
        index = Cohort.open(path).index
        chosen = index if split is None else index[index["split"] == split]
        for subject, digest in _pairs(chosen):
            found[(str(path.resolve()), f"subject {subject}")] = path.name
            if digest:
                found[("ct", f"the CT of subject {subject}, {digest[:12]}")] = path.name
    return found


def _pairs(index: pd.DataFrame) -> set[tuple[str, str]]:
    hashes = index["ct_sha256"].fillna("").astype(str)
    return set(zip(index["subject"].astype(str), hashes, strict=True))
