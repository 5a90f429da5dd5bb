"""`command`: a program of this machine, with our JSON on its standard input. No shell.

Exit 0: accepted. 75 (EX_TEMPFAIL of sysexits.h): later. 64 to 78 otherwise, and a program that
cannot be started: refused. Anything else, a signal, or no end within the bound: later.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress

from monitor.adapters.notify.payload import payload
from monitor.adapters.notify.redaction import Redaction
from monitor.core.alerting import Accepted, Delivery, Message, Refused, TryLater

EX_TEMPFAIL = 75
_NEVER = range(64, 79)
_KEPT_BYTES = 4096
_CHUNK = 65_536
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}
"""All that the program inherits: our own environment may hold secrets."""


class CommandChannel:
    """`Channel`: one process a message, ended with all its children at the bound."""

    def __init__(self, command: Sequence[str], redact: Redaction, bound_s: float = 20.0) -> None:
        self._command = tuple(command)
        self._redact = redact
        self._bound_s = bound_s

    def __repr__(self) -> str:
        return "CommandChannel(…)"

    async def send(self, message: Message) -> Delivery:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                env=ENVIRONMENT,
                start_new_session=True,
            )
        except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
            return Refused(f"the program cannot be started ({error.strerror})")
        except (OSError, ValueError) as error:
            return TryLater(f"the program cannot be started ({self._redact(error)})")
        said = asyncio.create_task(_first_words(process.stderr))
        code: int | None = None
        try:
            async with asyncio.timeout(self._bound_s):
                await _give(process.stdin, payload(message))
                code = await process.wait()
        except TimeoutError:
            code = None
        finally:
            # Its children too: one of them might hold the siren, or our pipe.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            words = await _within(said, 1.0)
        return self._delivery(code, self._redact(words))

    async def close(self) -> None:
        """Nothing stays open between messages."""

    def _delivery(self, code: int | None, words: str) -> Delivery:
        if code == 0:
            return Accepted()
        if code is None:
            return TryLater(f"the program did not end within {self._bound_s:g} s")
        why = f"exit {code}" + (f": {words}" if words else "")
        return Refused(why) if code in _NEVER and code != EX_TEMPFAIL else TryLater(why)


async def _give(stdin: asyncio.StreamWriter | None, body: bytes) -> None:
    """A program need not read what it is given."""
    if stdin is None:
        return
    with suppress(BrokenPipeError, ConnectionResetError):
        stdin.write(body)
        await stdin.drain()
    with suppress(BrokenPipeError, ConnectionResetError):
        stdin.close()
        await stdin.wait_closed()


async def _first_words(stderr: asyncio.StreamReader | None) -> str:
    """The first of what it complains about; the rest is read and forgotten."""
    kept = b""
    while stderr is not None and (part := await stderr.read(_CHUNK)):
        kept += part[: _KEPT_BYTES - len(kept)]
    return kept.decode("utf-8", "replace")


async def _within(task: asyncio.Task[str], bound_s: float) -> str:
    done, _ = await asyncio.wait({task}, timeout=bound_s)
    if not done:
        task.cancel()
        return ""
    return task.result()
