"""Which target is probed when: ping rounds and SNMP polls."""
