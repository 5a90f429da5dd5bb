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
from io import FileIO

from monitor.adapters.notify.payload import payload
from monitor.adapters.notify.redaction import Redaction
from monitor.core.alerting.model import Delivered, Delivery, Notification, Rejected, RetryLater

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

    async def send(self, message: Notification) -> Delivery:
        reading, writing = os.pipe()
        with open_given(payload(message)) as given, FileIO(reading, "r") as complaints:
            try:
                process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=given,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=writing,
                    env=ENVIRONMENT,
                    start_new_session=True,
                )
            except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
                return Rejected(f"the program cannot be started ({error.strerror})")
            except (OSError, ValueError) as error:
                return RetryLater(f"the program cannot be started ({self._redact(error)})")
            finally:
                os.close(writing)
            code, words = await self._ended(process, complaints)
        return self._delivery(code, self._redact(words))

    async def close(self) -> None:
        """Nothing stays open between messages."""

    async def _ended(
        self, process: asyncio.subprocess.Process, complaints: FileIO
    ) -> tuple[int | None, str]:
        """Its exit code, None when it did not end within the bound; and its first words."""
        said = asyncio.create_task(_first_words(complaints))
        code: int | None = None
        try:
            async with asyncio.timeout(self._bound_s):
                code = await process.wait()
        except TimeoutError:
            code = None
        finally:
            # Its children too: one of them might hold the siren, or our pipe.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            words = await _within(said, 1.0)
        return code, words

    def _delivery(self, code: int | None, words: str) -> Delivery:
        if code == 0:
            return Delivered()
        if code is None:
            return RetryLater(f"the program did not end within {self._bound_s:g} s")
        why = f"exit {code}" + (f": {words}" if words else "")
        return Rejected(why) if code in _NEVER and code != EX_TEMPFAIL else RetryLater(why)


def open_given(body: bytes) -> FileIO:
    """The JSON as a file in memory: unlike a pipe it waits for nobody to read it."""
    given = FileIO(os.memfd_create("pantau"), "r+")
    given.write(body)
    given.seek(0)
    return given


async def _first_words(complaints: FileIO) -> str:
    """The first of what it complains about; the rest is read and forgotten.

    The pipe is ours and not the process's: asyncio would wait for a child that keeps it open.
    """
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), complaints
    )
    kept = b""
    try:
        while part := await reader.read(_CHUNK):
            kept += part[: _KEPT_BYTES - len(kept)]
    finally:
        transport.close()
    return kept.decode("utf-8", "replace")


async def _within(task: asyncio.Task[str], bound_s: float) -> str:
    done, _ = await asyncio.wait({task}, timeout=bound_s)
    if not done:
        task.cancel()
        return ""
    return task.result()
