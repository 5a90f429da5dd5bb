"""The made-up Indramayu: a network in user space that answers real ICMP and SNMP.

From the script to the packet:

    scenario.py    a TOML file → events: at, for, what, where
    director.py    events and commands over time → each target's behaviour now; the log of truth
    world.py       the configured network as it is simulated: names, addresses, who is behind whom
    behaviour.py   how one address answers: delay, jitter, loss, silence
    network.py     the user-space end of the TUN device: requests in, answers out, each on time
    packets.py     IPv4, IPv6, ICMP and UDP as bytes
    agents.py      one router's SNMP agent: its ports and what it tells
    quirks.py      what an agent does wrong: tooBig, another address, a walk without end, …
    mib.py         which objects a router has; snmp.py: the messages; traffic.py: a day's traffic
    tun.py         the device, its addresses and routes; netlink.py: how the kernel is told
    namespace.py   a network namespace of its own, and the way into it
    control.py     the Unix socket that takes commands while it runs
    simulation.py  the handle for the demo and the tests: start, inside, control, stop

Nothing in the daemon imports this package.
"""
