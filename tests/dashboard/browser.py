"""A real Chromium, alone: a fresh profile, no background traffic, every request written down."""

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
    # One process draws page after page, as when somebody walks through the site: a new one for
    # each page (and one in reserve) takes a third more of the machine.
    "--process-per-site", "--in-process-gpu", "--disable-site-isolation-trials",
    "--disable-features=SpareRendererForSitePerProcess,ProactivelySwapBrowsingInstance,"
    "BackForwardCache,Translate,OptimizationHints,MediaRouter",
)  # fmt: skip
REMARKS = ("intervention", "violation")
"""What the browser itself says of a slow machine ("Slow network is detected"), not of the page."""


class Browser:
    """One window; `requests` are all addresses that it asked for since the last `forget`."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver
        self._requests: list[dict[str, Any]] = []
        self._finished: dict[str, int] = {}
        self.console: list[str] = []

    def size(self, width: int, height: int, scale: float = 1, phone: bool = False) -> None:
        """The screen, in CSS pixels."""
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=scale, mobile=phone,
        )  # fmt: skip

    def cdp(self, method: str, **parameters: Any) -> Any:
        """One command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(method, parameters)

    def run(self, script: str, *values: Any) -> Any:
        """What `return …` gives in the page."""
        return self.driver.execute_script(script, *values)

    def requests(self) -> list[dict[str, Any]]:
        """Every request since `forget`, redirects and data: addresses left out."""
        self._listen()
        return self._requests

    def transferred(self) -> int:
        """Bytes over the wire since `forget`, as the browser counted them."""
        self._listen()
        return sum(self._finished.values())

    def forget(self) -> None:
        """Begin anew, before another page is opened.

        The page that is open is left first: what it asks for, perhaps of a server that is gone,
        and what it complains of until the next one comes, is not the next one's.
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
            told = message["params"]
            if message["method"] == "Network.requestWillBeSent":
                if not told["request"]["url"].startswith(("data:", "blob:")):
                    self._requests.append(told["request"])
            elif message["method"] == "Network.loadingFinished":
                self._finished[told["requestId"]] = int(told["encodedDataLength"])
        self.console += [
            entry["message"] for entry in self._log("browser") if entry["source"] not in REMARKS
        ]


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """Start it; it ends with the block. Debian's packages chromium and chromium-driver."""
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
