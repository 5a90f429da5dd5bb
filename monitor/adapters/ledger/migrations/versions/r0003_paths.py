"""Paths: the usual path of each target, and the traces of incidents."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "path_baselines",
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("hops", sa.JSON, nullable=False),
        sa.Column("known", sa.JSON, nullable=False),
        sa.Column("changed_us", sa.BigInteger),
        sa.Column("previous", sa.JSON, nullable=False),
    )
    op.create_index("path_baselines_by_time", "path_baselines", ["at_us"])
    op.create_table(
        "path_traces",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("incident", sa.Integer, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("hops", sa.JSON, nullable=False),
        sa.Column("usual", sa.JSON, nullable=False),
    )
    op.create_index("path_traces_of_an_incident", "path_traces", ["incident"])


def downgrade() -> None:
    raise NotImplementedError("put the copy ledger.db.before-<revision> in place instead")
