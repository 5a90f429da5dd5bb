"""Icinga 2.13: check_icmp (5 packets) every 10 s.

As its shipped templates have it: `max_check_attempts` 3, `retry_interval` half the check interval
(5 s), down at 100 % loss. Not `hostalive` itself: with its thresholds check_ping waits 30 s for a
dead host (measured here: hard DOWN after two minutes), check_icmp with these 6 s. Every host
depends on its parent, also in soft states, so that a child is not notified before its parent is
hard; the monitor's own gateway is the top of the tree. Notified at once when the state is hard.
`seen`: soft DOWN; `known`: hard DOWN.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.bench.peers.bench_network import hosts

PACKAGES = ("icinga2", "monitoring-plugins-basic")
HEAD = """\
const NodeName = "bench"
const ZoneName = "bench"
const PluginDir = "/usr/lib/nagios/plugins"
include <itl>
include <plugins>
object Endpoint NodeName {{ }}
object Zone ZoneName {{ endpoints = [ NodeName ] }}
object CheckerComponent "checker" {{ }}
object NotificationComponent "notification" {{ }}
object LivestatusListener "livestatus" {{ socket_type = "unix", socket_path = "{socket}" }}
object TimePeriod "24x7" {{
  ranges = {{
    "monday" = "00:00-24:00", "tuesday" = "00:00-24:00", "wednesday" = "00:00-24:00"
    "thursday" = "00:00-24:00", "friday" = "00:00-24:00", "saturday" = "00:00-24:00"
    "sunday" = "00:00-24:00"
  }}
}}
object User "admin" {{ period = "24x7" }}
object NotificationCommand "note" {{
  command = [ "{script}", "$notification.type$", "$host.name$", "$host.state$" ]
}}
template Host "bench-host" {{
  max_check_attempts = 3
  check_interval = 10s
  retry_interval = 5s
  check_command = "icmp"
  vars.icmp_wrta = 500
  vars.icmp_wpl = 80
  vars.icmp_crta = 1000
  vars.icmp_cpl = 100
}}
apply Notification "note" to Host {{
  command = "note"
  users = [ "admin" ]
  states = [ Up, Down ]
  types = [ Problem, Recovery ]
  interval = 0
  assign where host.address
}}
"""


def write_config(folder: Path, script: Path) -> None:
    text = HEAD.format(script=script, socket=folder / "live.sock")
    for host in hosts():
        text += f'object Host "{host.word}" {{\n  import "bench-host"\n'
        text += f'  address = "{host.address}"\n}}\n'
        if host.parent is not None:
            parent_word = next(each.word for each in hosts() if each.name == host.parent)
            text += f'object Dependency "parent-{host.word}" {{\n'
            text += f'  parent_host_name = "{parent_word}"\n  child_host_name = "{host.word}"\n'
            text += "  states = [ Up ]\n  ignore_soft_states = false\n  disable_checks = false\n}\n"
    (folder / "icinga2.conf").write_text(text, "utf-8")
    for name in ("data", "cache", "log", "run", "spool"):
        (folder / name).mkdir()


def commands(folder: Path) -> Mapping[str, list[str]]:
    directories = {
        "DataDir": "data",
        "CacheDir": "cache",
        "LogDir": "log",
        "InitRunDir": "run",
        "SpoolDir": "spool",
    }
    defines = [f"-D{name}={folder}/{value}" for name, value in directories.items()]
    user = ["-DRunAsUser=root", "-DRunAsGroup=root"]
    return {"icinga2": ["icinga2", "daemon", *defines, *user, "-c", f"{folder}/icinga2.conf"]}
