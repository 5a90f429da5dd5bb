"""A real Chromium with a fresh profile, no background traffic and a log of every request."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

QUIET = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--disable-extensions", "--disable-dev-shm-usage",
    "--hide-scrollbars", "--force-color-profile=srgb", "--enable-precise-memory-info",
    # One renderer process for all pages: a new one for each page takes a third more CPU.
    "--process-per-site", "--in-process-gpu", "--disable-site-isolation-trials",
    "--disable-features=SpareRendererForSitePerProcess,ProactivelySwapBrowsingInstance,"
    "BackForwardCache,Translate,OptimizationHints,MediaRouter",
)  # fmt: skip
REMARKS = ("intervention", "violation")
"""Sources of console messages about a slow machine, which are not errors of the page."""


class Browser:
    """One window, and the requests and console messages since the last `forget`."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver
        self._requests: list[dict[str, Any]] = []
        self._finished: dict[str, int] = {}
        self.console: list[str] = []

    def size(self, width: int, height: int, scale: float = 1, phone: bool = False) -> None:
        """Set the screen size in CSS pixels."""
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=scale, mobile=phone,
        )  # fmt: skip

    def cdp(self, method: str, **parameters: Any) -> Any:
        """Execute a command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(method, parameters)

    def run(self, script: str, *values: Any) -> Any:
        """Execute JavaScript in the page and return its result."""
        return self.driver.execute_script(script, *values)

    def requests(self) -> list[dict[str, Any]]:
        """Requests since `forget`, without redirects and data: URLs."""
        self._listen()
        return self._requests

    def transferred(self) -> int:
        """Bytes transferred since `forget`."""
        self._listen()
        return sum(self._finished.values())

    def forget(self) -> None:
        """Clear requests and console messages before another page is opened.

        The current page is left first, so that its late requests and errors do not count.
        """
        self.driver.get("about:blank")
        self._listen()
        self._requests, self._finished, self.console = [], {}, []

    def _log(self, kind: str) -> list[dict[str, str]]:
        ask: Callable[[str], list[dict[str, str]]] = self.driver.get_log
        return ask(kind)

    def _listen(self) -> None:
        for entry in self._log("performance"):
            message = json.loads(entry["message"])["message"]
            params = message["params"]
            if message["method"] == "Network.requestWillBeSent":
                if not params["request"]["url"].startswith(("data:", "blob:")):
                    self._requests.append(params["request"])
            elif message["method"] == "Network.loadingFinished":
                self._finished[params["requestId"]] = int(params["encodedDataLength"])
        self.console += [
            entry["message"] for entry in self._log("browser") if entry["source"] not in REMARKS
        ]


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """Start the browser for the block. Debian packages: chromium, chromium-driver."""
    driver_path = shutil.which("chromedriver")
    if driver_path is None:
        raise AssertionError("chromedriver is missing: apt-get install chromium chromium-driver")
    options = Options()
    for flag in (*QUIET, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = Chrome(options=options, service=Service(driver_path))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
