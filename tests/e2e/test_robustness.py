"""Failures of the daemon's own machine: no false outage, and a warning or incident of the monitor.

Each scenario is one real daemon on its own simulated network; they run beside one another, since
most of their time is waiting. Each test then asks one scenario what came of it.
"""

from __future__ import annotations

import re
import socket
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from monitor.adapters.system.local_api_client import SOCKET_NAME, LocalApiClient
from monitor.core.errors import ApiError
from monitor.core.model import State
from tests.e2e.daemon_observer import (
    DaemonObserver,
    faketime_library,
    numbers_in,
    pause,
    raw_socket_of,
    tool,
)
from tests.e2e.simulated_daemon import PANTAU, SimulatedDaemon
from tests.waiting import eventually

LINK = "anjatan/utama"
BLIND_AFTER_S = 10.0
LOOKS_WITHIN_S = 15.0
"""Interval of the monitor's own metrics."""

DAY_S = 86_400.0
POLLED_EVERY_S = 10.0
HONEST_ROUTERS = 29


@dataclass(frozen=True)
class Observation:
    """Results of a scenario. warnings: at the time of each failure."""

    downs: set[str]
    incidents: set[tuple[str, str, str]]
    log: str
    warnings: dict[str, str]
    own: dict[str, float]
    other: dict[str, float]


def started(
    simulated: SimulatedDaemon, *wrap: str, environ: dict[str, str] | None = None
) -> DaemonObserver:
    simulated.start(wrap, environ)
    observer = DaemonObserver(simulated)
    eventually(lambda: observer.all_are("up"), 40)
    return observer


def observation(observer: DaemonObserver, warnings: dict[str, str], **other: float) -> Observation:
    return Observation(
        observer.downs(),
        observer.incidents(),
        observer.log(),
        warnings,
        observer.own(),
        dict(other),
    )


def stopped(simulated: SimulatedDaemon, for_s: float = BLIND_AFTER_S + 2.0) -> Observation:
    """SIGSTOP for longer than the blind limit, a cut meanwhile; then a stall of 3 s."""
    observer = started(simulated)
    with observer.stopped(for_s):
        cut = simulated.simulation.control.cut(LINK)
    eventually(lambda: observer.states()[LINK] == "down", 20)
    eventually(lambda: observer.all_are("up", "down"), 20)
    # The ledger is written a moment after the state has changed.
    (outage,) = eventually(lambda: [i for i in simulated.incidents() if i.state is State.DOWN], 20)
    simulated.simulation.control.restore(LINK)
    warnings = {"stopped": observer.warnings()}
    with observer.stopped(3.0):
        pass
    eventually(lambda: observer.all_are("up"), 20)
    eventually(lambda: observer.own().get("stalls", 0) >= 2, LOOKS_WITHIN_S)
    assert outage.started_earliest_s is not None
    return observation(
        observer,
        warnings,
        after_the_cut_s=outage.started_s - cut.utc_s,
        earliest_after_the_cut_s=outage.started_earliest_s - cut.utc_s,
    )


def unable_to_send(simulated: SimulatedDaemon) -> Observation:
    """The route goes away; then the socket's own send buffer is full."""
    observer = started(simulated)
    warnings: dict[str, str] = {}
    simulated.simulation.control.no_route()
    eventually(lambda: observer.all_are("unknown"), 20)
    warnings["no route"] = observer.warnings()
    simulated.simulation.control.restore()
    eventually(lambda: observer.all_are("up"), 20)
    # A slow port with a long queue: what waits in it stands in the socket's buffer.
    qdisc = ("qdisc", "add", "dev", "indramayu", "root", "tbf", "rate", "1kbit")
    done = observer.run_inside(tool("tc", "iproute2"), *qdisc, "burst", "200", "limit", "1000000")
    assert done.returncode == 0, done.stderr
    with raw_socket_of(observer.pid) as theirs:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 0)
        eventually(lambda: observer.all_are("unknown"), 20)
        eventually(lambda: "not measured in the last" in observer.warnings(), LOOKS_WITHIN_S)
        warnings["full buffer"] = observer.warnings()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    done = observer.run_inside(tool("tc", "iproute2"), "qdisc", "del", "dev", "indramayu", "root")
    assert done.returncode == 0, done.stderr
    eventually(lambda: observer.all_are("up"), 20)
    return observation(observer, warnings)


def clock_set(simulated: SimulatedDaemon) -> Observation:
    """The wall clock is set a day on, then a day back; nothing else of the machine changes."""
    offset = simulated.work / "offset"
    offset.write_text("+0")
    observer = started(
        simulated,
        environ={
            "LD_PRELOAD": faketime_library(),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Its mending of monotonic waits makes Python's threads spin and stall for seconds.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_TIMESTAMP_FILE": str(offset),
        },
    )
    at = datetime.fromisoformat(str(observer.document()["at"]))
    warnings: dict[str, str] = {}
    for name, text in (("on", "+1d"), ("back", "+0")):
        offset.write_text(text)
        sign = "+" if name == "on" else "-"
        eventually(lambda s=sign: f"clock was set by {s}" in observer.warnings(), 10)  # type: ignore[misc]
        warnings[name] = observer.warnings()
        if name == "on":
            then = datetime.fromisoformat(str(observer.document()["at"]))
        # Rounds go on: long enough for a loss to be confirmed, were there one.
        pause(8.0)
        assert observer.all_are("up")
    eventually(lambda: observer.own().get("clock_steps") == 2, LOOKS_WITHIN_S)
    return observation(
        observer,
        warnings,
        transitions=len(observer.transitions()),
        moved_s=(then - at).total_seconds(),
    )


def few_descriptors(simulated: SimulatedDaemon) -> Observation:
    """64 descriptors, and somebody who takes all that are left over the local API."""
    observer = started(simulated, tool("prlimit", "util-linux"), "--nofile=64:64")
    warnings: dict[str, str] = {}
    with greedy_client(simulated.data / SOCKET_NAME):
        eventually(lambda: observer.own().get("open_fds", 0) >= 52, 2 * LOOKS_WITHIN_S)
    warnings["exhausted"] = observer.warnings()
    eventually(lambda: observer.all_are("up"), 30)
    return observation(observer, warnings)


@contextmanager
def greedy_client(path: Path) -> Iterator[None]:
    """Connects again and again without asking: the daemon ends such connections after 5 s."""
    over = threading.Event()

    def connect() -> None:
        held: deque[socket.socket] = deque()
        while not over.wait(0.05):
            one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            one.settimeout(0.5)
            held.append(one)
            with suppress(OSError):
                one.connect(str(path))
            if len(held) > 100:
                held.popleft().close()
        for each in held:
            each.close()

    thread = threading.Thread(target=connect)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def without_permission(simulated: SimulatedDaemon) -> Observation:
    """Neither raw sockets nor datagram ones: the daemon may not ping."""
    observer = DaemonObserver(simulated)
    groups = "echo 1 0 > /proc/sys/net/ipv4/ping_group_range"
    assert observer.run_inside("sh", "-c", groups).returncode == 0
    done = observer.run_inside(
        tool("setpriv", "util-linux"),
        "--bounding-set=-net_raw",
        "--inh-caps=-net_raw",
        *(*PANTAU, "run", "--config", str(simulated.config)),
    )
    return Observation(set(), set(), done.stderr, {}, {}, {"exit": done.returncode})


def routers_in_trouble(simulated: SimulatedDaemon) -> Observation:
    """Every fault that a router's SNMP can have, beside thirty routers that have none."""
    control = simulated.simulation.control
    lasting: dict[str, dict[str, object]] = {
        "narrow": {"where": ["anjatan", "bongas"]},
        "too-big": {"where": "jatibarang", "varbinds": 4},
        "other-source": {"where": "arahan"},
        "endless-walk": {"where": "lelea"},
        "snmp-silent": {"where": "terisi"},
        "huge-answer": {"where": "kroya"},
    }
    for what, details in lasting.items():
        control.request(what, **details)
    observer = started(simulated)
    eventually(lambda: len({rate.device for rate in observer.rates()}) >= HONEST_ROUTERS, 45)
    missed_at_the_start = observer.own()["missed_rounds"]
    control.fault("wrap", "anjatan", after=POLLED_EVERY_S)
    control.fault("wrap", "kandanghaur", after=POLLED_EVERY_S)
    control.fault("counter-reset", "patrol")
    control.fault("counter-reset", "losarang", discontinuity=True)
    control.fault("renumber", "sindang")
    before = len(observer.rates())
    eventually(lambda: len(observer.rates()) >= before + 2 * HONEST_ROUTERS, 45)
    warnings = {"routers": observer.warnings()}
    wrong = observer.wrong_rates(POLLED_EVERY_S)
    assert wrong == []
    rated = {rate.device for rate in observer.rates()}
    believed = len(rated & {"arahan", "kroya", "lelea", "terisi"})
    return observation(
        observer, warnings, believed=believed, missed_at_the_start=missed_at_the_start
    )


SCENARIOS: dict[str, Callable[[SimulatedDaemon], Observation]] = {
    "stopped": stopped,
    "unable to send": unable_to_send,
    "clock set": clock_set,
    "few descriptors": few_descriptors,
    "without permission": without_permission,
    "routers in trouble": routers_in_trouble,
}


def observe(scenario: Callable[[SimulatedDaemon], Observation]) -> Observation:
    # A short path, since it contains Unix sockets.
    with (
        tempfile.TemporaryDirectory(prefix="rob") as work,
        SimulatedDaemon(Path(work)) as simulated,
    ):
        return scenario(simulated)


@pytest.fixture(scope="module")
def observations() -> Iterator[dict[str, Future[Observation]]]:
    with ThreadPoolExecutor(len(SCENARIOS)) as threads:
        yield {name: threads.submit(observe, scenario) for name, scenario in SCENARIOS.items()}


Observations = dict[str, "Future[Observation]"]


def assert_expected(found: Observation, for_s: float) -> None:
    """After a stop of `for_s`: one true outage and no false one."""
    assert found.downs == {LINK}
    assert found.incidents == {(LINK, "down", "silence")}
    assert "unknown (blind)" in found.log
    assert max(numbers_in(r"this process stood still for ([\d.]+) s: the", found.log)) > for_s - 1
    assert sum(numbers_in(r"(\d+) rounds every 1 s were missed", found.log)) >= for_s - 2
    assert "this process stood still for" in found.warnings["stopped"]
    assert "rounds missed" in found.warnings["stopped"]
    assert found.own["stalls"] >= 2
    assert found.own["missed_rounds"] >= for_s - 2
    # The outage began during the gap: the cut lies between the recorded bounds.
    assert found.other["earliest_after_the_cut_s"] < 0 < found.other["after_the_cut_s"] + 1.2


@pytest.mark.timeout(150)
def test_a_stopped_and_continued_daemon_reports_no_false_outage_and_finds_real_ones(
    observations: Observations,
) -> None:
    assert_expected(observations["stopped"].result(), BLIND_AFTER_S + 2.0)


@pytest.mark.full
@pytest.mark.timeout(300)
def test_a_daemon_stopped_for_half_a_minute_reports_no_outage() -> None:
    assert_expected(observe(lambda simulated: stopped(simulated, 30.0)), 30.0)


@pytest.mark.timeout(150)
def test_a_missing_route_or_full_send_buffer_is_an_incident_of_the_monitor(
    observations: Observations,
) -> None:
    found = observations["unable to send"].result()
    assert found.downs == set()
    assert found.incidents == {("monitor", "unknown", "send_failure")}
    assert "monitor (send_failure: ENETUNREACH)" in found.log
    assert "monitor (send_failure: ENOBUFS)" in found.log
    assert "cannot send (ENETUNREACH): nothing is measured" in found.warnings["no route"]
    assert "cannot send (ENOBUFS): nothing is measured" in found.warnings["full buffer"]
    assert found.own["not_measured"] > 100


@pytest.mark.timeout(150)
def test_a_clock_step_of_a_day_changes_no_incident_and_stops_no_round(
    observations: Observations,
) -> None:
    found = observations["clock set"].result()
    assert (found.downs, found.incidents, found.other["transitions"]) == (set(), set(), 0)
    steps = numbers_in(r"the clock stepped by ([+-][\d.]+) s", found.log)
    assert steps == [pytest.approx(DAY_S, abs=2), pytest.approx(-DAY_S, abs=2)]
    assert found.other["moved_s"] == pytest.approx(DAY_S, abs=60)
    # One missed round is a gap of two intervals, and no gap may be longer.
    assert all(n == 1 for n in numbers_in(r"(\d+) rounds every 1 s were missed", found.log))
    assert found.own["missed_rounds"] <= 2
    assert found.own["failed_runs"] == 0


@pytest.mark.timeout(150)
def test_a_daemon_without_file_descriptors_continues_with_a_warning(
    observations: Observations,
) -> None:
    found = observations["few descriptors"].result()
    assert (found.downs, found.incidents) == (set(), set())
    assert re.search(
        r"\b[56]\d of 64 descriptors are in use: raise the limit", found.warnings["exhausted"]
    )
    assert (found.own["max_fds"], found.own["not_measured"]) == (64, 0)


@pytest.mark.timeout(150)
def test_a_daemon_without_permission_to_ping_ends_with_one_error(
    observations: Observations,
) -> None:
    found = observations["without permission"].result()
    assert found.other["exit"] == 1
    assert "may not send ICMP: give it CAP_NET_RAW" in found.log
    assert "Traceback" not in found.log


@pytest.mark.timeout(150)
def test_defective_snmp_agents_give_no_wrong_rate_and_delay_no_other(
    observations: Observations,
) -> None:
    found = observations["routers in trouble"].result()
    assert (found.downs, found.incidents) == (set(), set())
    for router, reason in (
        ("arahan", "wrong-source"),
        ("lelea", "wrong-answer"),
        ("terisi", "timeout"),
        ("kroya", "too-large"),
    ):
        assert any(
            f"{router} (" in line and f"cannot be read by SNMP: {reason}" in line
            for line in found.log.splitlines()
        )
    assert found.other["believed"] == 0
    told = found.warnings["routers"]
    assert "SNMP, routers without an answer: 4 (arahan, kroya, lelea, terisi)" in told
    assert "answer wrongly and are not asked for a while" in told
    assert "kroya: too-large" in told
    # Eight daemons start at once on two cores: that may cost rounds, a router's trouble never does.
    assert found.other["missed_at_the_start"] < 5
    assert found.own["missed_rounds"] == found.other["missed_at_the_start"]
    assert found.own["failed_runs"] == 0


@pytest.mark.timeout(150)
def test_an_unsynchronised_clock_is_a_warning(
    observations: Observations,
) -> None:
    found = observations["stopped"].result()
    told_so = "penalties hang on them" in found.warnings["stopped"]
    assert told_so is (found.own["synchronised"] == 0)


def test_a_request_to_a_stopped_daemon_times_out(
    tmp_path: Path,
) -> None:
    """`pantau status` must not hang with the daemon: it then shows the ledger, marked stale."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as deaf:
        deaf.bind(str(tmp_path / SOCKET_NAME))
        deaf.listen()
        with pytest.raises(ApiError):
            LocalApiClient(tmp_path).get("/state")
