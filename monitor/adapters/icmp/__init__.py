"""ICMP echo: one socket for each address family, RTT from kernel timestamps.

prober.py       IcmpProber: the targets, paced sending of rounds
receiver.py     reading replies and errors, deadlines, outcomes; what a stall may have hidden
outstanding.py  the requests that are out, matched by index, nonce and address; totals
tracer.py       traces of paths: requests with TTL 1, 2, 3 …, apart from the ordinary ones
icmp_socket.py  opening, sending, reading replies and ICMP errors
packets.py      wire format of requests and replies, names of errors
timestamps.py   kernel timestamps on the steady timeline
carrier.py      interfaces without a cable

icmplib opens the sockets, builds the request template and names ICMP errors. Sending, matching and
timing are our own: icmplib's multiping opens a socket a target, matches by id and sequence alone
and times by the wall clock.
"""

from monitor.adapters.icmp.icmp_socket import SocketMode
from monitor.adapters.icmp.prober import IcmpProber

__all__ = ["IcmpProber", "SocketMode"]
