"""Who may name whom on the local API, and what slow or many clients may hold of it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from monitor.adapters.system.local_api_client import SOCKET_NAME, LocalApiClient
from monitor.adapters.system.sign_outs_file import SignOutsFile
from monitor.api.connections import ConnectionLimits
from monitor.core.documents import rfc3339
from monitor.core.errors import ApiError, Conflict, InvalidRequest, NotFound
from tests.api_rig import MemoryApiRig, in_thread
from tests.other_user import OtherUser, open_directory
from tests.waiting import eventually, eventually_async

GROUP = 41_000
MEMBER = OtherUser(41_007, 41_007, (GROUP,))
IS_ROOT = os.geteuid() == 0
MEMBER_NAME = "uid 41007" if IS_ROOT else "siti"
"""Where root is not at hand the client runs as the daemon's own user, which may name others."""

HASH = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG"
ASK = """
import http.client, json, socket, sys
class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])
connection = Connection("pantau")
connection.request(sys.argv[2], sys.argv[3], sys.argv[4])
answer = connection.getresponse()
print(json.dumps([answer.status, json.loads(answer.read())]))
"""


@pytest.fixture
def directory() -> Iterator[Path]:
    with open_directory() as found:
        yield found


@pytest.fixture
def rig() -> MemoryApiRig:
    return MemoryApiRig()


@pytest.fixture
async def client(rig: MemoryApiRig, directory: Path) -> AsyncIterator[LocalApiClient]:
    async with rig.serving(directory) as found:
        if IS_ROOT:
            os.chown(directory / SOCKET_NAME, 0, GROUP)
        yield found


async def ask(directory: Path, path: str, user: OtherUser = MEMBER, **body: object) -> Any:
    """Status and document of a POST by another user of the machine."""
    words = ["-c", ASK, str(directory / SOCKET_NAME), "POST", path, json.dumps(body)]
    status, output = await in_thread(lambda: user.run(words))
    assert status == 0, output
    return json.loads(output)


async def test_a_member_of_the_group_acts_under_its_own_name(
    client: LocalApiClient, directory: Path
) -> None:
    status, action = await ask(directory, "/incidents/2/note", who="siti", text="x")
    assert (status, action["who"]) == (200, MEMBER_NAME)
    status, action = await ask(directory, "/incidents/2/acknowledge", why="x")
    assert not IS_ROOT or (status, action["who"]) == (200, MEMBER_NAME)


async def test_the_user_of_the_page_and_root_name_a_person(
    rig: MemoryApiRig, client: LocalApiClient, directory: Path
) -> None:
    rig.page_uid = MEMBER.uid
    status, action = await ask(directory, "/incidents/2/note", who="siti", text="x")
    assert (status, action["who"]) == (200, "siti")
    stored = await in_thread(lambda: client.post("/incidents/2/note", {"who": "budi", "text": "y"}))
    assert stored["who"] == "budi"


async def test_a_user_outside_the_group_cannot_connect(
    client: LocalApiClient, directory: Path
) -> None:
    stranger = OtherUser(41_008, 41_008)
    words = ["-c", ASK, str(directory / SOCKET_NAME), "GET", "/state", ""]
    status, output = await in_thread(lambda: stranger.run(words))
    assert (status != 0 and "PermissionError" in output) or not IS_ROOT


async def test_only_the_user_of_the_page_ends_sessions(
    rig: MemoryApiRig, client: LocalApiClient, directory: Path
) -> None:
    body: dict[str, Any] = {"session": "abc", "name": "siti"}
    body["until"] = rfc3339(rig.now_s() + 60)
    if IS_ROOT:
        status, _ = await ask(directory, "/sessions/end", **body)
        assert status == 403
        assert not SignOutsFile(directory).read().has_ended("abc", "siti", rig.now_s())
    rig.page_uid = MEMBER.uid
    status, _ = await ask(directory, "/sessions/end", **body)
    assert status == 200
    assert SignOutsFile(directory).read().has_ended("abc", "siti", rig.now_s())


async def test_accounts_are_changed_by_requests(client: LocalApiClient) -> None:
    def post(path: str, **fields: object) -> dict[str, object]:
        return client.post(path, fields | {"who": "budi"})

    added = await in_thread(lambda: post("/users", name="Siti", role="operate", password=HASH))
    siti = {"name": "siti", "role": "operate", "password": True}
    assert added == {"users": [siti], "wall": False}
    with pytest.raises(Conflict, match="there is a user siti already"):
        await in_thread(lambda: post("/users", name="siti", role="see"))
    changed = await in_thread(lambda: post("/users/siti", role="administer"))
    assert changed["users"] == [siti | {"role": "administer"}]
    walled = await in_thread(lambda: post("/wall-token", hash="a" * 64))
    assert walled["wall"] is True
    assert (await in_thread(lambda: post("/wall-token")))["wall"] is False
    with pytest.raises(NotFound):
        await in_thread(lambda: post("/users/adi", role="see"))
    left = await in_thread(lambda: post("/users/siti/remove"))
    assert left == await in_thread(lambda: client.get("/users")) == {"users": [], "wall": False}


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/users", {"name": "a b"}),
        ("/users", {"name": "siti", "role": "root"}),
        ("/users", {"name": "siti", "password": "kuda hijau melompat"}),
        ("/users/siti", {}),
        ("/wall-token", {"hash": "t0ken"}),
        ("/sessions/end", {"session": "x"}),
    ],
)
async def test_what_is_no_account_is_refused(
    client: LocalApiClient, path: str, fields: dict[str, object]
) -> None:
    with pytest.raises(InvalidRequest):
        await in_thread(lambda: client.post(path, fields | {"who": "budi"}))


class Slow:
    """Clients that connect, send what they are given, and then do nothing."""

    def __init__(self, directory: Path) -> None:
        self._path = str(directory / SOCKET_NAME)
        self._stack = ExitStack()
        self.sockets: list[socket.socket] = []

    def __enter__(self) -> Slow:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def connect(self, first: bytes) -> None:
        client = self._stack.enter_context(socket.socket(socket.AF_UNIX))
        client.connect(self._path)
        client.sendall(first)
        client.setblocking(False)
        self.sockets.append(client)

    def ended(self) -> int:
        """How many the server has ended."""
        return sum(_is_ended(each) for each in self.sockets)


def _is_ended(client: socket.socket) -> bool:
    try:
        while client.recv(65_536):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        pass
    return True


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"GET /state HTTP/1.1\r\nX-Half:",
        b"POST /alert-test HTTP/1.1\r\nContent-Length: 9\r\n\r\n{",
    ],
    ids=["nothing", "half a header", "half a body"],
)  # fmt: skip
async def test_a_stalled_client_is_given_up_and_the_others_are_answered(
    rig: MemoryApiRig, directory: Path, first: bytes
) -> None:
    rig.connection_limits = ConnectionLimits(header_s=0.3, body_s=0.3)
    async with rig.serving(directory) as client:
        with Slow(directory) as slow:
            for _ in range(20):
                slow.connect(first)
            assert await in_thread(lambda: client.get("/state")) == {"sites": []}
            await eventually_async(lambda: slow.ended() == 20)


async def test_connections_of_one_user_are_bounded(rig: MemoryApiRig, directory: Path) -> None:
    rig.connection_limits = ConnectionLimits(per_user=8)
    async with rig.serving(directory) as client:
        with Slow(directory) as slow:
            for _ in range(12):
                slow.connect(b"")
            await eventually_async(lambda: slow.ended() == 4)
            with pytest.raises(ApiError):
                await in_thread(lambda: client.get("/state"))
        await in_thread(lambda: eventually(lambda: _answers(client)))


def _answers(client: LocalApiClient) -> bool:
    try:
        return client.get("/state") == {"sites": []}
    except ApiError:
        return False


async def test_a_response_that_is_not_read_is_given_up(rig: MemoryApiRig, directory: Path) -> None:
    rig.connection_limits = ConnectionLimits(stalled_s=0.3)

    async def metrics() -> bytes:
        return b"x" * 4_000_000

    async with rig.serving(directory, metrics) as client:
        with Slow(directory) as slow:
            slow.connect(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            assert await in_thread(lambda: client.get("/state")) == {"sites": []}
            await eventually_async(lambda: _is_cut(slow.sockets[0]))


def _is_cut(client: socket.socket) -> bool:
    """Looks without reading: the other end has gone."""
    try:
        client.send(b"GET")
    except (BrokenPipeError, ConnectionResetError):
        return True
    return False
