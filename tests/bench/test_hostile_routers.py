"""The event loop's worst delay while 310 routers answer SNMP as an attacker would.

pytest -m bench -s tests/bench/test_hostile_routers.py

Four sweeps of 310 routers in 5 s each (twelve times as fast as in an office), and a loop that
notes every 5 ms how late it is, and how much CPU was used meanwhile (which other programs of the
machine do not change). A round of pings is missed when the loop is late by a second.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import time
from collections import Counter
from statistics import quantiles

import pytest

from monitor.adapters.snmp import SnmpPoller
from monitor.core.samples.snmp_poll import PollFailed
from tests.bench.hostile_agents import KINDS
from tests.fakes.clock import ManualClock
from tests.fakes.snmp_agent.devices import device
from tests.fakes.snmp_agent.snmpd import SECRETS

ROUTERS = 310
SWEEPS = 4
SWEEP_S = 5.0


@pytest.mark.bench
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", KINDS)
async def test_delay_of_the_loop_with_310_hostile_routers(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-m", "tests.bench.hostile_agents", kind, str(ROUTERS)]
    agents = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
    assert agents.stdout is not None
    poller = SnmpPoller(ManualClock())
    try:
        ports = [int(port) for port in agents.stdout.readline().split()]
        devices = [
            device("127.0.0.1", port, name=f"r{n}", timeout_s=0.5) for n, port in enumerate(ports)
        ]
        await poller.open(devices, SECRETS)
        late_ms: list[float] = []
        own_ms: list[float] = []

        async def heartbeat() -> None:
            loop = asyncio.get_running_loop()
            while True:
                due, used_s = loop.time() + 0.005, time.thread_time()
                await asyncio.sleep(0.005)
                late_ms.append((loop.time() - due) * 1000)
                own_ms.append((time.thread_time() - used_s) * 1000)

        gc.collect()
        gc.freeze()  # as the daemon does: the test program's heap is no part of this
        beating = asyncio.create_task(heartbeat())
        start_s = time.process_time()
        reasons: Counter[str] = Counter()
        for _ in range(SWEEPS):
            polls = []
            for router in devices:
                polls.append(asyncio.create_task(poller.poll(router)))
                await asyncio.sleep(SWEEP_S / ROUTERS)
            answers = await asyncio.gather(*polls)
            reasons.update(a.reason for a in answers if isinstance(a, PollFailed))
        cpu = (time.process_time() - start_s) / (SWEEPS * SWEEP_S)
        beating.cancel()
        gc.unfreeze()
    finally:
        await poller.close()
        agents.kill()
        agents.wait()
    assert agents.stdout is not None
    agents.stdout.close()
    late = quantiles(late_ms, n=1000)
    with capsys.disabled():
        print(
            f"\n310 routers, {kind}: loop late p50 {late[499]:.1f}, p99 {late[989]:.1f}, "
            f"p99.9 {late[998]:.1f}, worst {max(late_ms):.1f} ms; CPU between two beats at most "
            f"{max(own_ms):.1f} ms; {cpu:.0%} of a core; {dict(reasons)}"
        )
    assert set(reasons) <= {"too-large", "malformed", "wrong-answer", "ignored", "timeout"}
    assert max(own_ms) < 50, "what another program of this machine delays is not ours"
