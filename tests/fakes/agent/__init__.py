"""Routers that are made up, but answer real SNMP: a net-snmp agent, and agents that lie."""
