"""Alerts: outbox, notices, actions and maintenance windows."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("incident", sa.Integer, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("about", sa.JSON, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("next_try_us", sa.BigInteger, nullable=False),
        sa.Column("lease_until_us", sa.BigInteger),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("first_try_us", sa.BigInteger),
        sa.Column("last_error", sa.Text),
        sa.Column("sent_us", sa.BigInteger),
        sa.Column("merged_into", sa.Integer),
    )
    op.create_index(
        "outbox_once", "outbox", ["incident", "sequence", "channel", "recipient"], unique=True
    )
    op.create_index("outbox_by_channel", "outbox", ["channel", "status"])
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("incident", sa.Integer, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("told", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("thread", sa.Integer),
        sa.Column("sequence", sa.BigInteger),
        sa.Column("step", sa.Integer),
    )
    op.create_index(
        "notices_once",
        "notices",
        ["incident", "at_us", "event", "reason", "recipient", "channel"],
        unique=True,
    )
    op.create_index("notices_by_time", "notices", ["at_us"])
    op.create_table(
        "actions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("incident", sa.Integer, sa.ForeignKey("incidents.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("until_us", sa.BigInteger),
    )
    op.create_index("actions_of_an_incident", "actions", ["incident"])
    op.create_index("actions_by_time", "actions", ["at_us"])
    op.create_table(
        "windows",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("targets", sa.JSON, nullable=False),
        sa.Column("start_us", sa.BigInteger, nullable=False),
        sa.Column("end_us", sa.BigInteger, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("recurring", sa.Text),
        sa.Column("ended_us", sa.BigInteger),
        sa.Column("ended_by", sa.Text),
    )
    op.create_index("windows_by_end", "windows", ["end_us"])


def downgrade() -> None:
    raise NotImplementedError("put the copy ledger.db.before-<revision> in place instead")
