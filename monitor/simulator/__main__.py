"""`python -m monitor.simulator`: run the simulated network in the current network namespace.

    unshare -n python -m monitor.simulator --config config --scenario demo --control /run/c.sock

A namespace that is in use is refused. Simulation.start creates one and runs this in it.
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
from monitor.simulator.config import SimulatorConfig, read_config, receive_config
from monitor.simulator.engine import Engine
from monitor.simulator.namespace import ParentWatch, end_other_processes
from monitor.simulator.network import simulate_network
from monitor.simulator.scenario import DEMO, load_scenario
from monitor.simulator.tun_device import DEVICE_FILE, TunDevice, allow_ping_sockets

_SET_TIMER_SLACK = 29  # PR_SET_TIMERSLACK of prctl(2)
_CHECK_EVERY_S = 1.0
_GRACE_S = 5.0


def main(argv: Sequence[str]) -> int:
    """Run until stopped. Exit status: 0 done, 1 failed (one line on stderr says why)."""
    options = _options(argv)
    try:
        _run(options)
    except PantauError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        if options.end_with_parent:
            end_other_processes(_GRACE_S)
    return 0


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m monitor.simulator",
        description="A simulated network that answers real ICMP and SNMP, in a network namespace.",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--config", type=Path, metavar="DIR", help="the configuration's directory")
    source.add_argument("--config-fd", type=int, help="file of Simulation.start")
    parser.add_argument("--scenario", default=DEMO, help="a shipped one's name, or a file's path")
    parser.add_argument("--control", type=Path, required=True, help="path of the control socket")
    parser.add_argument("--seed", type=int, default=1, help="of delays, losses and traffic")
    parser.add_argument("--device-file", type=Path, default=DEVICE_FILE, help="the TUN device")
    parser.add_argument("--ready-fd", type=int, help="where to write a line when all is ready")
    parser.add_argument(
        "--end-with-parent",
        action="store_true",
        help="end when stdin does, and with it every process in this namespace",
    )
    return parser.parse_args(argv)


def _run(options: argparse.Namespace) -> None:
    config = _config(options)
    net = simulate_network(config.network)
    scenario = load_scenario(options.scenario, net)
    tun = TunDevice([each.address for each in net.addresses.values()], options.device_file)
    try:
        allow_ping_sockets()
        _reduce_timer_slack()
        _use_realtime_priority()
        # epoll waits in whole milliseconds, select in microseconds.
        with asyncio.Runner(
            loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())
        ) as runner:
            engine = Engine(net, config.communities, scenario, tun, options.seed)
            runner.run(_run_engine(engine, options))
    finally:
        tun.close()


def _config(options: argparse.Namespace) -> SimulatorConfig:
    if options.config_fd is None:
        return read_config(options.config)
    with os.fdopen(options.config_fd, "rb") as file:
        return receive_config(file)


async def _run_engine(engine: Engine, options: argparse.Namespace) -> None:
    """Run the engine until a signal, a command or the end of the parent process."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, engine.ended.set)
    if options.end_with_parent:
        parent = ParentWatch(sys.stdin.fileno())
        loop.add_reader(parent.fd, engine.ended.set)
        _check_parent(engine, parent, loop)
    await engine.run(options.control, lambda: _ready(options.ready_fd))


def _check_parent(engine: Engine, parent: ParentWatch, loop: asyncio.AbstractEventLoop) -> None:
    """End the engine when the parent process has ended; check again every second."""
    if parent.parent_is_gone():
        engine.ended.set()
    else:
        loop.call_later(_CHECK_EVERY_S, _check_parent, engine, parent, loop)


def _ready(fd: int | None) -> None:
    # These objects stay: the garbage collector need not visit them again.
    gc.freeze()
    if fd is None:
        print("ready", flush=True)
    else:
        os.write(fd, b"ready\n")
        os.close(fd)


def _reduce_timer_slack() -> None:
    """Set the timer slack to 1 ns; the default adds up to 50 µs."""
    ctypes.CDLL(None, use_errno=True).prctl(_SET_TIMER_SLACK, 1, 0, 0, 0)


def _use_realtime_priority() -> None:
    """Use real-time priority, if permitted: a real network is not slowed down by a busy machine.

    It needs little CPU, and the kernel reserves a share for other processes in any case.
    """
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
