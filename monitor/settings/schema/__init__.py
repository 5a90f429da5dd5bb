"""What may stand in each file: keys, kinds of values, limits, defaults.

common: what several files share; daemon: monitor.toml; network: network.toml and sites;
alerts: alerts.toml; maintenance: maintenance.toml.
"""
