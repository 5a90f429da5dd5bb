"""The command channel: JSON on stdin, a clean environment, killed at the time limit."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import psutil
import pytest

from monitor.adapters.notify.command import CommandChannel
from monitor.adapters.notify.redaction import Redaction
from monitor.core.alerting.model import Delivered, Delivery, Rejected, RetryLater
from tests.message_fixtures import CANARY, KEY, message
from tests.waiting import eventually


def channel(script: str, *arguments: str, bound_s: float = 20.0) -> CommandChannel:
    return CommandChannel([sys.executable, "-c", script, *arguments], Redaction(), bound_s)


async def test_it_gets_the_json_on_its_standard_input(tmp_path: Path) -> None:
    script = "import sys; open(sys.argv[1], 'wb').write(sys.stdin.buffer.read())"
    assert await channel(script, str(tmp_path / "got")).send(message()) == Delivered()
    document = json.loads((tmp_path / "got").read_bytes())
    assert (document["key"], document["event"], document["text"]) == (KEY, "opened", message().text)


async def test_arguments_are_not_interpreted_by_a_shell(tmp_path: Path) -> None:
    script = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
    odd = f"; touch {tmp_path}/x $(id) `id`"
    await channel(script, str(tmp_path / "got"), odd).send(message())
    assert (tmp_path / "got").read_text() == odd
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (0, Delivered),
        (75, RetryLater),
        (64, Rejected),
        (77, Rejected),
        (1, RetryLater),
        (3, RetryLater),
    ],
)
async def test_the_exit_code_decides_the_delivery(code: int, kind: type[Delivery]) -> None:
    delivery = await channel(f"import sys; sys.stderr.write('modem?'); sys.exit({code})").send(
        message()
    )
    assert type(delivery) is kind
    if not isinstance(delivery, Delivered):
        assert delivery.why == f"exit {code}: modem?"


async def test_a_missing_program_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", tmp_path):
        delivery = await CommandChannel([str(path)], Redaction()).send(message())
        assert isinstance(delivery, Rejected)
        assert "cannot be started" in delivery.why


async def test_a_program_over_the_time_limit_is_killed_with_its_children(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        "open(sys.argv[1], 'w').write(str(child.pid))\n"
        "time.sleep(600)\n"
    )
    slow = channel(script, str(tmp_path / "pid"), bound_s=1.0)
    assert await slow.send(message()) == RetryLater("the program did not end within 1 s")
    child = int((tmp_path / "pid").read_text())
    assert eventually(lambda: not psutil.pid_exists(child) or _is_dead(child))


def _is_dead(pid: int) -> bool:
    return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def test_a_program_that_reads_nothing_or_floods_stderr_does_no_harm() -> None:
    long = message("x" * 300_000)
    assert await channel("pass").send(long) == Delivered()
    flood = "import sys\nfor _ in range(200): sys.stderr.write('e' * 65536)\nsys.exit(75)"
    delivery = await channel(flood).send(message())
    assert isinstance(delivery, RetryLater)
    assert len(delivery.why) < 400


async def test_a_child_that_keeps_the_pipe_open_delays_nothing() -> None:
    script = "import subprocess, sys; subprocess.Popen(['sleep', '600'])"
    assert await channel(script).send(message()) == Delivered()


async def test_it_inherits_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANTAU_SECRET_X", CANARY)
    script = "import os, sys; open(sys.argv[1], 'w').write(repr(dict(os.environ)))"
    await channel(script, str(tmp_path / "got")).send(message())
    assert CANARY in os.environ.values()
    assert CANARY not in (tmp_path / "got").read_text()
