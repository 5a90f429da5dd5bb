"""The contract of a channel: the fake in memory, and every real one on loopback."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
import pytest
import pytest_asyncio

from monitor.adapters.notify import open_channels
from monitor.adapters.notify.http_client import Timeouts
from monitor.core.alerting.model import Channel, Delivered, Delivery, Rejected, RetryLater
from monitor.core.alerting.settings import AlertSettings, ChannelSettings
from tests.fakes.channel import MemoryChannel
from tests.fakes.smtp import MailServer
from tests.fakes.telegram import CHAT, TOKEN, BotApi
from tests.loopback_http import HttpRequest, LoopbackHttpServer, reply
from tests.message_fixtures import CANARY, message

WIB = ZoneInfo("Asia/Jakarta")
BOUNDS = Timeouts(0.5, 1.0)

TAKE, LATER, NEVER, HANG = "take", "later", "never", "hang"


@dataclass
class Post:
    """A channel, its other side's behaviour, and how many messages arrived there."""

    channel: Channel
    behaviour: Callable[[str], None]
    arrived: Callable[[], int]


class HttpSide:
    """A web server in a behaviour."""

    def __init__(self) -> None:
        self.behaviour = TAKE
        self.count = 0

    async def behave(self, request: HttpRequest, writer: asyncio.StreamWriter) -> None:
        if self.behaviour == HANG:
            await asyncio.Event().wait()
        status = {TAKE: 200, LATER: 503, NEVER: 403}[self.behaviour]
        self.count += self.behaviour == TAKE
        # What a careless server says of the request that it refuses.
        reply(writer, status, f"{request.path} {CANARY}".encode())

    def set(self, behaviour: str) -> None:
        self.behaviour = behaviour


def opened(settings: ChannelSettings, secret: str | None = None) -> Channel:
    alerts = AlertSettings(channels=(settings,))
    return open_channels(alerts, {"x": secret} if secret else {}, WIB, BOUNDS)[settings.id]


async def in_memory(stack: AsyncExitStack, tmp_path: Path) -> Post:
    channel = MemoryChannel()

    def behaviour(word: str) -> None:
        answers: dict[str, Delivery] = {
            TAKE: Delivered(),
            LATER: RetryLater("busy"),
            NEVER: Rejected("no"),
            HANG: RetryLater("no answer within 1 s"),
        }
        channel.answer = lambda _: answers[word]

    return Post(channel, behaviour, lambda: len(channel.accepted))


async def webhook(stack: AsyncExitStack, tmp_path: Path) -> Post:
    side = HttpSide()
    peer = await stack.enter_async_context(LoopbackHttpServer(side.behave))
    channel = opened(ChannelSettings("x", "webhook", secret="x"), f"{peer.url}/{CANARY}")
    return Post(channel, side.set, lambda: side.count)


async def by_apprise(stack: AsyncExitStack, tmp_path: Path) -> Post:
    side = HttpSide()
    peer = await stack.enter_async_context(LoopbackHttpServer(side.behave))
    url = f"ntfy://budi:{CANARY}@127.0.0.1:{peer.port}/{CANARY}"
    return Post(
        opened(ChannelSettings("x", "apprise", secret="x"), url), side.set, lambda: side.count
    )


async def mail(stack: AsyncExitStack, tmp_path: Path) -> Post:
    server = await stack.enter_async_context(MailServer())

    def behaviour(word: str) -> None:
        server.silent = word == HANG
        server.data = {LATER: f"451 {CANARY}", NEVER: f"554 {CANARY}"}.get(word)

    channel = opened(ChannelSettings("x", "apprise", secret="x"), server.url())
    return Post(channel, behaviour, lambda: len(server.mails))


async def telegram(stack: AsyncExitStack, tmp_path: Path) -> Post:
    api = await stack.enter_async_context(BotApi())

    def behaviour(word: str) -> None:
        answers: dict[str, tuple[int, object]] = {
            LATER: (502, CANARY.encode()),
            NEVER: (403, {"ok": False, "error_code": 403, "description": f"bot{TOKEN}"}),
        }
        api.next = [answers[word]] * 3 if word in answers else []
        if word == HANG:
            api.peer.behave = never_answering

    settings = ChannelSettings("x", "telegram", secret="x", address=api.url)
    return Post(opened(settings, f"tgram://{TOKEN}/{CHAT}"), behaviour, lambda: len(api.sent))


async def never_answering(request: HttpRequest, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def command(stack: AsyncExitStack, tmp_path: Path) -> Post:
    script = tmp_path / "siren"
    script.write_text(
        "import sys, time, pathlib\n"
        f"behaviour = pathlib.Path({str(tmp_path / 'behaviour')!r}).read_text()\n"
        "sys.stdin.read()\n"
        "if behaviour == 'hang': time.sleep(600)\n"
        f"if behaviour == 'take': open({str(tmp_path / 'count')!r}, 'a').write('x')\n"
        "sys.exit({'take': 0, 'later': 75, 'never': 77}[behaviour])\n"
    )

    def behaviour(word: str) -> None:
        (tmp_path / "behaviour").write_text(word)

    count = tmp_path / "count"
    count.touch()
    behaviour(TAKE)
    channel = opened(ChannelSettings("x", "command", command=(sys.executable, str(script))))
    return Post(channel, behaviour, lambda: len(count.read_text()))


KINDS: list[Callable[[AsyncExitStack, Path], Awaitable[Post]]] = [
    *(in_memory, webhook, by_apprise, mail, telegram, command)
]


@pytest_asyncio.fixture(params=KINDS, ids=lambda kind: kind.__name__)
async def post(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Post]:
    async with AsyncExitStack() as stack:
        found: Post = await request.param(stack, tmp_path)
        yield found
        await found.channel.close()


async def test_an_accepted_message_has_arrived(post: Post) -> None:
    assert isinstance(await post.channel.send(message()), Delivered)
    assert post.arrived() == 1
    assert isinstance(await post.channel.send(message(key="f" * 64)), Delivered)
    assert post.arrived() == 2


@pytest.mark.parametrize(
    ("behaviour", "kind"), [(LATER, RetryLater), (NEVER, Rejected), (HANG, RetryLater)]
)
async def test_a_failure_says_whether_to_retry_and_why(
    post: Post, behaviour: str, kind: type[Delivery]
) -> None:
    post.behaviour(behaviour)
    delivery = await post.channel.send(message())
    assert type(delivery) is kind
    assert not isinstance(delivery, Delivered)
    assert 0 < len(delivery.why) <= 400
    assert post.arrived() == 0


async def test_a_channel_works_again_after_a_refusal(post: Post) -> None:
    post.behaviour(NEVER)
    await post.channel.send(message())
    post.behaviour(TAKE)
    assert isinstance(await post.channel.send(message(key="f" * 64)), Delivered)


async def test_a_channel_can_be_closed_twice(post: Post) -> None:
    await post.channel.send(message())
    await post.channel.close()
    await post.channel.close()


class Everything(logging.Handler):
    """All that anybody logs at any level; the SMTP server's own log belongs to the other side."""

    def __init__(self) -> None:
        super().__init__(1)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != "mail.log":
            self.said.append(record.getMessage())


@pytest.mark.parametrize("behaviour", [TAKE, LATER, NEVER, HANG])
async def test_no_secret_is_logged_shown_or_in_an_argument(
    post: Post, behaviour: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither in what it returns or shows, nor in any log, nor in any process's arguments."""
    post.behaviour(behaviour)
    handler, root = Everything(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(1)
    try:
        sending = asyncio.create_task(post.channel.send(message()))
        arguments: set[str] = set()
        while not sending.done():
            arguments |= _arguments()
            await asyncio.wait({sending}, timeout=0.05)
        seen = [repr(await sending), repr(post.channel), *handler.said, *arguments]
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    seen += capfd.readouterr()
    assert [text for text in seen if CANARY in text or TOKEN in text] == []


def _arguments() -> set[str]:
    """The command lines of this process and its children."""
    own = psutil.Process(os.getpid())
    found = set()
    for process in [own, *own.children(recursive=True)]:
        try:
            found.add(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found
