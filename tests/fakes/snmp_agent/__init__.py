"""SNMP agents for tests: net-snmp's snmpd, a scripted one, and version 3 messages."""
