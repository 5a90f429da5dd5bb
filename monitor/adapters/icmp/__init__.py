"""ICMP echo: one socket for all targets, kernel-true RTT, and no loss that is ours.

prober.py    IcmpProber   the port: who is asked, and when
pace.py      when the requests of a round are due
listener.py  when to look at the sockets, and what to say of each request
absence.py   what we may have missed: stalls, and answers for which there was no room
book.py      the requests that are out: matched, timed out, remembered for a while
channel.py   one ICMP socket: sends, reads answers and ICMP errors
opening.py   how that socket is got and set up, and what to say when it cannot be
wire.py      how our echo requests look, and whether a packet is an answer to one
words.py     ICMP errors and errno in words
stamps.py    the kernel's receive stamps on the steady timeline
carrier.py   whether the way to a target leads over a port without a cable
"""

from monitor.adapters.icmp.opening import SocketMode
from monitor.adapters.icmp.prober import IcmpProber

__all__ = ["IcmpProber", "SocketMode"]
