"""The receiving half: reads the sockets, settles requests, says what became of them.

It works like a network card. The first answer wakes the event loop; while more keep coming,
the sockets are read every few milliseconds instead of once an answer. One timer stands for
all deadlines, and when nothing is out nothing wakes.

"Lost" is said after a complete reading of the sockets that was made after the deadline. What is
said is said in order of time: an answer that came after a deadline which is not settled yet
waits until it is.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Sequence, Set
from math import nextafter
from operator import itemgetter

from monitor.adapters.icmp.absence import STALLED, Absence
from monitor.adapters.icmp.book import OutstandingRequests, Tally
from monitor.adapters.icmp.channel import IcmpAnswer, IcmpSocket, Trouble
from monitor.adapters.icmp.stamps import Stamps
from monitor.adapters.icmp.wire import Fault
from monitor.adapters.icmp.words import icmp_error
from monitor.core.model import Lost, NotMeasured, Outcome, Reply
from monitor.core.ports import OutcomeSink

FLOW_S = 0.005
"""Answers that come this soon after the last look flow: from then on we look by the clock."""

LOOK_EVERY_S = 0.020
"""How often the sockets are read while answers flow. The kernel has stamped them: no RTT is the
longer for it, and each look costs as much as several answers."""

SETTLED_AFTER_S = 0.002
"""A deadline is settled this long after it: the kernel needs a moment to queue what came."""

NEARLY_S = 0.001
"""A timer this close to its time is not waited for."""

SHORTEST_MS = 0.001
"""No RTT is shorter than what our clocks can tell apart."""

NO_ROOM = "receive buffer full"
CLOCK_STEP = "clock-step"

# Each kind of outcome begins with target, sent_s, known_s.
_known = itemgetter(2)
_known_and_target = itemgetter(2, 0)


class Listener:
    """Looks at the channels when it must, and hands outcomes to the sink."""

    def __init__(
        self,
        book: OutstandingRequests,
        tally: Tally,
        stamps: Stamps,
        steady_s: Callable[[], float],
        sink: OutcomeSink,
    ) -> None:
        self._book = book
        self._tally = tally
        self._stamps = stamps
        self._steady_s = steady_s
        self._sink = sink
        self._loop = asyncio.get_running_loop()
        self._channels: tuple[IcmpSocket, ...] = ()
        self._ready: list[Outcome] = []
        self._flowing = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = float("inf")
        self._looked_s = self._told_s = steady_s()
        self._absence = Absence(self._looked_s)

    def listen_to(self, channels: Sequence[IcmpSocket]) -> None:
        """From now on look at these sockets: the ones that somebody is asked through."""
        self._stop_reading()
        self._channels = tuple(channels)
        if not self._flowing:
            self._read_when_readable()

    def close(self) -> None:
        """Stop; outcomes that are still due are dropped."""
        if self._timer is not None:
            self._timer.cancel()
        self._stop_reading()

    def tell(self, outcome: Outcome) -> None:
        """Something that was learned while sending; it is said in its turn."""
        self._ready.append(outcome)

    def drop(self, names: Set[str]) -> None:
        """Discard the outcomes of these targets that are known but not delivered yet."""
        if names and self._ready:
            self._ready = [one for one in self._ready if one.target not in names]

    def expect(self, who: object, at_s: float) -> None:
        """`who` waits for the event loop, and should be woken at this steady time."""
        self._absence.expect(who, at_s)

    def woken(self) -> None:
        """The event loop has woken somebody: was it in time?"""
        self._absence.awake(self._steady_s())

    def forget(self, who: object) -> None:
        """`who` waits no longer."""
        self._absence.forget(who)

    def glance(self) -> None:
        """The event loop is awake anyway: do what the timer would do in a moment, or set it."""
        if self._timer is not None and self._timer_s - self._steady_s() < NEARLY_S:
            self._timer.cancel()
            self._on_timer()
        else:
            self._arm()

    def _arm(self) -> None:
        """Set the timer for the next thing that needs a look."""
        deadline_s = self._book.next_deadline_s()
        wanted_s = float("inf") if deadline_s is None else deadline_s + SETTLED_AFTER_S
        soon_s = self._looked_s + LOOK_EVERY_S
        if self._flowing or self._ready:
            wanted_s = self._with_a_round(soon_s)
        wanted_s = max(wanted_s, soon_s)
        if wanted_s >= self._timer_s:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_s = wanted_s
        wait_s = max(0.0, wanted_s - self._steady_s())
        self._timer = self._loop.call_later(wait_s, self._on_timer)

    def _with_a_round(self, soon_s: float) -> float:
        """Right after a round's next wake, where that is near: its glance saves us one of ours."""
        for wake_s in self._absence.expected_s():
            if abs(wake_s - soon_s) < LOOK_EVERY_S / 2:
                return max(soon_s, wake_s + NEARLY_S / 2)
        return soon_s

    def _on_timer(self) -> None:
        late_from_s = self._timer_s
        self._timer = None
        self._timer_s = float("inf")
        heard = self._look(late_from_s)
        if self._flowing and not heard:
            self._flowing = False
            self._read_when_readable()

    def _on_readable(self) -> None:
        flowing = self._steady_s() - self._looked_s < FLOW_S
        if flowing and not self._flowing:
            self._flowing = True
            self._stop_reading()
            self._arm()
        else:
            self._look(self._timer_s)

    def _read_when_readable(self) -> None:
        for channel in self._channels:
            self._loop.add_reader(channel.fileno(), self._on_readable)

    def _stop_reading(self) -> None:
        for channel in self._channels:
            self._loop.remove_reader(channel.fileno())

    def _look(self, due_s: float) -> bool:
        """Read everything, settle what can be settled, say it. Whether anything had come."""
        now_s = self._steady_s()
        self._absence.awake(now_s, due_s)
        self._stamps.look()
        heard = False
        complete = True
        read_s = now_s
        for channel in self._channels:
            if channel.dropped():
                self._tally.errors[NO_ROOM] += 1
                self._absence.deaf(now_s)
            answers, emptied = channel.answers()
            troubles = channel.troubles()
            read_s = self._steady_s()
            for answer in answers:
                self._answered(answer, read_s)
            for trouble in troubles:
                self._refused(channel, trouble, read_s)
            self._count_faults(channel)
            heard = heard or bool(answers) or bool(troubles)
            complete = complete and emptied
        said: list[Outcome] = []
        if complete:
            self._looked_s = now_s
            self._expire(now_s - SETTLED_AFTER_S)
            said = self._settled(read_s)
        self._arm()
        if said:
            self._sink(said)
        return heard

    def _answered(self, answer: IcmpAnswer, read_s: float) -> None:
        index, nonce, source, stamp_s = answer
        asked = self._book.find(index, nonce, source)
        if asked is None:
            return
        sent_s, deadline_s, _, aim = asked
        came_s = self._stamps.steady(stamp_s, sent_s, self._looked_s, read_s)
        if came_s is not None and came_s > deadline_s:
            self._tally.late += 1  # it stays open: its deadline says what it was
            return
        self._book.settle(index)
        if not aim.live:
            return
        if came_s is None:
            self._tally.errors[CLOCK_STEP] += 1
            self._ready.append(NotMeasured(aim.name, sent_s, read_s, CLOCK_STEP))
        else:
            rtt_ms = max(SHORTEST_MS, (came_s - sent_s) * 1000.0)
            self._ready.append(Reply(aim.name, sent_s, max(came_s, self._told_s), rtt_ms))

    def _refused(self, channel: IcmpSocket, trouble: Trouble, read_s: float) -> None:
        found = self._book.find_quoted(trouble.quote, trouble.destination)
        if found is None:
            return
        index, (sent_s, deadline_s, _, aim) = found
        came_s = self._stamps.steady(trouble.stamp_s, sent_s, self._looked_s, read_s)
        if came_s is None:
            came_s = read_s
        if came_s > deadline_s:
            self._tally.late += 1
            return
        self._book.settle(index)
        if not aim.live:
            return
        words = icmp_error(channel.family, trouble.kind, trouble.code)
        self._tally.errors[words] += 1
        reason = f"{words} from {trouble.router}"
        self._ready.append(Lost(aim.name, sent_s, max(came_s, self._told_s), reason))

    def _expire(self, settled_s: float) -> None:
        stalled = 0
        for asked in self._book.expire(settled_s):
            sent_s, deadline_s, _, aim = asked
            if not aim.live:
                continue
            excuse = self._absence.excuse(asked)
            if excuse is None:
                self._ready.append(Lost(aim.name, sent_s, deadline_s))
            else:
                stalled += excuse == STALLED
                self._ready.append(NotMeasured(aim.name, sent_s, settled_s, excuse))
        if stalled:
            self._absence.complain_of_stall(stalled)

    def _settled(self, read_s: float) -> list[Outcome]:
        """What became known before anything that is still open can, in order of time."""
        deadline_s = self._book.next_deadline_s()
        settled_s = read_s if deadline_s is None else min(read_s, nextafter(deadline_s, 0.0))
        self._ready.sort(key=_known_and_target)
        until = bisect_right(self._ready, settled_s, key=_known)
        said, self._ready = self._ready[:until], self._ready[until:]
        self._told_s = settled_s
        tally = self._tally
        for outcome in said:
            if isinstance(outcome, Reply):
                tally.received += 1
            elif isinstance(outcome, Lost):
                tally.lost += 1
            else:
                tally.not_measured += 1
                tally.unmeasured[outcome.reason] += 1
        return said

    def _count_faults(self, channel: IcmpSocket) -> None:
        if not channel.faults:
            return
        for fault in channel.faults:
            if fault is Fault.MALFORMED:
                self._tally.malformed += 1
            else:
                self._tally.foreign += 1
        channel.faults.clear()
