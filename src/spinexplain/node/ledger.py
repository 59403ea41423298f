"""What the node has taken, done and refused: a small database that survives ``kill -9``.

Rows and the mailbox's cursor change in one transaction, so that a series is never lost and
never taken twice. A row in work names its owner, who holds a lock on a file; the operating
system lets go of that lock when the owner dies, and another node takes the row over.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

STATES = ("queued", "working", "done", "refused", "dead")
_LONGEST_WAIT_S = 3600.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS series (
    key TEXT PRIMARY KEY, reference TEXT NOT NULL, series_uid TEXT NOT NULL,
    study_uid TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0, not_before REAL NOT NULL DEFAULT 0,
    owner TEXT NOT NULL DEFAULT '', urgency INTEGER NOT NULL DEFAULT 0,
    headline TEXT NOT NULL DEFAULT '', received REAL NOT NULL, changed REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS by_state ON series (state, not_before);
CREATE TABLE IF NOT EXISTS cursor (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Entry:
    """One series in the ledger.

    Parameters
    ----------
    key : str
        Short hash of series and number of instances; the only name that logs carry.
    reference : str
        What the mailbox calls it.
    series_uid, study_uid : str
    state : str
        One of ``STATES``.
    reason : str
        Why it was refused or is dead.
    attempts : int
    urgency : int
        3 for a severe fracture, 0 for none.
    headline : str
    received : float
        Seconds since 1970.
    """

    key: str
    reference: str
    series_uid: str
    study_uid: str
    state: str
    reason: str = ""
    attempts: int = 0
    urgency: int = 0
    headline: str = ""
    received: float = 0.0


def entry_key(series_uid: str, instances: int) -> str:
    """Name a series without saying whose it is; with more instances it is another one.

    Examples
    --------
    >>> entry_key("1.2.3", 100) == entry_key("1.2.3", 101)
    False
    """
    return hashlib.sha256(f"{series_uid}\n{instances}".encode()).hexdigest()[:16]


class Ledger:
    """The ledger of one state folder; several nodes may share it.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._owners = folder / "owners"
        self._owners.mkdir(parents=True, exist_ok=True)
        self.owner = os.urandom(8).hex()
        self._lock = (self._owners / self.owner).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._path = folder / "ledger.sqlite"
        with self._connected() as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.executescript(_SCHEMA)

    def close(self) -> None:
        """Let go of everything that this owner works on."""
        with self._transaction() as database:
            database.execute(
                "UPDATE series SET state='queued', owner='' WHERE state='working' AND owner=?",
                (self.owner,),
            )
        self._lock.close()
        (self._owners / self.owner).unlink(missing_ok=True)

    def cursor(self, name: str) -> str:
        """Return how far a mailbox was read; empty at the start."""
        with self._connected() as database:
            row = database.execute("SELECT value FROM cursor WHERE name=?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def admit(self, name: str, cursor: str, entries: Iterable[Entry]) -> list[Entry]:
        """Write new series and the mailbox's cursor in one step; return those not known yet."""
        new = []
        with self._transaction() as database:
            for one in entries:
                done = database.execute(
                    "INSERT OR IGNORE INTO series (key, reference, series_uid, study_uid, state, "
                    "reason, received, changed) VALUES (?,?,?,?,?,?,?,?)",
                    (
                        one.key,
                        one.reference,
                        one.series_uid,
                        one.study_uid,
                        one.state,
                        one.reason,
                        time.time(),
                        time.time(),
                    ),
                )
                new += [one] if done.rowcount else []
            database.execute("INSERT OR REPLACE INTO cursor VALUES (?,?)", (name, cursor))
        return new

    def claim(self) -> Entry | None:
        """Take the oldest series that is due, also from an owner who died; None without one."""
        with self._transaction() as database:
            self._free_abandoned(database)
            row = database.execute(
                f"SELECT {_COLUMNS} FROM series WHERE state='queued' AND not_before<=? "
                "ORDER BY received LIMIT 1",
                (time.time(),),
            ).fetchone()
            if row is None:
                return None
            database.execute(
                "UPDATE series SET state='working', owner=?, attempts=attempts+1, changed=? "
                "WHERE key=?",
                (self.owner, time.time(), row[0]),
            )
        entry = Entry(*row)
        return replace(entry, state="working", attempts=entry.attempts + 1)

    def finish(
        self, key: str, state: str, reason: str = "", urgency: int = 0, headline: str = ""
    ) -> None:
        """Write how a series ended: ``"done"``, ``"refused"`` or ``"dead"``."""
        with self._transaction() as database:
            database.execute(
                "UPDATE series SET state=?, reason=?, urgency=?, headline=?, owner='', changed=? "
                "WHERE key=?",
                (state, reason, urgency, headline, time.time(), key),
            )

    def postpone(self, key: str, reason: str, seconds: float) -> None:
        """Put a series back for another attempt."""
        with self._transaction() as database:
            database.execute(
                "UPDATE series SET state='queued', owner='', reason=?, not_before=?, changed=? "
                "WHERE key=?",
                (reason, time.time() + min(seconds, _LONGEST_WAIT_S), time.time(), key),
            )

    def counts(self) -> dict[str, int]:
        """Return how many series are in each state."""
        with self._connected() as database:
            rows = database.execute("SELECT state, COUNT(*) FROM series GROUP BY state").fetchall()
        return dict.fromkeys(STATES, 0) | {str(state): int(count) for state, count in rows}

    def state_of(self, key: str) -> str:
        """Return the state of a series; empty for one that is not known."""
        with self._connected() as database:
            row = database.execute("SELECT state FROM series WHERE key=?", (key,)).fetchone()
        return str(row[0]) if row else ""

    def entries(self, state: str, since: float = 0.0) -> list[Entry]:
        """Return the series in a state, the most urgent first, then the oldest.

        Parameters
        ----------
        state : str
        since : float
            Only those received since, in seconds since 1970.
        """
        with self._connected() as database:
            rows = database.execute(
                f"SELECT {_COLUMNS} FROM series WHERE state=? AND received>=? "
                "ORDER BY urgency DESC, received",
                (state, since),
            ).fetchall()
        return [Entry(*row) for row in rows]

    def _free_abandoned(self, database: sqlite3.Connection) -> None:
        rows = database.execute(
            "SELECT DISTINCT owner FROM series WHERE state='working' AND owner<>?", (self.owner,)
        ).fetchall()
        for (owner,) in rows:
            if self._is_dead(owner):
                database.execute(
                    "UPDATE series SET state='queued', owner='' WHERE state='working' AND owner=?",
                    (owner,),
                )

    def _is_dead(self, owner: str) -> bool:
        path = self._owners / owner
        try:
            with path.open() as stream:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        path.unlink(missing_ok=True)
        return True

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._path, timeout=60, isolation_level=None)
        try:
            database.execute("PRAGMA synchronous=FULL")
            yield database
        finally:
            database.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connected() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")


_COLUMNS = (
    "key, reference, series_uid, study_uid, state, reason, attempts, urgency, headline, received"
)
