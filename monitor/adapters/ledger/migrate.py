"""Migrate a ledger to the tables of this version, with Alembic.

A new migration is a file in `migrations/versions`: copy the newest one, name it in
`down_revision`, write out what changes (never import the tables: they go on changing, a
migration does not; tables are altered with `op.batch_alter_table`, for SQLite), and raise
`REVISION` in `tables.py`.

Before a file that already holds tables is changed, it is copied to `<file>.before-<revision>`;
all steps then run in one transaction, so a failed or killed upgrade leaves the file as it was.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final, cast

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, inspect

from monitor.adapters.ledger.database_file import copy_database, copy_path, existing_copies
from monitor.adapters.ledger.queries import revision
from monitor.core.errors import LedgerError

MIGRATIONS: Final = Path(__file__).parent / "migrations"
"""The migrations of this version."""

logger = logging.getLogger(__name__)


def upgrade(engine: Engine, name: str, path: Path | None, migrations: Path = MIGRATIONS) -> None:
    """Create the tables, or bring older ones to this version.

    engine: without foreign keys; a rebuilt table would otherwise take the rows of others along.
    path: the ledger's file; None when it is on a server, of which no copy is made.
    Raises LedgerError for tables of a newer version, for tables that are not a ledger's, and
    when no copy can be made. Errors of the database pass through as they are.
    """
    try:
        _upgrade(engine, name, path, ScriptDirectory(str(migrations)))
    except CommandError as error:
        raise LedgerError(
            f"the migrations in {migrations} cannot be used ({error}): install pantau again"
        ) from error


def _upgrade(engine: Engine, name: str, path: Path | None, script: ScriptDirectory) -> None:
    newest = script.as_revision_number("head")
    if not isinstance(newest, str):
        raise CommandError("they have no single end")
    with engine.begin() as connection:
        present = revision(connection)
        tables = inspect(connection).get_table_names()
    if present == newest:
        return
    if present is None and tables:
        raise LedgerError(
            f"{name} is a database, but not a ledger of pantau: move it away, or name another"
            " data_dir"
        )
    if present is not None:
        if present not in {each.revision for each in script.walk_revisions()}:
            raise LedgerError(_newer_message(name, path, present, newest))
        _copy(engine, name, path, newest)
    with engine.begin() as connection:
        _step_by_step(connection, script, present, newest)
        if path is not None and (
            broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        ):
            raise LedgerError(
                f"the upgrade of the ledger {name} to {newest} would leave {len(broken)} rows"
                " without the ones that they belong to, so nothing was changed: this is a fault"
                " of pantau, go on with the version from before and report it"
            )
    logger.info("ledger %s: tables are at %s (before: %s)", name, newest, present or "none")


def _step_by_step(
    connection: Connection, script: ScriptDirectory, present: str | None, newest: str
) -> None:
    # Alembic's own `command.upgrade` wants an env.py that acts when it is imported; these are
    # the public parts that it is made of.
    context = MigrationContext.configure(connection)
    with Operations.context(context):
        for step in reversed(list(script.iterate_revisions(newest, present))):
            logger.info("ledger: %s, %s", step.revision, step.doc)
            step.module.upgrade()
    context.stamp(script, newest)


def _copy(engine: Engine, name: str, path: Path | None, newest: str) -> None:
    if path is None:
        logger.warning("ledger %s: its tables change, without a copy of the server's", name)
        return
    target = copy_path(path, newest)
    # Outside of any transaction: SQLite copies nothing while the same connection writes.
    # Nobody else can write between this and the upgrade, for the daemon is the one that may.
    with closing(engine.raw_connection()) as connection:
        copy_database(cast(sqlite3.Connection, connection.driver_connection), path, target)
    logger.warning("ledger %s: copied to %s before its tables change", name, target.name)


def _newer_message(name: str, path: Path | None, present: str, newest: str) -> str:
    what = (
        f"the ledger {name} was written by a newer pantau (its tables are at {present}, this"
        f" version knows up to {newest}): install that version again"
    )
    ours = [] if path is None else [p for p in existing_copies(path) if p > copy_path(path, newest)]
    if not ours:
        return what
    return f"{what}, or put {ours[0].name} in its place and lose what came later"
