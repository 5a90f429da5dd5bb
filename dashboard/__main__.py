"""`python -m dashboard`: serves the page. People call it as `pantau dashboard`.

One process with threads: the snapshot is made once for everybody, and a page waits for nothing
but the disk of this machine.
"""

from __future__ import annotations

import argparse
import logging
import os
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from dashboard.app.following import Following
from dashboard.app.gate.peers import is_proxy_address, read_networks
from dashboard.http_server import LimitedServer
from dashboard.wsgi import create, proxy_of, read_settings
from monitor.adapters.system.clock import boottime_s
from monitor.adapters.system.log_lines import SafeFormatter
from monitor.adapters.system.systemd import SystemdNotifier
from monitor.core.errors import PantauError
from monitor.settings.model import DashboardSettings

MAX_OPEN_FILES = 8192


def main() -> int:
    """Exit code 1 with one sentence when it could not start."""
    options = _options(sys.argv[1:])
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(SafeFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    # It says so for every request that waits for a thread: a line each, under load.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    if options.config is not None:
        os.environ["PANTAU_CONFIG"] = str(options.config)
    try:
        settings = read_settings(os.environ)
        proxy_of(settings, os.environ)
        page = settings.dashboard
        host = page.host if options.host is None else options.host
        port = page.port if options.port is None else options.port
        _allow_many_connections()
        application = create()
        server = _listen(application, page, host, port)
    except PantauError as error:
        print(f"pantau dashboard: {error}", file=sys.stderr)
        return 1
    signal.signal(signal.SIGHUP, lambda *_: application.rebuild())
    SystemdNotifier(os.environ, os.getpid()).ready()
    server.serve()
    return 0


def _listen(application: Following, page: DashboardSettings, host: str, port: int) -> LimitedServer:
    """The server, listening. Raises PantauError when it cannot."""
    proxies = read_networks(page.trusted_proxies)
    try:
        return LimitedServer(
            application, host, port, boottime_s, lambda address: is_proxy_address(address, proxies)
        )
    except OSError as error:
        raise PantauError(
            f"cannot listen on {host}:{port} ({error.strerror}): "
            "give another one with --host or --port, or in [dashboard] of monitor.toml"
        ) from error


def _allow_many_connections() -> None:
    """More descriptors than the usual 1024: connections, journal files, spilled responses."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(MAX_OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dashboard")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
