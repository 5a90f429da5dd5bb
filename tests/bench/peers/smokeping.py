"""SmokePing 2.7.3, step 10 s, 5 pings: every step it pings all hosts with one fping.

As an experienced admin would write it: `hostdown` on three steps in a row without a reply (one
or two can be chance on a lossy link), with `edgetrigger`, so that the end is told as well.
SmokePing knows no parents. `seen`: the first step without a reply, in the RRD file; `known`: the
alert.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.bench.peers.bench_network import hosts

PACKAGES = ("smokeping", "fping", "librrds-perl")
PINGS = 5
CONFIG = """\
*** General ***
owner = bench
contact = root@localhost
mailhost = localhost
sendmail = /bin/true
imgcache = {folder}/images
imgurl = images
datadir = {folder}/rrd
piddir = {folder}
cgiurl = http://localhost/smokeping.cgi
smokemail = /etc/smokeping/smokemail
tmail = /etc/smokeping/tmail
*** Alerts ***
to = |{script}
from = smokeping@localhost
+hostdown
type = loss
pattern = >99%,>99%,>99%
edgetrigger = yes
comment = no reply in three steps in a row
*** Database ***
step = 10
pings = 5
AVERAGE 0.5 1 8640
*** Presentation ***
template = /etc/smokeping/basepage.html
+ overview
width = 600
height = 50
range = 10h
+ detail
width = 600
height = 200
"Last 3 Hours" 3h
*** Probes ***
+ FPing
binary = /usr/bin/fping
hostinterval = 1
timeout = 1
*** Targets ***
probe = FPing
menu = Top
title = Top
+ all
menu = all
title = all
"""
WATCH = r"""
use RRDs; $| = 1;
while (1) {
    for my $file (glob "$ARGV[0]/all/*.rrd") {
        my $info = RRDs::info($file) or next;
        my ($name) = $file =~ m{([^/]+)\.rrd$};
        print join(" ", $name, $info->{"ds[loss].last_ds"}, $info->{last_update}), "\n";
    }
    print "--\n"; select undef, undef, undef, 0.5;
}
"""
"""Prints the newest step of every RRD file."""


def write_config(folder: Path, script: Path) -> None:
    for name in ("images", "rrd"):
        (folder / name).mkdir()
    text = CONFIG.format(folder=folder, script=script)
    for host in hosts():
        text += f"++ {host.word}\nmenu = {host.word}\ntitle = {host.word}\n"
        text += f"host = {host.address}\nalerts = hostdown\n"
    (folder / "config").write_text(text, "utf-8")


def commands(folder: Path) -> Mapping[str, list[str]]:
    return {
        "smokeping": ["/usr/sbin/smokeping", f"--config={folder}/config", "--nodaemon"],
        "rrd-watch": ["perl", "-e", WATCH, f"{folder}/rrd"],
    }
