"""`python -m monitor.simulator`: the made-up network, in the network namespace in which it is run.

    unshare -n python -m monitor.simulator --config config --scenario demo --control /run/c.sock

It refuses a namespace that is in use. Simulation.start makes one and runs this in it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import gc
import os
import selectors
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from monitor.core.errors import PantauError
from monitor.simulator.engine import Engine
from monitor.simulator.lifeline import Lifeline, end_all_others
from monitor.simulator.plan import Plan, plan_of, read_plan
from monitor.simulator.scenario import DEMO, load_scenario
from monitor.simulator.tun import DEVICE_FILE, Tun, open_ping_sockets
from monitor.simulator.world import build_world

_SET_TIMER_SLACK = 29  # PR_SET_TIMERSLACK of prctl(2)
_LOOK_EVERY_S = 1.0
_GRACE_S = 5.0


def main(argv: Sequence[str]) -> int:
    """Run until told to stop. Exit status: 0 done, 1 it could not (one line on stderr says why)."""
    options = _options(argv)
    try:
        _run(options)
    except PantauError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        if options.lifeline:
            end_all_others(_GRACE_S)
    return 0


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m monitor.simulator",
        description="A made-up network that answers real ICMP and SNMP, in a network namespace.",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--config", type=Path, metavar="DIR", help="the configuration's directory")
    source.add_argument("--plan-fd", type=int, help="where Simulation.start has put its plan")
    parser.add_argument("--scenario", default=DEMO, help="a shipped one's name, or a file's path")
    parser.add_argument("--control", type=Path, required=True, help="path of the control socket")
    parser.add_argument("--seed", type=int, default=1, help="of delays, losses and traffic")
    parser.add_argument("--device-file", type=Path, default=DEVICE_FILE, help="the TUN device")
    parser.add_argument("--ready-fd", type=int, help="where to write a line when all is ready")
    parser.add_argument(
        "--lifeline",
        action="store_true",
        help="end when stdin does, and with it every process in this namespace",
    )
    return parser.parse_args(argv)


def _run(options: argparse.Namespace) -> None:
    plan = _plan(options)
    world = build_world(plan.network)
    scenario = load_scenario(options.scenario, world)
    tun = Tun([place.address for place in world.places.values()], options.device_file)
    try:
        open_ping_sockets()
        _wake_on_time()
        _go_first()
        # epoll waits in whole milliseconds, select in microseconds.
        with asyncio.Runner(
            loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())
        ) as runner:
            engine = Engine(world, plan.communities, scenario, tun, options.seed)
            runner.run(_live(engine, options))
    finally:
        tun.close()


def _plan(options: argparse.Namespace) -> Plan:
    if options.plan_fd is None:
        return plan_of(options.config)
    with os.fdopen(options.plan_fd, "rb") as file:
        return read_plan(file)


async def _live(engine: Engine, options: argparse.Namespace) -> None:
    """Run the engine until a signal, a command or the lifeline ends it."""
    loop = asyncio.get_running_loop()
    for what in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(what, engine.ended.set)
    if options.lifeline:
        lifeline = Lifeline(sys.stdin.fileno())
        loop.add_reader(lifeline.fd, engine.ended.set)
        _look(engine, lifeline, loop)
    await engine.run(options.control, lambda: _ready(options.ready_fd))


def _look(engine: Engine, lifeline: Lifeline, loop: asyncio.AbstractEventLoop) -> None:
    """End the engine when the process that started us is gone; look again and again."""
    if lifeline.torn():
        engine.ended.set()
    else:
        loop.call_later(_LOOK_EVERY_S, _look, engine, lifeline, loop)


def _ready(fd: int | None) -> None:
    # What exists now stays: the collector need not look at it again.
    gc.freeze()
    if fd is None:
        print("ready", flush=True)
    else:
        os.write(fd, b"ready\n")
        os.close(fd)


def _wake_on_time() -> None:
    """Ask the kernel to wake us to the microsecond; it would add up to 50 of them otherwise."""
    ctypes.CDLL(None, use_errno=True).prctl(_SET_TIMER_SLACK, 1, 0, 0, 0)


def _go_first() -> None:
    """A real network does not slow down when this computer is busy: ask to go first, if we may.

    It needs little of the processor, and the kernel leaves others their share in any case.
    """
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
