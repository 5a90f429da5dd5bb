"""Any request to the local API gets an answer or a closed connection; none is a server error."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from pathlib import Path

import orjson
from hypothesis import given
from hypothesis import strategies as st

from monitor.adapters.system.local_api_client import SOCKET_NAME
from monitor.api.validation import RequestFields, parse_time
from monitor.core.errors import InvalidRequest
from tests.api_rig import MemoryApiRig, in_thread
from tests.fuzz.mutations import corpus, fuzzed, mutated

REQUESTS = corpus("api")
FIELDS = frozenset({"who", "why", "until", "for_s", "targets", "text"})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def statuses(path: Path, data: bytes) -> list[bytes]:
    """The status of each answer to these bytes, sent at once and with no more to come."""
    with socket.socket(socket.AF_UNIX) as there:
        there.settimeout(5)
        there.connect(str(path))
        received = b""
        with suppress(OSError):
            there.sendall(data)
            there.shutdown(socket.SHUT_WR)
            while part := there.recv(65536):
                received += part
    return [line.split()[1] for line in received.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


async def test_bytes_on_the_socket(tmp_path: Path) -> None:
    rig = MemoryApiRig()
    loop = asyncio.get_running_loop()
    async with rig.serving(tmp_path) as client:
        path = tmp_path / SOCKET_NAME

        @fuzzed(60)
        @given(mutated(REQUESTS))
        def send(data: bytes) -> None:
            for status in statuses(path, data):
                assert status[:1] in b"234", (status, data)

        unhandled: list[object] = []
        loop.set_exception_handler(lambda _, context: unhandled.append(context))
        await in_thread(send)
        assert await in_thread(lambda: client.get("/state"))
        assert unhandled == []


@fuzzed(100)
@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), JSON))
def test_values_of_the_fields(document: dict[str, object]) -> None:
    with suppress(InvalidRequest, TypeError, orjson.JSONEncodeError):
        fields = RequestFields(orjson.dumps(document), FIELDS)
        for read in (
            fields.who,
            lambda: fields.text("why"),
            lambda: fields.optional("text"),
            lambda: fields.targets("targets"),
            lambda: fields.until("until", 0.0),
        ):
            with suppress(InvalidRequest):
                read()


@fuzzed(100)
@given(mutated(REQUESTS))
def test_a_body(body: bytes) -> None:
    with suppress(InvalidRequest):
        RequestFields(body, FIELDS)


@fuzzed(60)
@given(st.text() | st.datetimes(timezones=st.timezones()).map(str))
def test_a_time(text: str) -> None:
    with suppress(InvalidRequest):
        parse_time("until", text)
