"""Where the reader keeps what; every name in it is made by the server."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from spinexplain.errors import OutputError

KINDS_OF_FILE = ("ct", "labels", "centroids", "result")
_SCAN_ID = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True)
class DataFolder:
    """The folder given to ``serve``.

    Parameters
    ----------
    root : Path
    """

    root: Path

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.root / "reader.sqlite"

    @property
    def secret(self) -> Path:
        """The key under which patients' identifiers are hashed."""
        return self.root / "patients.key"

    @property
    def watched(self) -> Path:
        """Scans that are put here are taken in."""
        return self.root / "watch"

    def scan(self, scan_id: str) -> Path:
        """Return a scan's own folder.

        Raises
        ------
        ValueError
            If the id is none that :func:`new_id` makes: a path never comes from outside.
        """
        if not _SCAN_ID.fullmatch(scan_id):
            raise ValueError("not a scan's id")
        return self.root / "scans" / scan_id

    def input(self, scan_id: str, kind: str) -> Path | None:
        """Return a scan's file of a kind, one of :data:`KINDS_OF_FILE`; None if absent."""
        found = sorted((self.scan(scan_id) / "input" / kind).glob("[!.]*"))
        return found[0] if found else None

    def graded(self, scan_id: str) -> Path:
        """Return the folder that ``grade`` writes."""
        return self.scan(scan_id) / "graded"

    def renamed(self, scan_id: str) -> Path:
        """Return the folder of reports under names that readers shifted."""
        return self.scan(scan_id) / "renamed"

    def view(self, scan_id: str) -> Path:
        """Return the folder of what the scan page shows."""
        return self.scan(scan_id) / "view"


def make_folder(root: Path) -> DataFolder:
    """Make the folder for the first time, or take the one that is there.

    Raises
    ------
    OutputError
        If it cannot be made, or holds something else.
    """
    folder = DataFolder(root.resolve())
    try:
        others = [p.name for p in folder.root.iterdir()] if folder.root.is_dir() else []
        # With PostgreSQL there is no reader.sqlite, yet both folders.
        own = {"watch", "scans"} <= set(others) or folder.database.exists()
        if others and not own:
            raise OutputError(
                f"{root}: holds {others[0]} and is not the reader's; expected an empty folder or "
                "one of the reader. Choose another."
            )
        for path in (folder.root, folder.watched, folder.root / "scans"):
            path.mkdir(parents=True, exist_ok=True)
        folder.root.chmod(0o700)
    except OSError as error:
        raise OutputError(f"{root}: cannot be made ({error.strerror}). Choose another.") from error
    return folder


def new_id() -> str:
    """Return a new scan's id: random, so that it says nothing and is not guessed.

    Examples
    --------
    >>> len(new_id())
    12
    """
    return secrets.token_hex(6)
