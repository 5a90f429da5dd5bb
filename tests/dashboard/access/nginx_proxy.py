"""A real nginx with the shipped site configuration in front of the dashboard."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.dashboard.dashboard_server import TOP, free_port
from tests.waiting import eventually

SITE = TOP / "deploy" / "nginx-pantau.conf"
KINDS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@contextmanager
def nginx(work: Path, page_port: int, location: str) -> Iterator[int]:
    """Its port. location: `/pantau/`; only that and the two addresses are exchanged."""
    assert shutil.which("nginx"), "nginx is missing: apt-get install nginx-light"
    port, site = free_port(), SITE.read_text("utf-8")
    for text, instead in (
        ("\n    listen 80;", f"\n    listen 127.0.0.1:{port};"),
        ("http://127.0.0.1:8050;", f"http://127.0.0.1:{page_port};"),
        ("\n    location / {", f"\n    location {location} {{"),
    ):
        assert site.count(text) == 1, text
        site = site.replace(text, instead)
    work.mkdir()
    (work / "site.conf").write_text(site, "utf-8")
    folders = "".join(f"{kind}_temp_path {work}/{kind};" for kind in KINDS)
    (work / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {work}/pid; error_log {work}/errors;"
        f"events {{}} http {{ access_log off; {folders} include {work}/site.conf; }}",
        "utf-8",
    )
    running = subprocess.Popen(
        ["nginx", "-p", str(work), "-c", str(work / "nginx.conf")], stderr=subprocess.DEVNULL
    )

    def answers() -> bool:
        assert running.poll() is None, (work / "errors").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        eventually(answers)
        yield port
    finally:
        running.kill()
        running.wait()
