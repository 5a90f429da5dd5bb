"""A real nginx with the shipped site configuration, and a certificate made by deploy/tls."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

from tests.dashboard.dashboard_server import TOP, free_port
from tests.waiting import eventually

SITE = TOP / "deploy" / "nginx-pantau.conf"
PASS = "        proxy_pass"
KINDS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True, slots=True)
class Nginx:
    """port: HTTPS; plain_port: HTTP. work: its directory, with logs and tls/."""

    port: int
    plain_port: int
    work: Path

    def connect(self) -> HTTPSConnection:
        """A connection that trusts the CA which deploy/tls made, and nothing else."""
        trust = ssl.create_default_context(cafile=str(self.work / "tls" / "ca.crt"))
        return HTTPSConnection("127.0.0.1", self.port, timeout=10, context=trust)

    def connect_plainly(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.plain_port, timeout=10)

    def logs(self) -> str:
        """All that was logged anywhere."""
        return "".join(path.read_text() for path in self.work.glob("*.log"))


def make_certificate(tls: Path, *names: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(TOP / "deploy" / "tls"), *names],
        env=os.environ | {"PANTAU_TLS": str(tls)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@contextmanager
def nginx(work: Path, page_port: int, location: str, *changes: tuple[str, str]) -> Iterator[Nginx]:
    """location: `/pantau/`. Only that, ports and paths are exchanged, and what `changes` says."""
    assert shutil.which("nginx"), "nginx is missing: apt-get install nginx-light"
    work.mkdir()
    made = make_certificate(work / "tls", "localhost", "127.0.0.1")
    assert made.returncode == 0, made.stderr
    found, site = Nginx(free_port(), free_port(), work), SITE.read_text("utf-8")
    for text, instead in (
        ("\n    listen 443 ssl;", f"\n    listen 127.0.0.1:{found.port} ssl;"),
        ("\n    listen 80;", f"\n    listen 127.0.0.1:{found.plain_port};"),
        ("http://127.0.0.1:8050;", f"http://127.0.0.1:{page_port};"),
        (
            "\n    location / {\n        proxy_pass",
            f"\n    location {location} {{\n        proxy_pass",
        ),
        ("https://$host$request_uri", f"https://$host:{found.port}$request_uri"),
    ):
        assert site.count(text) == 1, text
        site = site.replace(text, instead)
    for text, instead in changes:
        assert text in site, text
        site = site.replace(text, instead)
    site = site.replace("/etc/pantau/tls/", f"{work}/tls/").replace("/var/log/nginx/", f"{work}/")
    (work / "site.conf").write_text(site, "utf-8")
    folders = "".join(f"{kind}_temp_path {work}/{kind};" for kind in KINDS)
    (work / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {work}/pid; error_log {work}/main-error.log;"
        f"events {{}} http {{ {folders} include {work}/site.conf; }}",
        "utf-8",
    )
    running = subprocess.Popen(
        ["nginx", "-p", str(work), "-c", str(work / "nginx.conf")], stderr=subprocess.DEVNULL
    )

    def answers() -> bool:
        assert running.poll() is None, (work / "main-error.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", found.port)) == 0

    try:
        eventually(answers)
        yield found
    finally:
        running.kill()
        running.wait()


def fingerprint_in(text: str) -> str:
    """The SHA-256 fingerprint that deploy/tls says."""
    (found,) = re.findall(r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}", text)
    return str(found)
