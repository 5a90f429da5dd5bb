"""How answers leave: compressed, with the headers that keep a page on this host alone.

What never changes under its address (a version stands in it) is compressed well, once; the rest
each time, fast.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path

import brotli
from flask import Flask, Response, request

from dashboard.components.frame import Assets
from dashboard.theme import css, paints

YEAR_S = 31_536_000
SMALL = 600
PARTS = ("text/javascript", "application/javascript", "text/css", "font/woff2")
"""What a browser never shows as a document of its own."""
TEXTUAL = ("text/", "application/json", "application/javascript", "image/svg+xml")


class Compression:
    """Compresses what is text; keeps the result where the address holds a version."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], bytes] = {}

    def apply(self, response: Response) -> Response:
        """An after_request step: brotli, else gzip, else as it is."""
        response.vary.add("Accept-Encoding")
        if (
            response.status_code != 200
            or "Content-Encoding" in response.headers
            or not (response.mimetype or "").startswith(TEXTUAL)
        ):
            return response
        way = request.accept_encodings.best_match(("br", "gzip"))
        if way is None:
            return response
        response.direct_passthrough = False
        plain = response.get_data()
        if len(plain) < SMALL:
            return response
        response.set_data(
            self._packed(way, plain, lasting=(response.cache_control.max_age or 0) > 0)
        )
        response.headers["Content-Encoding"] = way
        etag, weak = response.get_etag()
        if etag is not None and not weak:
            response.set_etag(etag, weak=True)
        return response

    def _packed(self, way: str, plain: bytes, *, lasting: bool) -> bytes:
        if not lasting:
            return _pack(way, plain, quality=5)
        key = (way, hashlib.sha256(plain).hexdigest())
        with self._lock:
            if key not in self._kept:
                self._kept[key] = _pack(way, plain, quality=9)
            return self._kept[key]


def _pack(way: str, plain: bytes, quality: int) -> bytes:
    if way == "br":
        return bytes(brotli.compress(plain, quality=quality))
    return gzip.compress(plain, quality, mtime=0)


def content_policy(script_hashes: Sequence[str]) -> str:
    """A Content-Security-Policy: nothing from elsewhere, no inline script but Dash's own start.

    Styles may be inline: Dash and Plotly write theirs into the page, and what a style could do
    elsewhere the other lines forbid. data: is for the shapes inside our own style sheet.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {' '.join(script_hashes)}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def add_headers(app: Flask, policy: str) -> None:
    """The same safe headers on every answer.

    Those that speak of a document are left off what is none: a page has twenty scripts, and they
    would weigh more than some of these.
    """
    of_all = {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"}
    of_documents = {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }

    def add(response: Response) -> Response:
        wanted = of_all if response.mimetype in PARTS else of_all | of_documents
        for name, value in wanted.items():
            response.headers.setdefault(name, value)
        return response

    app.after_request(add)


def read_assets(folder: Path, prefix: str) -> Assets:
    """Every file of the assets folder by name, its address with a hash of what it holds."""
    urls = {
        path.name: f"{prefix}assets/{path.name}?v={_version(path)}"
        for path in sorted(folder.iterdir())
        if path.is_file()
    }
    return Assets(urls, css(paints()))


def _version(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]
