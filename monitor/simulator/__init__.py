"""Simulated network of the demo and the tests: answers real ICMP and SNMP from user space.

From the scenario to the packet:

    scenario.py           timed faults, read from TOML files or the control socket
    fault_scheduler.py    applies them on time and logs every change
    fault_effects.py      active faults → behaviour of an address, defects of an agent
    network.py            the configured network as simulated: addresses, parents, routers
    behaviour.py          how one address replies: delay, jitter, loss, errors
    responder.py          reads packets from the TUN device and writes replies when they are due
    packets.py            IPv4, IPv6, ICMP and UDP as bytes
    snmp_agent.py         SNMP agent of one router; snmp_messages.py: MIB and messages
    router_hardware.py    CPU, memory and sensors; interface_traffic.py: counters and traffic
    tun_device.py         the device, its addresses and routes (rtnetlink)
    namespace.py          creates, enters and cleans up a network namespace
    control.py            Unix socket that takes commands while it runs
    engine.py             all of these in one process (`python -m monitor.simulator`)
    simulation.py         starts that process for the demo and the tests; config.py: its input

Only `monitor.cli` and tests import this package.
"""
