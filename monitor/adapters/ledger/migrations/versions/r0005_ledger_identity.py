"""A random identity of the ledger, and with each message the identity that its key contains."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # NULL: written by a version without identities; its key goes on being made without one.
    op.add_column("outbox", sa.Column("ledger", sa.Text))
    identity = op.create_table(
        "ledger_identity",
        sa.Column("value", sa.Text, primary_key=True),
        sa.Column("last_old_incident", sa.Integer, nullable=False),
    )
    highest = op.get_bind().scalar(sa.text("SELECT max(id) FROM incidents"))
    characters = "abcdefghijklmnopqrstuvwxyz234567"
    value = "".join(secrets.choice(characters) for _ in range(8))
    op.bulk_insert(identity, [{"value": value, "last_old_incident": highest or 0}])


def downgrade() -> None:
    raise NotImplementedError("put the copy ledger.db.before-<revision> in place instead")
