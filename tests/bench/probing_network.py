"""The network of the probing bench: a TUN device whose far end answers for many addresses.

    probing_network.py TARGETS SILENT_SHARE

Runs in a network namespace of its own. Prints `ready`; then, for each line on stdin, how many
replies have left so far for each address: a JSON list in the order of `addresses`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import selectors
import sys

from monitor.simulator.behaviour import Behaviour, Fate
from monitor.simulator.network import Wire
from monitor.simulator.tun import Tun

SLOWEST_MS, QUICKEST_MS = 80.0, 5.0


def addresses(count: int) -> list[str]:
    """10.77.0.1, 10.77.0.2, … 250 to a /24."""
    return [f"10.77.{place // 250}.{place % 250 + 1}" for place in range(count)]


def delay_ms(place: int) -> float:
    """5 to 80 ms, spread over the targets so that neighbours differ."""
    return QUICKEST_MS + (place * 37 % 751) / 750 * (SLOWEST_MS - QUICKEST_MS)


def is_silent(place: int, silent_share: float) -> bool:
    return place * 7 % 10 < silent_share * 10


def behaviour(place: int, silent_share: float) -> Behaviour:
    fate = Fate.SILENT if is_silent(place, silent_share) else Fate.ANSWERED
    return Behaviour(delay_ms=delay_ms(place), fate=fate)


def main() -> None:
    count, silent_share = int(sys.argv[1]), float(sys.argv[2])
    known = addresses(count)
    tun = Tun(known)
    # The wire wants a selector that waits to the microsecond.
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    wire = Wire(
        tun.fd,
        {address: (address, behaviour(i, silent_share)) for i, address in enumerate(known)},
        {},
        seed=1,
        on_gone=loop.stop,
    )

    def on_line() -> None:
        if not sys.stdin.readline():
            loop.stop()
            return
        counts = wire.counts()
        print(json.dumps([counts[address].answered for address in known]), flush=True)

    wire.start(loop)
    loop.add_reader(sys.stdin.fileno(), on_line)
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    loop.run_forever()
    wire.stop()
    tun.close()


if __name__ == "__main__":
    main()
