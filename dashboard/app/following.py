"""The application follows the configuration that the daemon works with, without a hand.

When `pantau run` has taken a changed configuration (SIGHUP), another application is built beside
the one that answers, and takes its place when it is ready: nobody waits, no request is lost. One
that cannot be built is logged, and what was there goes on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from monitor.core.errors import PantauError

log = logging.getLogger("dashboard.following")

LOOK_S = 2.0
AGAIN_S = 5.0
SENTENCE = (
    "Konfigurasi tidak dapat dibaca; catatannya ada di log server.\n"
    "The configuration cannot be read; the server's log says why.\n"
)


class Application(Protocol):
    """What WSGI (PEP 3333) calls an application."""

    def __call__(self, environ: dict[str, Any], start_response: Any, /) -> Iterable[bytes]: ...


class Following:
    """A WSGI application that is whatever `build` last made.

    build: the application, and the version that it was built from; raises PantauError.
    version: the one in force, "" when that is not known; asked for at most every LOOK_S.
    steady: seconds that never jump.
    """

    def __init__(
        self,
        build: Callable[[], tuple[Application, str]],
        version: Callable[[], str],
        steady: Callable[[], float],
    ) -> None:
        self._build = build
        self._version = version
        self._steady = steady
        self._lock = threading.Lock()
        self._looked_s = steady()
        self._building: threading.Thread | None = None
        self._current: Application = _unfit
        self._settled: frozenset[str] = frozenset()
        self._make()

    def __call__(self, environ: dict[str, Any], start_response: Any, /) -> Iterable[bytes]:
        self._look()
        return self._current(environ, start_response)

    def rebuild(self) -> None:
        """Build anew from the files as they are now, in the background: SIGHUP, new secrets."""
        threading.Thread(target=self._rebuild, daemon=True).start()

    def _rebuild(self) -> None:
        with self._lock:
            building = self._building
        if building is not None:
            building.join()
        self._make()

    def _look(self) -> None:
        """Seldom, and one at a time; the work is done beside."""
        every_s = LOOK_S if self._settled else AGAIN_S
        if self._steady() - self._looked_s < every_s or not self._lock.acquire(blocking=False):
            return
        try:
            self._looked_s = self._steady()
            is_busy = self._building is not None and self._building.is_alive()
            if not is_busy and self._version() not in self._settled:
                self._building = threading.Thread(target=self._make, daemon=True)
                self._building.start()
        finally:
            self._lock.release()

    def _make(self) -> None:
        version = self._version()
        try:
            made, own = self._build()
        except PantauError as error:
            if self._current is _unfit:
                log.error("the page cannot be built: %s", error)
                return
            log.error("going on with the configuration as it was: %s", error)
            own = version
        else:
            if self._current is not _unfit:
                log.warning("the configuration was read anew: followed")
            self._current = made
        # One that failed is not tried again: the daemon would have to take another one first.
        self._settled = frozenset({version, own, ""})


def _unfit(_environ: dict[str, Any], start_response: Any, /) -> Iterable[bytes]:
    """Until something can be built: one sentence in both languages."""
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Retry-After", "5")]
    start_response("503 Service Unavailable", [*headers, ("Cache-Control", "no-store")])
    return [SENTENCE.encode()]
