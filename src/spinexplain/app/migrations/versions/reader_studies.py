"""Studies, who takes part in them, and answers kept as they were given."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SQLITE = """
CREATE TRIGGER study_answers_no_{verb} BEFORE {verb} ON study_answers
BEGIN SELECT RAISE(ABORT, 'answers are never changed'); END
"""
_POSTGRES = """
CREATE TRIGGER study_answers_no_{verb} BEFORE {verb} ON study_answers
FOR EACH ROW EXECUTE FUNCTION events_stay()
"""


def upgrade() -> None:
    """Make the tables, and the triggers that keep answers."""
    op.create_table(
        "studies",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("added_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "study_readers",
        sa.Column("study_id", sa.String(16), sa.ForeignKey("studies.id"), primary_key=True),
        sa.Column("account_id", sa.Integer, sa.ForeignKey("accounts.id"), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.UniqueConstraint("study_id", "number", name="one_account_a_reader"),
    )
    op.create_table(
        "study_answers",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("study_id", sa.String(16), sa.ForeignKey("studies.id"), nullable=False),
        sa.Column("account_id", sa.Integer, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("item", sa.String(16), nullable=False),
        sa.Column("piece", sa.Integer, nullable=False),
        sa.Column("question", sa.String(32), nullable=False),
        sa.Column("value", sa.JSON, nullable=False),
        sa.Column("seconds", sa.Float),
        sa.Column("at", sa.String(32), nullable=False),
    )
    op.create_index("answers_of_a_reader", "study_answers", ["study_id", "account_id"])
    text = _POSTGRES if op.get_bind().dialect.name == "postgresql" else _SQLITE
    for verb in ("UPDATE", "DELETE"):
        op.execute(text.format(verb=verb))
