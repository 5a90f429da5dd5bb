"""Polls of a real snmpd whose counters, interfaces and clock behave as those of routers do."""

from __future__ import annotations

import asyncio

import pytest

from monitor.adapters.snmp import SnmpPoller
from monitor.core.samples.rates import NoRate
from monitor.core.samples.snmp_poll import DevicePoll
from tests.adapters.snmp.rig import PollRig
from tests.fakes.snmp_agent.devices import device, failed, interface_of, polled
from tests.fakes.snmp_agent.fake_router import FakeInterface, FakeRouter
from tests.fakes.snmp_agent.snmpd import SECRETS

IF_IN_ERRORS = "1.3.6.1.2.1.2.2.1.14"
IF_NAME = "1.3.6.1.2.1.31.1.1.1.1"


async def test_counters_become_rates(rig: PollRig) -> None:
    await rig.register()
    assert await rig.in_bps("ether1") is None
    rig.pass_time(60, in_bps=8_000_000)
    assert await rig.in_bps("ether1") == pytest.approx(8_000_000)
    rig.pass_time(60)
    assert await rig.in_bps("ether1") == 0.0


async def test_a_32_bit_counter_that_wraps_gives_the_true_rate(rig: PollRig) -> None:
    octets = 2**32 - 1000
    rig.set_interfaces(FakeInterface("ether1", 1, wide=False, speed_mbps=100, in_octets=octets))
    await rig.register("ether1")
    await rig.rates()
    rig.pass_time(60, in_bps=8_000_000)
    poll, rates = await rig.rates()
    assert interface_of(poll, "ether1").in_octets == 60_000_000 - 1000
    assert rates.samples[0].in_bps == pytest.approx(8_000_000)


@pytest.mark.parametrize(("before", "after"), [(2**64 - 1000, 2**64 + 7), (10**15, 7)])
async def test_a_64_bit_counter_that_wraps_or_is_cleared_is_a_reset(
    rig: PollRig, before: int, after: int
) -> None:
    rig.set_interfaces(FakeInterface("ether1", 1, in_octets=before))
    await rig.register("ether1")
    await rig.rates()
    rig.agent.router.interface("ether1").in_octets = after
    rig.pass_time(60, in_bps=8)
    _, rates = await rig.rates()
    assert [drop.reason for drop in rates.dropped] == [NoRate.RESET]


async def test_an_uptime_that_wraps_after_497_days_costs_no_rate(rig: PollRig) -> None:
    rig.agent.router.uptime_ticks = 2**32 - 3_000
    await rig.register()
    await rig.rates()
    rig.pass_time(60, in_bps=8_000_000)
    poll, rates = await rig.rates()
    assert poll.uptime_ticks == 3_000
    assert rates.samples[0].in_bps == pytest.approx(8_000_000)


async def test_interfaces_that_exchange_their_indexes_keep_their_counters(rig: PollRig) -> None:
    rig.set_interfaces(
        FakeInterface("ether1", 1, in_octets=111), FakeInterface("ether2", 2, in_octets=999)
    )
    await rig.register()
    await rig.rates()
    rig.agent.router.interface("ether1").index = 2
    rig.agent.router.interfaces[1].index = 1
    rig.pass_time(60)
    poll, rates = await rig.rates()
    assert [(p.name, p.index, p.in_octets) for p in poll.interfaces] == [
        ("ether1", 2, 111),
        ("ether2", 1, 999),
    ]
    assert {drop.reason for drop in rates.dropped} == {NoRate.INDEX_MOVED}
    rig.pass_time(60, in_bps=800)
    assert await rig.in_bps("ether1") == pytest.approx(800)


async def test_a_reboot_with_other_indexes_is_read_correctly_by_the_same_poll(
    rig: PollRig,
) -> None:
    await rig.register()
    await rig.rates()
    rig.agent.router.uptime_ticks = 900
    rig.set_interfaces(
        FakeInterface("sfp1", 1, 5, 5),
        FakeInterface("ether1", 2, 6, 6),
        FakeInterface("ether2", 3, 7, 7),
    )
    rig.agent.publish()
    rig.clock.advance(60)
    poll, rates = await rig.rates()
    assert [(p.name, p.index, p.in_octets) for p in poll.interfaces] == [
        ("ether1", 2, 6),
        ("ether2", 3, 7),
    ]
    assert {drop.reason for drop in rates.dropped} == {NoRate.REBOOT}


async def test_a_missing_interface_is_found_when_it_is_back(rig: PollRig) -> None:
    await rig.register()
    await rig.poll()
    gone = rig.agent.router.interfaces.pop()
    rig.pass_time(60)
    poll = await rig.poll()
    assert [one.name for one in poll.interfaces] == ["ether1"]
    assert poll.missing == ("ether2",)
    gone.index = 12
    rig.agent.router.interfaces.append(gone)
    rig.pass_time(150)
    assert interface_of(await rig.poll(), "ether2").index == 12


async def test_an_interface_without_64_bit_counters_is_read_by_its_32_bit_ones(
    rig: PollRig,
) -> None:
    rig.set_interfaces(
        FakeInterface("ether1", 1, in_octets=2**40 + 1),
        FakeInterface("ether2", 2, in_octets=2**40 + 2, wide=False, speed_mbps=100),
    )
    await rig.register()
    poll, _ = await rig.rates()
    assert [(p.high_capacity, p.in_octets) for p in poll.interfaces] == [
        (True, 2**40 + 1),
        (False, 2),
    ]
    rig.pass_time(60, in_bps=8_000_000)
    assert await rig.in_bps("ether2") == pytest.approx(8_000_000)


async def test_values_that_are_missing_or_of_a_wrong_type_are_none(rig: PollRig) -> None:
    """An INTEGER where a string is due, strings where counters are, a negative counter."""
    rig.agent.router.more = {
        f"{IF_NAME}.3": ("integer", 5),
        f"{IF_IN_ERRORS}.1": ("string", "many"),
        "1.3.6.1.2.1.31.1.1.1.6.1": ("integer", -5),
        "1.3.6.1.2.1.31.1.1.1.15.1": ("string", "fast"),
        "1.3.6.1.2.1.31.1.1.1.18.1": ("integer", 7),
        "1.3.6.1.2.1.2.2.1.8.1": ("integer", 99),
        "1.3.6.1.2.1.1.5.0": ("integer", 1),
        "1.3.6.1.2.1.1.2.0": ("integer", 1),
    }
    rig.agent.router.absent = {f"{IF_IN_ERRORS}.2"}
    await rig.register()
    poll = await rig.poll()
    one, two = poll.interfaces
    assert (one.in_octets, one.in_errors, one.speed_bps, one.alias) == (None,) * 4
    assert (one.oper, one.out_octets, one.out_errors) == (None, 2_000_000, 4)
    assert (two.in_errors, two.out_errors) == (None, 4)
    assert poll.sys_name is None


@pytest.mark.parametrize(
    ("mbps", "speed_bps"),
    [(0, None), (2**32 - 1, None), (1, 1_000_000), (400_000, 400_000_000_000)],
)
async def test_a_speed_that_the_agent_does_not_know_is_none(
    rig: PollRig, mbps: int, speed_bps: int | None
) -> None:
    rig.agent.router.interface("ether1").speed_mbps = mbps
    await rig.register()
    assert interface_of(await rig.poll(), "ether1").speed_bps == speed_bps


async def test_a_long_table_is_read_completely(rig: PollRig) -> None:
    """In several messages; of two interfaces with one name the first is read, every time."""
    expected = [(f"vlan{n}", 370 + n, 1000 + n) for n in range(30)]
    rig.set_interfaces(
        *(FakeInterface(f"ppp{n}", n) for n in range(1, 370)),
        *(FakeInterface(name, index, index, octets) for name, index, octets in expected),
        FakeInterface("vlan7", 500),
    )
    await rig.register(*(name for name, *_ in expected))
    for _ in range(2):
        poll = await rig.poll()
        assert [(p.name, p.index, p.out_octets) for p in poll.interfaces] == expected
        assert all(p.in_octets == p.index for p in poll.interfaces)


async def test_fifty_polls_at_once_are_all_answered(rig: PollRig) -> None:
    routers = [
        rig.device(name=f"router{n}", credential="komunitas" if n % 2 else "pantau", timeout_s=5.0)
        for n in range(50)
    ]
    await rig.poller.open(routers, SECRETS)
    polls = await asyncio.gather(*(rig.poller.poll(router) for router in routers))
    assert [poll.device for poll in polls] == [router.name for router in routers]
    assert all(isinstance(poll, DevicePoll) for poll in polls)
    assert rig.poller.counters().timeouts == 0


async def test_two_polls_of_one_router_at_once_both_succeed(rig: PollRig) -> None:
    await rig.register(credential="pantau")
    one, two = await asyncio.gather(rig.poll(), rig.poll())
    assert one.interfaces == two.interfaces


async def test_a_reload_keeps_what_was_learnt_of_unchanged_routers(rig: PollRig) -> None:
    await rig.register(credential="pantau")
    sent = [0]
    for _ in range(3):
        await rig.poll()
        sent.append(rig.poller.counters().sent)
    await rig.poller.open([rig.router, rig.device(name="lain")], SECRETS)
    await rig.poll()
    assert rig.poller.counters().sent - sent[-1] == sent[-1] - sent[-2]


async def test_a_changed_address_is_another_router(rig: PollRig) -> None:
    await rig.register(timeout_s=0.2, retries=0)
    await rig.poll()
    moved = device(rig.agent.address, 9, timeout_s=0.2, retries=0)
    await rig.poller.open([moved], SECRETS)
    assert (await failed(rig.poller, moved)).reason == "timeout"


@pytest.mark.parametrize(
    ("address", "secret", "credential", "reason"),
    [
        ("router.example", "uji-kom", "komunitas", "bad-address"),
        ("127.0.0.1", "dua\nbaris", "komunitas", "bad-secret"),
        ("127.0.0.1", "rahasia-sekali", "pantau", "bad-secret"),
    ],
)
async def test_an_unusable_router_fails_with_a_reason_that_does_not_contain_the_secret(
    poller: SnmpPoller, address: str, secret: str, credential: str, reason: str
) -> None:
    router = device(address, 161, credential=credential)
    await poller.open([router], {credential: secret})
    failure = await failed(poller, router)
    assert failure.reason == reason
    assert secret not in failure.detail


async def test_no_repr_contains_a_secret(rig: PollRig) -> None:
    routers = [rig.device(name=name, credential=name) for name in SECRETS]
    await rig.poller.open(routers, SECRETS)
    text = repr(vars(rig.poller))
    assert all(name in text for name in SECRETS)
    for secret in ("uji-kom", "sandi-otentik", "sandi-rahasia"):
        assert secret not in text


# Version 3: keys, clocks, and routers that reboot or are replaced.

WRONG = SECRETS | {
    "sandi-lain": SECRETS["pantau"].replace("sandi-otentik", "sandi-otentix"),
    "kunci-lain": SECRETS["pantau"].replace("sandi-rahasia", "sandi-rahasix"),
    "orang-lain": SECRETS["pantau"].replace("user = pantau", "user = siapa"),
    "tanpa-sandi": "user = pantau",
    "tanpa-kunci": "user = pantau\nauth = sha256\nauth_password = sandi-otentik",
}


@pytest.mark.parametrize("user", [name for name in SECRETS if name != "komunitas"])
async def test_every_security_level_and_protocol_is_supported(rig: PollRig, user: str) -> None:
    """authPriv with SHA-256/AES-128, MD5/DES and SHA-512/AES-256, authNoPriv, noAuthNoPriv."""
    await rig.register(credential=user)
    for _ in range(2):
        assert (await rig.poll()).sys_name == "router-uji"


@pytest.mark.parametrize(
    ("credential", "reason", "detail"),
    [
        ("sandi-lain", "auth", "password wrong"),
        ("orang-lain", "auth", "does not know this user"),
        # net-snmp accepts the message, and refuses the objects.
        ("tanpa-sandi", "refused", "authorizationError"),
        ("tanpa-kunci", "refused", "authorizationError"),
        # It does not respond to what it cannot decrypt.
        ("kunci-lain", "timeout", "no answer"),
    ],
)
async def test_a_wrong_credential_is_reported_as_such(
    rig: PollRig, credential: str, reason: str, detail: str
) -> None:
    router = rig.device(credential=credential, timeout_s=0.3, retries=0)
    await rig.poller.open([router], WRONG)
    failure = await failed(rig.poller, router)
    assert failure.reason == reason
    assert detail in failure.detail


async def test_a_user_may_have_another_password_at_another_router(rig: PollRig) -> None:
    good = rig.device(name="baik", credential="pantau")
    bad = rig.device(name="buruk", credential="sandi-lain", timeout_s=0.2, retries=0)
    await rig.poller.open([bad, good], WRONG)
    for _ in range(2):
        assert (await failed(rig.poller, bad)).reason == "auth"
        await polled(rig.poller, good)


async def test_discovery_takes_one_message_and_is_not_repeated(rig: PollRig) -> None:
    plain, router = rig.device(name="kom"), rig.device(credential="pantau")
    await rig.poller.open([router, plain], SECRETS)
    messages = []
    for one in (plain, router, plain, router):
        before = rig.poller.counters().sent
        await polled(rig.poller, one)
        messages.append(rig.poller.counters().sent - before)
    first_plain, first_v3, next_plain, next_v3 = messages
    assert first_v3 == first_plain + 1
    assert next_v3 == next_plain


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_rebooted_or_replaced_router_is_read_by_the_very_next_poll(
    own_rig: PollRig, replaced: bool
) -> None:
    """A replaced one has another engine id: pysnmp alone would not see it for five minutes."""
    await own_rig.register(credential="pantau")
    await own_rig.poll()
    own_rig.agent.router = FakeRouter(name="router-baru", uptime_ticks=700)
    if replaced:
        own_rig.agent.replace()
    else:
        own_rig.agent.reboot()
    own_rig.clock.advance(60)
    poll = await own_rig.poll()
    assert (poll.sys_name, poll.uptime_ticks) == ("router-baru", 700)
    # Another engine proves nothing before the known one has been waited for in vain.
    assert own_rig.poller.counters().timeouts == int(replaced)


async def test_a_silent_router_is_read_as_soon_as_it_is_back(own_rig: PollRig) -> None:
    await own_rig.register(credential="pantau", timeout_s=0.2, retries=1)
    await own_rig.poll()
    own_rig.agent.silence()
    assert (await failed(own_rig.poller, own_rig.router)).reason == "timeout"
    own_rig.agent.stop()
    own_rig.agent.start()
    await own_rig.poll()


@pytest.mark.parametrize("ahead_s", [100.0, 200.0, 800.0])
async def test_a_clock_difference_to_the_engine_is_corrected_on_the_way(
    rig: PollRig, ahead_s: float
) -> None:
    """Our clock runs ahead of the router's engine time; over 150 s the router refuses once."""
    await rig.register(credential="pantau")
    await rig.poll()
    messages = []
    for seconds in (ahead_s, 1.0):
        before = rig.poller.counters().sent
        rig.pass_time(seconds)
        await rig.poll()
        messages.append(rig.poller.counters().sent - before)
    assert messages[0] - messages[1] == (1 if ahead_s > 150 else 0)
    assert rig.poller.counters().timeouts == 0
