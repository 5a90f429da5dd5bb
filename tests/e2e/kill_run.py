"""Kill the daemon at random moments during cuts and returns, and compare what was received.

`python -m tests.e2e.kill_run KILLS FOLDER [SEED]` runs it alone and prints the figures.
"""

from __future__ import annotations

import random
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from monitor.adapters.ledger import SqlLedgerReader
from monitor.core.alerting.model import EventKind, OutboxRow
from monitor.core.alerting.outbox import incident_ids, row_key
from monitor.core.model import Incident, Scope, State
from tests.e2e.simulated_daemon import SimulatedDaemon
from tests.e2e.three_receivers import ReceivedMessage, ThreeReceivers
from tests.waiting import eventually

HOLD_S = 15.0
LONG_S = 25.0
"""Outages that last longer are told of, whatever is killed."""

CHANNELS = ("webhook", "telegram", "mail")
OUTAGE_S = (30.0, 60.0)
CUT_EVERY_S = (5.0, 11.0)
ALIVE_S = (1.0, 18.0)
"""For how long a daemon lives that has started: until a random moment."""

_CODE = re.compile(r"#([0-9a-f]{8})\b")


@dataclass
class KillResult:
    """late_s: from detection and hold to the first word on a channel; late_s_of_one_kill: the same
    where at most one kill fell between them. first_closing: outages whose first word was their
    end. duplicates: by channel.
    """

    kills: int = 0
    cuts: int = 0
    outages: int = 0
    late_s: list[float] = field(default_factory=list)
    late_s_of_one_kill: list[float] = field(default_factory=list)
    away_s: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    first_closing: list[str] = field(default_factory=list)
    duplicates: Counter[str] = field(default_factory=Counter)
    detected_after_s: list[float] = field(default_factory=list)

    def add(self, other: KillResult) -> None:
        for name in ("kills", "cuts", "outages"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in (
            "late_s_of_one_kill",
            "away_s",
            "late_s",
            "lost",
            "first_closing",
            "detected_after_s",
        ):
            getattr(self, name).extend(getattr(other, name))
        self.duplicates += other.duplicates

    def lines(self) -> list[str]:
        return [
            f"{self.kills} kills, {self.cuts} cuts, {self.outages} outages over {LONG_S:g} s told",
            _figures("cut to detection, s", self.detected_after_s),
            _figures("detection + hold to the first word, s", self.late_s),
            _figures("the same, one kill at most between, s", self.late_s_of_one_kill),
            _figures("from a kill until the daemon answers again, s", self.away_s),
            f"lost: {len(self.lost)} {self.lost[:5]}",
            f"first word was the end: {len(self.first_closing)} {self.first_closing[:5]}",
            f"sent twice: {dict(self.duplicates)}",
        ]


def run_kills(work: Path, kills: int, seed: int) -> KillResult:
    """A daemon with three channels: cuts at random, kills at random, then everything returns."""
    chance = random.Random(seed)
    with SimulatedDaemon(work) as simulated:
        receivers = ThreeReceivers(simulated.simulation, work / "receivers")
        try:
            (simulated.config / "alerts.toml").write_text(receivers.alerts)
            simulated.start(environ=receivers.secrets)
            eventually(simulated.settled, 90)
            result = KillResult(kills=kills)
            cuts, killed = _cut_and_kill(simulated, receivers, kills, chance)
            result.cuts = len(cuts)
            result.away_s = [end_s - start_s for start_s, end_s in killed]
            eventually(simulated.all_up, 120)
            eventually(lambda: not _unsent(simulated), 60)
            _compare(result, simulated, receivers.messages(), cuts, [s for s, _ in killed])
            return result
        finally:
            receivers.close()


def _cut_and_kill(
    simulated: SimulatedDaemon, receivers: ThreeReceivers, kills: int, chance: random.Random
) -> tuple[list[tuple[str, float]], list[tuple[float, float]]]:
    """Returns the cuts (link and time), and the kills (time, and when the daemon was back)."""
    links = [link.name for link in simulated.simulation.network.links()]
    chance.shuffle(links)
    cuts: list[tuple[str, float]] = []
    killed: list[tuple[float, float]] = []
    is_over = threading.Event()

    def cut() -> None:
        while not is_over.wait(chance.uniform(*CUT_EVERY_S)):
            link = links[len(cuts) % len(links)]
            made = simulated.simulation.control.cut(link, chance.uniform(*OUTAGE_S))
            cuts.append((link, made.utc_s))

    cutter = threading.Thread(target=cut)
    cutter.start()
    try:
        for _ in range(kills):
            threading.Event().wait(chance.uniform(*ALIVE_S))
            at_s = time.time()
            simulated.kill()
            simulated.start(environ=receivers.secrets)
            killed.append((at_s, time.time()))
    finally:
        is_over.set()
        cutter.join()
    return cuts, killed


def _unsent(simulated: SimulatedDaemon) -> list[OutboxRow]:
    rows = SqlLedgerReader.open(simulated.data / "ledger.db").outbox()
    return [row for row in rows if row.sent_s is None]


def _compare(
    result: KillResult,
    simulated: SimulatedDaemon,
    messages: Sequence[ReceivedMessage],
    cuts: Sequence[tuple[str, float]],
    kills_s: Sequence[float],
) -> None:
    reader = SqlLedgerReader.open(simulated.data / "ledger.db")
    rows = {row_key(row)[:8]: row for row in reader.outbox()}
    first: dict[tuple[str, int], tuple[float, EventKind]] = {}
    closed: set[tuple[str, int]] = set()
    seen: Counter[str] = Counter()
    for message in messages:
        for code in _CODE.findall(message.text):
            row = rows[code]
            seen[code] += 1
            for number in incident_ids(row):
                first.setdefault((message.channel, number), (message.at_s, row.event))
                if row.event is EventKind.RESOLVED:
                    closed.add((message.channel, number))
    for code, times in seen.items():
        result.duplicates[rows[code].channel] += times - 1
    for incident in reader.incidents():
        if _counts(incident, reader):
            result.outages += 1
            result.detected_after_s += _detection_s(incident, cuts)
            _judge(result, incident, first, closed, kills_s)


def _counts(incident: Incident, reader: SqlLedgerReader) -> bool:
    """An outage of a link over 25 s whose hold ended before it did, and which does not flap."""
    if incident.scope is not Scope.LINK or incident.state is not State.DOWN:
        return False
    if incident.ended_s is None or incident.ended_s - incident.started_s <= LONG_S:
        return False
    reasons = {decision.reason.value for decision in reader.policy_decisions([incident.id])}
    return incident.ended_s - incident.detected_s > HOLD_S and "flapping" not in reasons


def _detection_s(incident: Incident, cuts: Iterable[tuple[str, float]]) -> list[float]:
    before = [at_s for link, at_s in cuts if link == incident.target and at_s < incident.detected_s]
    return [incident.detected_s - max(before)] if before else []


def _judge(
    result: KillResult,
    incident: Incident,
    first: dict[tuple[str, int], tuple[float, EventKind]],
    closed: set[tuple[str, int]],
    kills_s: Sequence[float],
) -> None:
    for channel in CHANNELS:
        what = f"{channel}: incident {incident.id} ({incident.target})"
        found = first.get((channel, incident.id))
        if found is None:
            result.lost.append(f"{what} was never told")
            continue
        at_s, event = found
        late_s = at_s - incident.detected_s - HOLD_S
        result.late_s.append(late_s)
        if sum(incident.detected_s - 1 <= kill_s <= at_s for kill_s in kills_s) <= 1:
            result.late_s_of_one_kill.append(late_s)
        if event is EventKind.RESOLVED:
            ended_s = 0.0 if incident.ended_s is None else incident.ended_s
            after_hold_s = ended_s - incident.detected_s - HOLD_S
            result.first_closing.append(f"{what}, which ended {after_hold_s:.1f} s after its hold")
        if (channel, incident.id) not in closed:
            result.lost.append(f"{what}: its end was never told")


def _figures(what: str, values: list[float]) -> str:
    if not values:
        return f"{what}: none"
    ordered = sorted(values)
    at = [ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.95, 0.99)]
    return f"{what}: p50 {at[0]:.2f}, p95 {at[1]:.2f}, p99 {at[2]:.2f}, largest {ordered[-1]:.2f}"


if __name__ == "__main__":
    began_s = time.monotonic()
    folder = Path(sys.argv[2])
    found = run_kills(folder, int(sys.argv[1]), int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    print("\n".join(found.lines()))
    print(f"late: {sorted(round(s, 2) for s in found.late_s)[-20:]}")
    print(f"took {time.monotonic() - began_s:.0f} s")
