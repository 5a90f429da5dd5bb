"""Run a daemon on a simulated network of any size, and measure what it costs.

Targets stand in 10.77.0.0/16, which the simulator answers for; routers of version 2c are its
agents, routers of version 3 one real snmpd of Debian's that answers at an address for each
(in 10.78.0.0/16, local to the namespace). Every link is fibre, so no reply is ever lost on its way:
whatever the daemon calls lost on a link that is not dead is a loss of its own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from monitor.adapters.system.local_api_client import LocalApiClient
from monitor.core.errors import ApiError
from monitor.simulator.simulation import Simulation
from tests.e2e.daemon_observer import tool
from tests.e2e.simulated_daemon import PANTAU, SHIPPED, dicts
from tests.waiting import eventually

COMMUNITY = "beban"
V3_SECRET = """\
user = pantau
auth = sha256
auth_password = sandi-otentik
priv = aes128
priv_password = sandi-rahasia
"""
SNMPD = """\
agentAddress udp:161
createUser pantau SHA-256 sandi-otentik AES sandi-rahasia
rouser pantau priv
"""
# What version 3 needs, the ports of the namespace, and nothing else of the machine.
SNMPD_MODULES = (
    "system_mib,ifTable,ifXTable,interface,vacm_conf,vacm_vars,usmConf,usmUser,snmpEngine,usmStats"
)
CUT_AT_ONCE = 500
TICKS_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class LoadSize:
    """Size of a run. dead: share of links and routers that never answer."""

    targets: int
    routers: int
    dead: float = 0.3
    v3: float = 0.5
    poll_s: float = 60.0


@dataclass(frozen=True, slots=True)
class ResourceRates:
    """Resource use of a process per second. share: of one core."""

    share: float
    rss_mb: float
    descriptors: int


@dataclass(slots=True)
class ResourceUsage:
    """Resource counters of a process at one time."""

    at_s: float
    cpu_s: float

    @classmethod
    def of(cls, pid: int) -> ResourceUsage:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return cls(time.monotonic(), (int(words[11]) + int(words[12])) / TICKS_S)

    def until(self, pid: int) -> ResourceRates:
        now = ResourceUsage.of(pid)
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return ResourceRates(
            share=(now.cpu_s - self.cpu_s) / (now.at_s - self.at_s),
            rss_mb=pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
            descriptors=sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()),
        )


@dataclass(slots=True)
class LoadConfig:
    """The names of a generated configuration. links: and nodes besides core and PoPs."""

    links: list[str] = field(default_factory=list)
    nodes: list[str] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)
    routers: list[str] = field(default_factory=list)
    dead_routers: set[str] = field(default_factory=set)
    real_routers: list[str] = field(default_factory=list)

    @property
    def targets(self) -> list[str]:
        return self.links + self.nodes


def write_load_config(into: Path, size: LoadSize, data_dir: Path) -> LoadConfig:
    """A configuration of this size: 31 sites share the links, nodes have the other routers.

    Every share is spread evenly, so that neighbours differ.
    """
    county = LoadConfig()
    (into / "sites").mkdir(parents=True)
    (into / "monitor.toml").write_text(
        "[monitor]\n"
        'organisation = "Kabupaten Beban"\n'
        'timezone = "Asia/Jakarta"\n'
        f'data_dir = "{data_dir}"\n'
        f"[snmp]\ninterval_s = {size.poll_s:g}\n"
    )
    places = iter(range(size.targets))
    routers = iter(range(size.routers))
    known = _kecamatan()
    nodes = max(0, size.routers - len(known))
    (into / "network.toml").write_text(_network(county, size, nodes, places, routers))
    for number, (site, head) in enumerate(known.items()):
        share = (size.targets - nodes) // len(known)
        share += number < (size.targets - nodes) % len(known)
        lines = [head]
        addresses: list[str] = []
        for link in range(share):
            place = next(places)
            name = f"{site}/l{link}"
            addresses.append(_address(place))
            county.links.append(name)
            if _is_in(size.dead, place):
                county.dead.add(name)
            lines += [
                *("[[links]]", f'id = "l{link}"', f'address = "{addresses[-1]}"'),
                *('kind = "fibre"', f'via = "pop-{number % 5}"', "capacity_mbps = 100"),
            ]
        router = next(routers, None)
        if router is not None:
            lines += ["[snmp]", *_router(county, size, router, site, addresses[0])]
            lines += _ports("snmp", _is_v3(size, router), ("l0", "l1"))
        (into / "sites" / f"{site}.toml").write_text("\n".join(lines) + "\n")
    return county


def _kecamatan() -> dict[str, str]:
    """The 31 by id, each with the head of its file."""
    found: dict[str, str] = {}
    for file in sorted((SHIPPED / "sites").glob("*.toml")):
        head = tomllib.loads(file.read_text())
        keys = ("id", "name", "code")
        found[str(head["id"])] = "\n".join(f'{key} = "{head[key]}"' for key in keys)
    return found


def _network(
    county: LoadConfig, size: LoadSize, nodes: int, places: Iterator[int], routers: Iterator[int]
) -> str:
    lines = [
        'anchors = ["10.77.0.1", "10.77.0.2"]',
        *("[[nodes]]", 'id = "inti"', 'name = "Inti"', 'address = "10.77.0.10"'),
    ]
    for pop in range(5):
        lines += [
            *("[[nodes]]", f'id = "pop-{pop}"', f'name = "PoP {pop}"'),
            *(f'address = "10.77.0.{11 + pop}"', 'parent = "inti"'),
        ]
    for number in range(nodes):
        place, router, name = next(places), next(routers), f"simpul-{number}"
        county.nodes.append(name)
        if _is_in(size.dead, place):
            county.dead.add(name)
        lines += [
            *("[[nodes]]", f'id = "{name}"', f'name = "Simpul {number}"'),
            *(f'address = "{_address(place)}"', 'parent = "inti"', "[nodes.snmp]"),
            *_router(county, size, router, name, _address(place)),
            *_ports("nodes.snmp", _is_v3(size, router), ()),
        ]
    return "\n".join(lines) + "\n"


def _router(county: LoadConfig, size: LoadSize, router: int, owner: str, address: str) -> list[str]:
    """Version 3 at an address of the real snmpd, or one that nobody has; 2c at its owner's."""
    county.routers.append(owner)
    if _is_v3(size, router):
        dead = _is_in(size.dead, router * 3 + 1)
        address = f"10.{79 if dead else 78}.{router // 250}.{router % 250 + 1}"
        if not dead:
            county.real_routers.append(address)
        lines = [f'address = "{address}"', 'version = "3"', 'credential = "v3"']
    else:
        dead = owner in county.dead or f"{owner}/l0" in county.dead
        lines = [f'address = "{address}"', 'version = "2c"', 'credential = "v2"']
    if dead:
        county.dead_routers.add(owner)
    return lines


def _ports(table: str, is_v3: bool, links: Sequence[str]) -> list[str]:
    """The ports that are read: the agents' own, or the snmpd's."""
    lines: list[str] = []
    for place, port in enumerate(["indramayu"] if is_v3 else ["ether1", "ether2"]):
        lines += [f"[[{table}.interfaces]]", f'name = "{port}"']
        lines += [f'link = "{links[place]}"'] if links else []
    return lines


def _is_v3(size: LoadSize, router: int) -> bool:
    return _is_in(size.v3, router * 7 + 3)


def _address(place: int) -> str:
    return f"10.77.{1 + place // 250}.{place % 250 + 1}"


def _is_in(share: float, place: int) -> bool:
    """Whether an index belongs to an evenly spread share."""
    return place * 7 % 10 < round(share * 10)


class DaemonLoad:
    """The county's network, its snmpd and its daemon, in a directory with a short path.

    The daemon goes before other programs of this machine (as root), or a machine that is busy
    with other tests would be measured.
    """

    def __init__(self, work: Path, size: LoadSize) -> None:
        self.size = size
        self.work = work
        self.data = work / "data"
        self.data.mkdir()
        self.config = work / "config"
        self.county = write_load_config(self.config, size, self.data)
        self.began_s = 0.0
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> DaemonLoad:
        self.simulation = Simulation.start(
            self.config, "quiet", work_dir=self.work, communities={"v2": COMMUNITY}
        )
        control = self.simulation.control
        dead = sorted(self.county.dead)
        for start in range(0, len(dead), CUT_AT_ONCE):
            control.request("cut", where=dead[start : start + CUT_AT_ONCE])
        if self.size.routers and self.size.v3:
            self._start_snmpd()
        environ = os.environ | {"PANTAU_SECRET_V2": COMMUNITY, "PANTAU_SECRET_V3": V3_SECRET}
        command = [*PANTAU, "run", "--log", "debug", "--config", str(self.config)]
        with (self.work / "daemon.log").open("wb") as log:
            self._processes.append(
                subprocess.Popen(
                    self.simulation.inside(command),
                    stdout=log,
                    stderr=log,
                    env=environ,
                    start_new_session=True,
                )
            )
        _goes_first(self.pid)
        self.began_s = time.monotonic()
        eventually(self._answers, 90)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        self.simulation.stop()

    @property
    def pid(self) -> int:
        return self._processes[-1].pid

    def end(self) -> None:
        """SIGTERM: the last period is written."""
        self._processes[-1].send_signal(signal.SIGTERM)
        assert self._processes[-1].wait(30) == 0, self.log()[-2000:]

    def log(self) -> str:
        return (self.work / "daemon.log").read_text(errors="replace")

    def settled(self) -> bool:
        """Every target has a state, and no link is probed at the confirm rate any more."""
        try:
            document = LocalApiClient(self.data, timeout_s=20).get("/state")
        except ApiError:
            return False
        links = [link for site in dicts(document["sites"]) for link in dicts(site["links"])]
        states = {str(t["target"]): t["state"] for t in [*links, *dicts(document["nodes"])]}
        return all(
            states[name] == ("down" if name in self.county.dead else "up")
            for name in self.county.targets
        )

    def lateness_ms(self) -> list[float]:
        """How late each round ended, in order."""
        found = re.findall(r"round of \d+ requests ended ([\d.]+) ms late", self.log())
        return [float(late) for late in found]

    def sums(self, after_ms: float) -> dict[str, tuple[int, int, int]]:
        """Sent, received and not measured of each target in rows after a moment (Unix ms)."""
        found: dict[str, tuple[int, int, int]] = {}
        for file in (self.data / "journal").glob("samples-*.db"):
            begins_ms = 1000 * time.mktime(time.strptime(file.stem[-8:], "%Y%m%d"))
            begins_ms -= time.timezone * 1000
            with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
                for identity, sent, received, not_measured in connection.execute(
                    "SELECT identity, sum(sent), sum(received), sum(not_measured) FROM ping "
                    "JOIN series ON series = id WHERE t > ? GROUP BY series",
                    (after_ms - begins_ms,),
                ):
                    found[json.loads(identity)["target"]] = (sent, received, not_measured)
        return found

    def own(self) -> list[dict[str, float]]:
        """Every row of the measurement `monitor`."""
        rows: list[dict[str, float]] = []
        for file in sorted((self.data / "journal").glob("samples-*.db")):
            with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
                connection.row_factory = sqlite3.Row
                rows += [dict(row) for row in connection.execute("SELECT * FROM monitor")]
        return rows

    def rated(self) -> set[str]:
        """Routers with at least one rate."""
        found: set[str] = set()
        for file in (self.data / "journal").glob("samples-*.db"):
            with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
                for (identity,) in connection.execute(
                    "SELECT DISTINCT identity FROM interface JOIN series ON series = id "
                    "WHERE in_bps IS NOT NULL"
                ):
                    found.add(json.loads(identity)["device"])
        return found

    def _answers(self) -> bool:
        assert self._processes[-1].poll() is None, self.log()[-3000:]
        try:
            LocalApiClient(self.data, timeout_s=20).get("/healthz")
        except ApiError:
            return False
        return True

    def _start_snmpd(self) -> None:
        snmpd = shutil.which("snmpd", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
        assert snmpd is not None, "snmpd is missing: apt install snmpd"
        # Each by itself: the kernel prefers the simulated network's route to one address.
        routes = [f"route add local {address}/32 dev lo\n" for address in self.county.real_routers]
        done = subprocess.run(
            self.simulation.inside([tool("ip", "iproute2"), "-batch", "-"]),
            input="".join(routes),
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        state = self.work / "snmpd"
        state.mkdir()
        # Not `snmpd.conf` in its state directory: that would be read a second time.
        config = self.work / "agent.conf"
        config.write_text(SNMPD)
        words = ["-f", "-c", str(config), "-I", SNMPD_MODULES]
        words += ["-Lf", str(state / "log"), "-p", str(state / "pid")]
        environ = {"MIBS": "", "SNMP_PERSISTENT_DIR": str(state), "SNMPCONFPATH": str(state)}
        agent = subprocess.Popen(self.simulation.inside([snmpd, *words]), env=os.environ | environ)
        self._processes.append(agent)
        bound = Path(f"/proc/{agent.pid}/net/udp")
        eventually(lambda: agent.poll() is not None or ":00A1 " in bound.read_text(), 15)
        assert agent.poll() is None, (state / "log").read_text()


def _goes_first(pid: int) -> None:
    """Before what else this machine does; sched(7): a session is a group with a nice value."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, -15)
        Path(f"/proc/{pid}/autogroup").write_text("-15")


def quantile(ordered: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of an ascending list."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def machine_load() -> str:
    """Load average of the machine."""
    return f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def wait(for_s: float) -> None:
    """Wait."""
    threading.Event().wait(for_s)
