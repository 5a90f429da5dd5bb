"""Outbox: since when a message waits, and which message it goes instead of or beside."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("queued_us", sa.BigInteger))
    op.add_column("outbox", sa.Column("fallback_of", sa.Integer))
    op.create_index("outbox_by_status", "outbox", ["status"])


def downgrade() -> None:
    raise NotImplementedError("put the copy ledger.db.before-<revision> in place instead")
