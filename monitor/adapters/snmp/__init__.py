"""Polling routers by SNMP 2c and 3; the one room in which pysnmp lives.

pysnmp builds and reads the messages and knows the key procedures of version 3. The way of a
question is ours: `poller` (registry) > `router` (one poll) > `interfaces`, `facts` (what is
asked, with `vendors` and `objects` as tables) > `session` (many objects, walks) > `exchange`
(one socket, who waits for what) > `community`, `usm` (versions 2c and 3 on the wire) >
`codec`, `ber` (bytes). pysnmp's own engine is not used: it takes answers from any address
and for any object, times by the wall clock, sees a replaced router after five minutes, and is
quadratic in the number of version 3 routers.
"""

from monitor.adapters.snmp.exchange import PollCounters
from monitor.adapters.snmp.poller import SnmpPoller

__all__ = ["PollCounters", "SnmpPoller"]
