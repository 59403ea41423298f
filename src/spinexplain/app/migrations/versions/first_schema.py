"""The first tables, and the triggers that keep events as they were written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SQLITE = """
CREATE TRIGGER events_no_{verb} BEFORE {verb} ON events
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END
"""
_POSTGRES_FUNCTION = """
CREATE FUNCTION events_stay() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'events are never changed'; END $$
"""
_POSTGRES = """
CREATE TRIGGER events_no_{verb} BEFORE {verb} ON events
FOR EACH ROW EXECUTE FUNCTION events_stay()
"""


def upgrade() -> None:
    """Make the tables."""
    _accounts()
    _scans()
    _events()
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        op.execute(_POSTGRES_FUNCTION)
    for verb in ("UPDATE", "DELETE"):
        text = _POSTGRES if dialect == "postgresql" else _SQLITE
        op.execute(text.format(verb=verb))


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(80), nullable=False, unique=True),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("token_sha256", sa.String(64), primary_key=True),
        sa.Column("account_id", sa.Integer, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("expires_at", sa.String(32), nullable=False),
    )
    op.create_index("ix_sessions_account_id", "sessions", ["account_id"])
    op.create_table(
        "failed_sign_ins",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name_sha256", sa.String(64), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
    )
    op.create_index("ix_failed_sign_ins_name_sha256", "failed_sign_ins", ["name_sha256"])


def _scans() -> None:
    op.create_table(
        "scans",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("patient", sa.String(120)),
        sa.Column("study_date", sa.String(10)),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("stage", sa.String(60), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("added_at", sa.String(32), nullable=False),
        sa.Column("worst", sa.Float, nullable=False),
        sa.Column("headline", sa.Text, nullable=False),
        sa.Column("disagreement", sa.Integer, nullable=False),
    )
    op.create_index("ix_scans_state", "scans", ["state"])
    op.create_table(
        "scan_readers",
        sa.Column("scan_id", sa.String(16), sa.ForeignKey("scans.id"), primary_key=True),
        sa.Column("account_id", sa.Integer, sa.ForeignKey("accounts.id"), primary_key=True),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("scan_id", sa.String(16), sa.ForeignKey("scans.id"), nullable=False),
        sa.Column("account_id", sa.Integer, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("level", sa.String(4)),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("seen", sa.JSON, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.UniqueConstraint("scan_id", "account_id", "seq", name="one_act_at_a_time"),
    )
    op.create_index("events_of_a_reading", "events", ["scan_id", "account_id"])
