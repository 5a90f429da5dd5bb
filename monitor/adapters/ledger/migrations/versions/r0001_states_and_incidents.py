"""States, transitions and incidents."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "states",
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("since_us", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "transitions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("detected_us", sa.BigInteger, nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("after", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("proof", sa.JSON, nullable=False),
    )
    op.create_index(
        "transitions_once", "transitions", ["detected_us", "target", "before", "after"], unique=True
    )
    op.create_index("transitions_of_a_target", "transitions", ["target", "at_us"])
    op.create_index("transitions_by_time", "transitions", ["at_us"])
    op.create_table(
        "incidents",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("started_us", sa.BigInteger, nullable=False),
        sa.Column("detected_us", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("proof", sa.JSON, nullable=False),
        sa.Column("ended_us", sa.BigInteger),
        sa.Column("end_reason", sa.Text),
        sa.Column("started_earliest_us", sa.BigInteger),
        sa.Column("ended_earliest_us", sa.BigInteger),
        sa.Column("parent", sa.Integer),
        sa.Column("suspected_cause", sa.Text),
    )
    op.create_index("incidents_by_end", "incidents", ["ended_us"])
    op.create_table(
        "incident_events",
        sa.Column("incident", sa.Integer, sa.ForeignKey("incidents.id"), primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True),
        sa.Column("change", sa.Text, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
    )
    op.create_table(
        "incident_affected",
        sa.Column("incident", sa.Integer, sa.ForeignKey("incidents.id"), primary_key=True),
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
    )
    op.create_index("incidents_that_affect", "incident_affected", ["target"])
    meta = op.create_table(
        "meta",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    # For whoever opens the file with a tool of their own.
    op.bulk_insert(
        meta,
        [{"key": "times", "value": "columns ending in _us: microseconds since 1970-01-01 UTC"}],
    )


def downgrade() -> None:
    raise NotImplementedError("put the copy ledger.db.before-<revision> in place instead")
