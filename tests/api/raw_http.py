"""HTTP on a Unix socket, byte by byte."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

from tests.api_rig import in_thread

Answer = tuple[int, dict[str, str], bytes]


async def raw_get(path: Path, address: str) -> Answer:
    return await _talk(path, f"GET {address} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"")


async def raw_post(path: Path, address: str, body: bytes) -> Answer:
    head = f"POST {address} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    return await _talk(path, f"{head}Content-Length: {len(body)}\r\n\r\n", body)


async def _talk(path: Path, head: str, body: bytes) -> Answer:
    """status, headers by their names in lower case, body."""

    def talk() -> bytes:
        with socket.socket(socket.AF_UNIX) as there:
            there.settimeout(5)
            there.connect(str(path))
            there.sendall(head.encode())
            # It hangs up in the middle of a body that is too long.
            with suppress(OSError):
                there.sendall(body)
            answer = b""
            while part := there.recv(65536):
                answer += part
            return answer

    said, _, rest = (await in_thread(talk)).partition(b"\r\n\r\n")
    first, *lines = said.decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    return int(first.split()[1]), headers, rest
