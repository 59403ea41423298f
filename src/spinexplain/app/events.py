"""Acts of readers in the database: appended, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from spinexplain.app.database import utc_now
from spinexplain.app.reading import Done, Reading, sum_up
from spinexplain.app.schema import Event


class OutOfDateError(Exception):
    """The reading has gone on since the page was drawn, or it is finalised."""


def acts_of(session: Session, scan_id: str, account_id: int) -> list[Done]:
    """Return one reader's acts on a scan, in order."""
    rows = session.scalars(
        select(Event)
        .where(Event.scan_id == scan_id, Event.account_id == account_id)
        .order_by(Event.seq)
    )
    return [Done(row.seq, row.kind, row.level, row.body, row.at) for row in rows]


def reading_of(session: Session, scan_id: str, account_id: int) -> Reading:
    """Add up one reader's acts on a scan."""
    return sum_up(acts_of(session, scan_id, account_id))


def append_act(
    session: Session,
    scan_id: str,
    account_id: int,
    kind: str,
    level: str | None,
    body: Mapping[str, Any],
    after: int,
    seen: Mapping[str, Any],
) -> int:
    """Add an act to a reading and return its number.

    Parameters
    ----------
    session : Session
        From ``Database.writing``: the number counted on stays free until it is taken.
    after : int
        Number of the last act that the reader's page showed.
    seen : mapping
        What was on the screen.

    Raises
    ------
    OutOfDateError
        If another page of the same reader was quicker, or the reading is finalised.
    """
    reading = reading_of(session, scan_id, account_id)
    if kind == "viewed" and reading.viewed:
        return reading.last
    if reading.last != after:
        raise OutOfDateError("this reading has gone on in another window; the page shows it now.")
    if reading.signed is not None and kind != "addendum":
        raise OutOfDateError("this reading is finalised; add an addendum instead.")
    if reading.signed is None and kind == "addendum":
        raise OutOfDateError("an addendum needs a finalised reading; finalise it first.")
    event = Event(
        scan_id=scan_id,
        account_id=account_id,
        seq=reading.last + 1,
        kind=kind,
        level=level,
        body=dict(body),
        seen=dict(seen),
        at=utc_now(),
    )
    session.add(event)
    session.flush()
    return event.seq
