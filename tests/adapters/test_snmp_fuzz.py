"""Answers with anything in them: an answer, an oddity, or a failed poll; never an exception.

The seeds are fixed: the same messages every time. What they find is kept as a test of its own.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

import pytest
from pyasn1.codec.ber import encoder
from pysnmp.proto.api import v2c
from pysnmp.proto.mpmod.rfc3412 import ScopedPDU, SNMPv3Message
from pysnmp.proto.secmod.rfc3414.service import UsmSecurityParameters

from monitor.adapters.snmp import SnmpPoller
from monitor.adapters.snmp.codec import Answer, Request, get_request
from monitor.adapters.snmp.community import CommunityWire
from monitor.adapters.snmp.keys import EngineKeys, MasterKeys, master_keys
from monitor.adapters.snmp.trouble import Odd
from monitor.adapters.snmp.usm import UsmWire
from monitor.adapters.snmp.wire import Again, Wire
from monitor.core.credentials import parse_v3
from monitor.core.ports import DevicePoll, PollFailed
from tests.fakes.agent.devices import device, polled
from tests.fakes.agent.liar import Asked, Liar, Said, answer
from tests.fakes.agent.snmpd import COMMUNITY, SECRETS
from tests.fakes.clock import ManualClock

OIDS = tuple((1, 3, 6, 1, 2, 1, 31, 1, 1, 1, column, 1) for column in (1, 6, 10, 15, 18, 19))
VALUES = (
    v2c.OctetString(b"ether1"),
    v2c.Counter64(2**63 + 1),
    v2c.Counter64(5),
    v2c.Gauge32(1000),
    v2c.OctetString(b"ke Indramayu"),
    v2c.TimeTicks(7),
)
NUMBER = 1_234_567_890
ENGINE = bytes.fromhex("80001f8804") + b"router-uji"
BOOTS, CLOCK_S = 3, 4_000


def spoil(data: bytes, rng: random.Random) -> bytes:
    """One to four bytes changed, put in or taken out; the lengths stay as they are."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(out))
        match rng.randrange(6):
            case 0 | 1:
                out[at] = rng.randrange(256)
            case 2:
                out[at] ^= 1 << rng.randrange(8)
            case 3:
                out[at] = rng.choice((0x00, 0x7F, 0x80, 0xFF, 0x30, 0x24, 0x1F, 0x84))
            case 4:
                out[at:at] = rng.randbytes(rng.randrange(1, 4))
            case 5:
                del out[at : at + rng.randrange(1, 4)]
        if not out:
            return b""
    return bytes(out)


def attempt(wire: Wire, data: bytes, request: Request, seen: Counter[str]) -> None:
    """Any other exception than Odd is what the test is looking for."""
    try:
        reply = wire.read(data, request, NUMBER)
    except Odd as odd:
        seen[odd.oddity] += 1
        return
    assert isinstance(reply, Answer | Again)
    seen[type(reply).__name__] += 1


def test_version_2c_answers_with_anything_in_them() -> None:
    rng = random.Random(20)
    wire, request = CommunityWire(COMMUNITY), get_request(OIDS)
    asked = Asked(NUMBER, COMMUNITY.encode(), OIDS, 0)
    true = answer(asked, list(zip(OIDS, VALUES, strict=True)))
    seen: Counter[str] = Counter()
    for _ in range(3000):
        attempt(wire, spoil(true, rng), request, seen)
    assert seen["Answer"] > 100
    assert seen["malformed"] > 100
    assert seen["wrong-answer"] > 100


def response() -> Any:
    pdu = v2c.ResponsePDU()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_request_id(pdu, NUMBER)
    v2c.apiPDU.set_varbinds(pdu, list(zip(OIDS, VALUES, strict=True)))
    return pdu


def report(oid: tuple[int, ...]) -> Any:
    pdu = v2c.ReportPDU()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_request_id(pdu, NUMBER)
    v2c.apiPDU.set_varbinds(pdu, [(oid, v2c.Counter32(1))])
    return pdu


def scoped(pdu: Any) -> Any:
    made = ScopedPDU()
    made.setComponentByPosition(0, ENGINE)
    made.setComponentByPosition(1, b"")
    made.setComponentByPosition(2).getComponentByPosition(2).setComponentByType(
        pdu.tagSet, pdu, verifyConstraints=False, matchTags=False, matchConstraints=False
    )
    return made


def message(
    keys: MasterKeys, body: bytes | Any, *, encrypted: bool, authentic: bool, engine: bytes = ENGINE
) -> bytes:
    """What a router with these keys sends. body: a scoped PDU, or its bytes to be encrypted."""
    at: EngineKeys = keys.at(engine)
    made = SNMPv3Message()
    made.setComponentByPosition(0, 3)
    header = made.setComponentByPosition(1).getComponentByPosition(1)
    flags = (0x01 if authentic else 0) | (0x02 if encrypted else 0)
    for position, value in enumerate((NUMBER, 65507, bytes((flags,)), 3)):
        header.setComponentByPosition(position, value)
    salt = b""
    data = made.setComponentByPosition(3).getComponentByPosition(3)
    if encrypted:
        hidden, salt = at.encrypt(body, BOOTS, CLOCK_S)
        data.setComponentByPosition(1, hidden)
    else:
        data.setComponentByPosition(0, body)
    security = UsmSecurityParameters()
    user = keys.user if authentic else b""
    digest = bytes(keys.digest_size if authentic else 0)
    for position, value in enumerate((engine, BOOTS, CLOCK_S, user, digest, salt)):
        security.setComponentByPosition(position, value)
    made.setComponentByPosition(2, encoder.encode(security))
    whole = bytes(encoder.encode(made))
    return at.signed(whole) if authentic else whole


@pytest.fixture(scope="module")
def keys() -> MasterKeys:
    return master_keys(parse_v3(SECRETS["pantau"]))


def discovered(keys: MasterKeys) -> UsmWire:
    wire = UsmWire(keys, lambda: 0.0)
    hello = report((1, 3, 6, 1, 6, 3, 15, 1, 1, 4, 0))
    again = wire.read(
        message(keys, scoped(hello), encrypted=False, authentic=False), get_request(OIDS), NUMBER
    )
    assert again == Again("engine")
    return wire


def test_version_3_a_true_answer_is_taken(keys: MasterKeys) -> None:
    true = message(keys, encoder.encode(scoped(response())), encrypted=True, authentic=True)
    reply = discovered(keys).read(true, get_request(OIDS), NUMBER)
    assert isinstance(reply, Answer)
    assert [varbind.value for varbind in reply.varbinds] == [
        b"ether1", 2**63 + 1, 5, 1000, b"ke Indramayu", 7,
    ]  # fmt: skip


def test_version_3_no_change_on_the_way_gets_past_the_digest(keys: MasterKeys) -> None:
    rng = random.Random(21)
    wire, request = discovered(keys), get_request(OIDS)
    true = message(keys, encoder.encode(scoped(response())), encrypted=True, authentic=True)
    seen: Counter[str] = Counter()
    for _ in range(3000):
        spoiled = spoil(true, rng)
        if spoiled != true:
            attempt(wire, spoiled, request, seen)
    assert seen["Answer"] == 0
    assert seen["Again"] == 0
    assert seen["auth"] > 100


def test_version_3_signed_and_encrypted_nonsense(keys: MasterKeys) -> None:
    """A router that is who it says it is, and still sends anything."""
    rng = random.Random(22)
    wire, request = discovered(keys), get_request(OIDS)
    body = encoder.encode(scoped(response()))
    seen: Counter[str] = Counter()
    for _ in range(1000):
        data = message(keys, spoil(body, rng), encrypted=True, authentic=True)
        attempt(wire, data, request, seen)
    assert seen["Answer"] > 50
    assert seen["malformed"] > 50
    assert seen["wrong-answer"] > 50


def test_version_3_unsigned_nonsense_before_anything_is_known(keys: MasterKeys) -> None:
    rng = random.Random(23)
    hello = message(
        keys,
        scoped(report((1, 3, 6, 1, 6, 3, 15, 1, 1, 4, 0))),
        encrypted=False,
        authentic=False,
    )
    seen: Counter[str] = Counter()
    for _ in range(1500):
        attempt(UsmWire(keys, lambda: 0.0), spoil(hello, rng), get_request(OIDS), seen)
    assert seen["Again"] > 50
    assert seen["malformed"] > 50
    assert seen["Answer"] == 0


@pytest.mark.parametrize(("encrypted", "authentic"), [(False, False), (False, True)])
def test_version_3_an_answer_with_less_protection_is_none(
    keys: MasterKeys, encrypted: bool, authentic: bool
) -> None:
    weak = message(keys, scoped(response()), encrypted=encrypted, authentic=authentic)
    with pytest.raises(Odd):
        discovered(keys).read(weak, get_request(OIDS), NUMBER)


def test_version_3_an_empty_digest_proves_nothing(keys: MasterKeys) -> None:
    bare = MasterKeys(user=keys.user, context=b"")
    forged = message(bare, scoped(response()), encrypted=False, authentic=True)
    with pytest.raises(Odd, match="digest"):
        discovered(keys).read(forged, get_request(OIDS), NUMBER)


def test_version_3_another_engine_says_what_it_likes_without_being_believed(
    keys: MasterKeys,
) -> None:
    """An unsigned report can name another engine; it cannot answer for it."""
    wire = discovered(keys)
    other = ENGINE + b"-2"
    unknown = report((1, 3, 6, 1, 6, 3, 15, 1, 1, 4, 0))
    told = message(keys, scoped(unknown), encrypted=False, authentic=False, engine=other)
    assert wire.read(told, get_request(OIDS), NUMBER) == Again("engine")
    true_of_the_first = message(
        keys, encoder.encode(scoped(response())), encrypted=True, authentic=True
    )
    with pytest.raises(Odd):
        wire.read(true_of_the_first, get_request(OIDS), NUMBER)


def test_version_3_an_unsigned_word_about_time_is_not_believed(keys: MasterKeys) -> None:
    late = report((1, 3, 6, 1, 6, 3, 15, 1, 1, 2, 0))
    forged = message(keys, scoped(late), encrypted=False, authentic=False)
    with pytest.raises(Odd, match="does not prove it"):
        discovered(keys).read(forged, get_request(OIDS), NUMBER)


async def test_a_router_that_answers_nonsense_half_of_the_time_breaks_nothing() -> None:
    rng = random.Random(24)
    loop = asyncio.get_running_loop()
    unhandled: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: unhandled.append(context))
    poller, liar = SnmpPoller(ManualClock()), Liar()
    liar.open()
    router = device(liar.address, liar.port, timeout_s=0.01, retries=1)

    def spoiling(liar: Liar, asked: Asked) -> Said:
        true = liar.honest(asked)
        return [true if rng.random() < 0.5 else spoil(true, rng)]

    await poller.open([router], SECRETS)
    kinds: Counter[type] = Counter()
    liar.trick = spoiling
    for _ in range(80):
        kinds[type(await poller.poll(router))] += 1
    liar.trick = None
    await poller.open([device(liar.address, liar.port)], SECRETS)
    await polled(poller, router)
    await poller.close()
    liar.close()
    assert unhandled == []
    assert set(kinds) == {DevicePoll, PollFailed}
