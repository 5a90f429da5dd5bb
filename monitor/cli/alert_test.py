"""`pantau alert-test`: does every channel still work?"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import click

from monitor.adapters.ledger import SqlLedgerReader
from monitor.cli.options import config_option
from monitor.cli.outbox import print_messages
from monitor.cli.people import ledger_of, tell, who_option
from monitor.cli.words import dicts
from monitor.core.alerting.documents import outbox_document
from monitor.core.errors import PantauError
from monitor.settings import quick

LOOK_S = 0.2


@click.command(name="alert-test")
@config_option
@click.argument("channel", required=False)
@click.option(
    "--wait", "wait_s", type=click.FloatRange(0, 600), default=30, show_default=True, metavar="S"
)
@who_option
def alert_test(config: Path, channel: str | None, wait_s: float, who: str) -> None:
    """Send a test message now through CHANNEL, or through every channel of alerts.toml.

    Waits so many seconds for it to be taken; exit 1 when one was not.

    \b
    Example: pantau alert-test telegram-noc
    """
    queued = dicts(tell(config, "/alert-test", who=who, channel=channel)["outbox"])
    numbers = {row["id"] for row in queued}
    found = _outcome(ledger_of(config), numbers, wait_s, time.monotonic, time.sleep)
    print_messages(found, quick.timezone(config))
    missing = [str(row["channel"]) for row in found if row["status"] != "sent"]
    if missing:
        raise PantauError(
            f"not delivered within {wait_s:g} s: {', '.join(missing)} — "
            "`pantau outbox` says what becomes of it"
        )


def _outcome(
    ledger: SqlLedgerReader,
    numbers: set[object],
    wait_s: float,
    steady_s: Callable[[], float],
    pause: Callable[[float], None],
) -> list[dict[str, object]]:
    """The messages once all are sent or given up, or when the time is over."""
    end_s = steady_s() + wait_s
    while True:
        rows = [outbox_document(row) for row in ledger.outbox(incident=0)]
        mine = [row for row in rows if row["id"] in numbers]
        over = all(row["status"] in ("sent", "dead") for row in mine)
        if over or steady_s() >= end_s:
            return mine
        pause(LOOK_S)
