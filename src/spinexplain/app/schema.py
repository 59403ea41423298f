"""The tables of the reader's database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

LARGEST_ID = 2**31 - 1
"""What a column of integers holds on PostgreSQL; beyond it a comparison is a fault there."""


class Record(DeclarativeBase):
    """What all tables share: one set of table definitions."""


class Account(Record):
    """Somebody who may sign in."""

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[str] = mapped_column(String(32))


class SignedIn(Record):
    """A session; the cookie holds the token, the table only its hash."""

    __tablename__ = "sessions"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    expires_at: Mapped[str] = mapped_column(String(32))


class FailedSignIn(Record):
    """A password that was wrong; counted by name, known or not."""

    __tablename__ = "failed_sign_ins"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name_sha256: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[str] = mapped_column(String(32))


class Scan(Record):
    """A scan, where it stands, and what the work list shows of it.

    ``state`` is ``receiving``, ``needs_centers``, ``queued``, ``grading``, ``ready`` or
    ``refused``.
    """

    __tablename__ = "scans"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    patient: Mapped[str | None] = mapped_column(String(120))
    study_date: Mapped[str | None] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(20), index=True)
    stage: Mapped[str] = mapped_column(String(60), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    added_at: Mapped[str] = mapped_column(String(32))
    worst: Mapped[float] = mapped_column(Float, default=-1.0)
    headline: Mapped[str] = mapped_column(Text, default="")
    disagreement: Mapped[int] = mapped_column(Integer, default=0)


class ScanReader(Record):
    """Who may open which scan."""

    __tablename__ = "scan_readers"

    scan_id: Mapped[str] = mapped_column(ForeignKey("scans.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)


class Event(Record):
    """One act of one reader on one scan; never changed, never deleted."""

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("scan_id", "account_id", "seq", name="one_act_at_a_time"),
        Index("events_of_a_reading", "scan_id", "account_id"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    scan_id: Mapped[str] = mapped_column(ForeignKey("scans.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    seq: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(20))
    level: Mapped[str | None] = mapped_column(String(4))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    seen: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[str] = mapped_column(String(32))


class PrototypeDecision(Record):
    """What one reader decided about one prototype of a model; never changed, never deleted.

    The last of a reader about a prototype counts; one whose ``body`` has no choice takes the
    one before it back.
    """

    __tablename__ = "prototype_decisions"
    __table_args__ = (Index("decisions_of_a_reader", "weights_sha256", "account_id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    weights_sha256: Mapped[str] = mapped_column(String(64))
    prototype: Mapped[int] = mapped_column(Integer)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[str] = mapped_column(String(32))


class StudyRow(Record):
    """A reader study that this server shows; its pages lie in the data folder."""

    __tablename__ = "studies"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    added_at: Mapped[str] = mapped_column(String(32))


class StudyReader(Record):
    """Who takes part in a study, and as which of its readers."""

    __tablename__ = "study_readers"
    __table_args__ = (UniqueConstraint("study_id", "number", name="one_account_a_reader"),)

    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer)


class StudyAnswer(Record):
    """One answer of one reader; never changed, never deleted.

    ``question`` is a key of the study, or ``revealed``: what the software suggests was shown,
    and the page is closed.
    """

    __tablename__ = "study_answers"
    __table_args__ = (Index("answers_of_a_reader", "study_id", "account_id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    item: Mapped[str] = mapped_column(String(16))
    piece: Mapped[int] = mapped_column(Integer)
    question: Mapped[str] = mapped_column(String(32))
    value: Mapped[Any] = mapped_column(JSON)
    seconds: Mapped[float | None] = mapped_column(Float)
    at: Mapped[str] = mapped_column(String(32))
