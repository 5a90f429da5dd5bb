"""Screenshots of the pages.

    python -m tests.dashboard.shots                    those kept in tests/dashboard/shots
    python -m tests.dashboard.shots --readme DIR       desk.png and wall.png of the README
    python -m tests.dashboard.shots --all DIR [NAME]   all, or those whose name contains NAME

They show a quiet day, trouble, a mass outage and stale data, on desk, wall and phone, light and
dark. Kept and README pictures have a palette of 256 colours: about 100 kB each.
"""

from __future__ import annotations

import sys
import tempfile
import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from monitor.core.documents import Document
from tests.dashboard.alert_history import mass_outage
from tests.dashboard.browser import Browser, chromium
from tests.dashboard.dashboard_server import DashboardServer
from tests.dashboard.small_png import small_png
from tests.dashboard.synthetic_history import SyntheticHistory, quiet, shipped_network, trouble
from tests.waiting import eventually

SMALLER = 0.7
KEPT = Path(__file__).parent / "shots"
README = {"trouble-desk-light": "desk", "tv-dark": "wall"}


@dataclass(frozen=True, slots=True)
class Shot:
    """One screenshot. where: path of the page; whole: all of it, not only the screen."""

    name: str
    where: str
    theme: str
    width: int
    height: int
    scale: float = 1
    whole: bool = False


DESK, WALL, PHONE = (1920, 1080), (3840, 2160), (390, 844, 2)
SHOTS: dict[str, tuple[Shot, ...]] = {
    "trouble": (
        Shot("trouble-desk-light", "", "light", *DESK),
        Shot("trouble-desk-dark", "", "dark", *DESK),
        Shot("trouble-desk-english", "?lang=en", "light", *DESK),
        Shot("trouble-wall-dark", "", "dark", *WALL),
        Shot("trouble-tablet-light", "", "light", 900, 1200, whole=True),
        Shot("trouble-phone-light", "", "light", *PHONE),
        Shot("trouble-phone-whole", "", "light", *PHONE, whole=True),
        Shot("trouble-phone-dark", "", "dark", *PHONE),
        Shot("site-light", "situs/terisi", "light", 1920, 1080, whole=True),
        Shot("site-dark", "situs/gantar", "dark", 1920, 1080, whole=True),
        Shot("site-down-6h", "situs/losarang?range=6h", "light", *DESK),
        Shot("site-7d", "situs/losarang?range=7d", "light", 1920, 1080, whole=True),
        Shot("site-hidden", "situs/juntinyuat", "light", *DESK),
        Shot("site-1h-english", "situs/bangodua?range=1h&lang=en", "light", *DESK),
        Shot("site-phone", "situs/terisi", "light", *PHONE, whole=True),
        Shot("site-wall", "situs/terisi", "dark", *WALL),
        Shot("tv-dark", "tv", "dark", *DESK),
        Shot("tv-light", "tv", "light", *DESK),
        Shot("tv-wall", "tv", "dark", *WALL),
        Shot("tv-phone", "tv", "light", *PHONE, whole=True),
        Shot("incidents-light", "insiden{open}", "light", *DESK),
        Shot("incidents-dark", "insiden{hub}", "dark", *DESK),
        Shot("incidents-history", "insiden?view=history", "light", *DESK),
        Shot("incidents-english", "insiden?lang=en", "light", *DESK),
        Shot("incidents-phone", "insiden{open}", "light", *PHONE, whole=True),
        Shot("report-light", "laporan/", "light", *DESK),
        Shot("report-dark", "laporan/", "dark", *DESK),
        Shot("report-phone", "laporan/", "light", *PHONE),
        Shot("shift-light", "serah-terima", "light", *DESK),
        Shot("shift-dark", "serah-terima?hours=24", "dark", *DESK),
        Shot("shift-phone", "serah-terima", "light", *PHONE),
        Shot("alert-light", "i/{open}", "light", *PHONE),
        Shot("alert-dark", "i/{hub}", "dark", *PHONE),
        Shot("lost", "situs/bandung", "light", 1200, 700),
    ),
    "quiet": (
        Shot("quiet-desk-light", "", "light", *DESK),
        Shot("quiet-desk-dark", "", "dark", *DESK),
        Shot("quiet-phone-light", "", "light", *PHONE),
        Shot("quiet-tv-dark", "tv", "dark", *DESK),
        Shot("quiet-incidents", "insiden", "light", *DESK),
    ),
    "mass": (
        Shot("mass-tv-dark", "tv", "dark", *DESK),
        Shot("mass-desk-light", "", "light", *DESK),
        Shot("mass-incidents", "insiden#mass", "light", *DESK),
        Shot("mass-incidents-phone", "insiden#mass", "light", *PHONE, whole=True),
    ),
    "stale": (
        Shot("stale-tv-dark", "tv", "dark", *DESK),
        Shot("stale-desk-dark", "", "dark", *DESK),
        Shot("stale-desk-light", "", "light", *DESK),
        Shot("stale-phone-light", "", "light", *PHONE),
    ),
}
SMALL = ("trouble-desk-light", "trouble-desk-dark", "trouble-phone-light", "quiet-desk-light",
         "stale-desk-dark", "site-light", "tv-dark", "mass-tv-dark", "incidents-light",
         "report-light", "alert-light")  # fmt: skip


def take(served: DashboardServer, browser: Browser, shot: Shot, file: Path, size: float) -> None:
    """Open the page, wait until it is drawn, and write a PNG of `size` times the screen."""
    browser.size(shot.width, shot.height, shot.scale, phone=shot.width < 600)
    browser.cdp("Network.clearBrowserCookies")
    where, mark, number = shot.where.partition("#")
    joint = "&" if "?" in where else "?"
    browser.driver.get(f"{served.url}{where}{joint}theme={shot.theme}{mark}{number}")
    if shot.where.startswith("situs/") and "bandung" not in shot.where:
        plots = 'return document.querySelectorAll(".main-svg .trace, .mutp").length'
        eventually(lambda: browser.run(plots) > 2, within_s=20)
    eventually(lambda: browser.run("return document.fonts.status") == "loaded")
    assert browser.run("return document.querySelector('header') !== null"), (
        browser.driver.page_source
    )
    # Wait until the fade of a new outage has ended and the page was updated once.
    eventually(lambda: browser.run("return performance.now()") > 2200)
    height = browser.run("return document.documentElement.scrollHeight") if shot.whole else 0
    if height > shot.height:
        browser.size(shot.width, height, shot.scale, phone=shot.width < 600)
        begun = time.monotonic()
        eventually(lambda: time.monotonic() > begun + 0.8)
    clip = {"x": 0, "y": 0, "width": shot.width, "height": max(height, shot.height)}
    picture = browser.cdp("Page.captureScreenshot", clip=clip | {"scale": size})
    png = b64decode(picture["data"])
    file.write_bytes(png if size == 1.0 else small_png(png))


def _numbered(where: str, history: SyntheticHistory) -> str:
    """Insert the numbers of two incidents: an open outage, and that of a node."""
    found = {each.target: each.id for each in history.incidents() if each.ended_s is None}
    joint = "#" if where.startswith("insiden") else ""
    for name, target in (("{open}", "losarang/utama"), ("{hub}", "pop-karangampel")):
        where = where.replace(name, f"{joint}{found.get(target, 1)}")
    return where


def advancing(history: SyntheticHistory) -> Callable[[], Document]:
    """The state document of a running daemon: the history moved to the present."""
    return lambda: history.later(time.time() - history.now_s).document()


def shoot(files: Mapping[str, Path], size: float) -> None:
    """Take the screenshots of these names, each into its file."""
    network = shipped_network()
    histories: dict[str, Callable[[float], SyntheticHistory]] = {
        "trouble": lambda now_s: trouble(network, now_s),
        "mass": lambda now_s: mass_outage(network, now_s),
        "quiet": lambda now_s: quiet(network, now_s),
        "stale": lambda now_s: trouble(network, now_s - 245),
    }
    for name, make in histories.items():
        shots = [shot for shot in SHOTS[name] if shot.name in files]
        if not shots:
            continue
        with tempfile.TemporaryDirectory() as work, chromium(Path(work) / "profile") as browser:
            history = make(time.time())
            served = DashboardServer(Path(work) / "served", history)
            served.write_states()
            served.write_day()

            try:
                served.start(history.document if name == "stale" else advancing(history))
                for shot in shots:
                    if name != "stale":
                        served.write_now()
                    numbered = replace(shot, where=_numbered(shot.where, history))
                    take(served, browser, numbered, files[shot.name], size)
            finally:
                served.close()


def main(arguments: list[str]) -> None:
    """See the module docstring."""
    names = [shot.name for shots in SHOTS.values() for shot in shots]
    if not arguments:
        shoot({name: KEPT / f"{name}.png" for name in SMALL}, SMALLER)
        return
    option, folder, *rest = arguments
    into = Path(folder)
    into.mkdir(parents=True, exist_ok=True)
    if option == "--readme":
        shoot({name: into / f"{short}.png" for name, short in README.items()}, SMALLER)
    else:
        part = rest[0] if rest else ""
        shoot({name: into / f"{name}.png" for name in names if part in name}, 1.0)


if __name__ == "__main__":
    main(sys.argv[1:])
