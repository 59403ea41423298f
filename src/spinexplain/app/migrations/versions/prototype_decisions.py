"""What readers decide about prototypes, kept as it was written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SQLITE = """
CREATE TRIGGER prototype_decisions_no_{verb} BEFORE {verb} ON prototype_decisions
BEGIN SELECT RAISE(ABORT, 'decisions are never changed'); END
"""
_POSTGRES = """
CREATE TRIGGER prototype_decisions_no_{verb} BEFORE {verb} ON prototype_decisions
FOR EACH ROW EXECUTE FUNCTION events_stay()
"""


def upgrade() -> None:
    """Make the table and the triggers that keep its rows."""
    op.create_table(
        "prototype_decisions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("account_id", sa.Integer, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("weights_sha256", sa.String(64), nullable=False),
        sa.Column("prototype", sa.Integer, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
    )
    op.create_index(
        "decisions_of_a_reader", "prototype_decisions", ["weights_sha256", "account_id"]
    )
    text = _POSTGRES if op.get_bind().dialect.name == "postgresql" else _SQLITE
    for verb in ("UPDATE", "DELETE"):
        op.execute(text.format(verb=verb))
