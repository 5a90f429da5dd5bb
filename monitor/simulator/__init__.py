"""The made-up Indramayu: a network in user space that answers real ICMP and SNMP."""
