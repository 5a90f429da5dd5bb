"""`command`: runs a program of this machine with the JSON on standard input, without a shell.

Exit 0: accepted. 75 (EX_TEMPFAIL of sysexits.h): later. 64 to 78 otherwise, and a program that
cannot be started: refused. Any other code, a signal, or no exit within the time limit: later.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from io import FileIO

from monitor.adapters.notify.redaction import Redaction
from monitor.adapters.notify.webhook import notification_json
from monitor.core.alerting.model import Delivered, Delivery, Notification, Rejected, RetryLater

EX_TEMPFAIL = 75
_FINAL_EXIT_CODES = range(64, 79)
_STDERR_BYTES = 4096
_CHUNK = 65_536
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}
"""The program inherits nothing else: our own environment may hold secrets."""


class CommandChannel:
    """`Channel`: one process a message, killed with its children at the time limit."""

    def __init__(self, command: Sequence[str], redact: Redaction, timeout_s: float = 20.0) -> None:
        self._command = tuple(command)
        self._redact = redact
        self._timeout_s = timeout_s

    def __repr__(self) -> str:
        return "CommandChannel(…)"

    async def send(self, message: Notification) -> Delivery:
        reading, writing = os.pipe()
        with (
            open_memory_file(notification_json(message)) as stdin,
            FileIO(reading, "r") as stderr,
        ):
            try:
                process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=stdin,
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
            code, words = await self._wait(process, stderr)
        return self._delivery(code, self._redact(words))

    async def close(self) -> None:
        """Nothing stays open between messages."""

    async def _wait(
        self, process: asyncio.subprocess.Process, stderr: FileIO
    ) -> tuple[int | None, str]:
        """Its exit code (None: killed at the time limit) and the beginning of its stderr."""
        beginning = asyncio.create_task(_read_beginning(stderr))
        code: int | None = None
        try:
            async with asyncio.timeout(self._timeout_s):
                code = await process.wait()
        except TimeoutError:
            code = None
        finally:
            # Its children too: one of them may hold a device or our pipe.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            words = await _result_within(beginning, 1.0)
        return code, words

    def _delivery(self, code: int | None, words: str) -> Delivery:
        if code == 0:
            return Delivered()
        if code is None:
            return RetryLater(f"the program did not end within {self._timeout_s:g} s")
        why = f"exit {code}" + (f": {words}" if words else "")
        return (
            Rejected(why) if code in _FINAL_EXIT_CODES and code != EX_TEMPFAIL else RetryLater(why)
        )


def open_memory_file(body: bytes) -> FileIO:
    """A file in memory with this content: unlike a pipe it does not wait for a reader."""
    file = FileIO(os.memfd_create("pantau"), "r+")
    file.write(body)
    file.seek(0)
    return file


async def _read_beginning(stderr: FileIO) -> str:
    """Read to the end, return the first 4096 bytes as text.

    The pipe is ours and not asyncio's: it would wait for a child that keeps it open.
    """
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), stderr
    )
    beginning = b""
    try:
        while part := await reader.read(_CHUNK):
            beginning += part[: _STDERR_BYTES - len(beginning)]
    finally:
        transport.close()
    return beginning.decode("utf-8", "replace")


async def _result_within(task: asyncio.Task[str], timeout_s: float) -> str:
    done, _ = await asyncio.wait({task}, timeout=timeout_s)
    if not done:
        task.cancel()
        return ""
    return task.result()
