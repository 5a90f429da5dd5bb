"""SNMP 2c and 3: polling routers.

poller.py      SnmpPoller: the registered routers, one poll of one router
interfaces.py  interfaces by ifName: rows, counters, speed, alias
facts.py       CPU, memory, temperature, voltage; vendors.py says where each vendor keeps them
session.py     reads that take several messages: many objects, walks
transport.py   one UDP socket, retries, matching of responses
usm.py         version 3: keys, security model
messages.py    requests, responses, version 2c
ber.py         checks of datagrams as bytes
errors.py      errors of a datagram and of a poll

pysnmp builds and decodes the messages and has the key procedures of version 3. Its engine is not
used: it accepts responses from any address and for any object, times by the wall clock, notices a
replaced router after five minutes, and is quadratic in the number of version 3 routers.
"""

from monitor.adapters.snmp.poller import SnmpPoller
from monitor.adapters.snmp.transport import PollCounters

__all__ = ["PollCounters", "SnmpPoller"]
