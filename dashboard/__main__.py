"""`python -m dashboard`: serves the page with gunicorn. People call it as `pantau dashboard`.

One worker with threads: the snapshot is made once for everybody, and a page waits for nothing
but the disk of this machine.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from dashboard.wsgi import proxy_of, read_settings
from monitor.core.errors import PantauError

THREADS = 16


def main() -> int:
    """Exit code 1 with one sentence when it could not start; else this becomes gunicorn."""
    options = _options(sys.argv[1:])
    if options.config is not None:
        os.environ["PANTAU_CONFIG"] = str(options.config)
    try:
        settings = read_settings(os.environ)
        proxy_of(settings, os.environ)
        page = settings.dashboard
        host = page.host if options.host is None else options.host
        port = page.port if options.port is None else options.port
        _see_that_it_is_free(host, port)
    except PantauError as error:
        print(f"pantau dashboard: {error}", file=sys.stderr)
        return 1
    return become(gunicorn_command(sys.executable, host, port))


def become(command: list[str]) -> NoReturn:
    """Replace this process, so that signals reach the server itself."""
    os.execv(command[0], command)  # noqa: S606 - our own interpreter, no shell


def gunicorn_command(python: str, host: str, port: int) -> list[str]:
    """How gunicorn is started; deploy/ may do the same."""
    shown = f"[{host}]" if ":" in host else host
    memory = Path("/dev/shm")  # noqa: S108 - gunicorn's own heartbeat file, made safely by it
    heartbeat = ["--worker-tmp-dir", str(memory)] if os.access(memory, os.W_OK) else []
    return [
        *(python, "-m", "gunicorn", "dashboard.wsgi:create()"),
        *("--bind", f"{shown}:{port}", "--worker-class", "gthread"),
        *("--workers", "1", "--threads", str(THREADS), "--keep-alive", "75"),
        *("--timeout", "60", "--graceful-timeout", "5", "--no-control-socket"),
        *("--limit-request-line", "2048", "--log-level", "warning", *heartbeat),
    ]


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dashboard")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    return parser.parse_args(words)


def _see_that_it_is_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PantauError(
                f"cannot listen on {host}:{port} ({error.strerror}): "
                "give another one with --host or --port, or in [dashboard] of monitor.toml"
            ) from error


if __name__ == "__main__":
    sys.exit(main())
