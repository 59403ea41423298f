"""What the node asks of a place that series come from and results go to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from spinexplain.node.rules import SeriesFacts


class MailboxError(Exception):
    """The other side is not there, refuses, or answers what cannot be understood: try again."""


@dataclass(frozen=True)
class Arrival:
    """A complete series in the mailbox.

    Parameters
    ----------
    reference : str
        What the mailbox calls it.
    facts : SeriesFacts
    """

    reference: str
    facts: SeriesFacts


class Mailbox(Protocol):
    """A place that series come from and results go to."""

    @property
    def name(self) -> str:
        """Which mailbox it is, for the ledger."""
        ...

    def arrivals(self, cursor: str) -> tuple[list[Arrival], str]:
        """Return series that became complete since ``cursor``, and the cursor after them."""
        ...

    def listing(self) -> list[Arrival]:
        """Return every CT series there is, for a dry run."""
        ...

    def fetch(self, reference: str, folder: Path) -> Path:
        """Bring a series into a folder; return the path to read it from."""
        ...

    def segmentations(self, reference: str, folder: Path) -> list[Path]:
        """Bring the segmentations of the same study into a folder."""
        ...

    def deliver(self, files: Sequence[Path]) -> None:
        """Store results; storing them a second time changes nothing."""
        ...

    def forget(self, reference: str) -> None:
        """Let go of a series that is finished."""
        ...
