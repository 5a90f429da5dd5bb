"""The network of the peer bench: a core, a PoP with 32 links, one with 20, two anchors.

Every peer gets the same hosts with the same parents.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

SHIPPED = Path(__file__).resolve().parents[3] / "config"
GATEWAY = "gerbang"
CORE = "inti"
POPS = {"pop-a": 32, "pop-b": 20}
SERVER = "dns"
ANCHORS = ["10.77.0.1", "10.77.0.2"]
"""What pantau knows of the gateway and of the name server behind it."""


@dataclass(frozen=True, slots=True)
class Host:
    """One pinged address. name: as pantau calls it. parent: the host that it hangs on."""

    name: str
    address: str
    role: str
    parent: str | None = None

    @property
    def word(self) -> str:
        """Its name where only letters, digits and _ are allowed."""
        return re.sub(r"\W", "_", self.name)


def hosts() -> tuple[Host, ...]:
    """Every host, parents first."""
    found = [
        Host(GATEWAY, ANCHORS[0], "gateway"),
        Host(SERVER, ANCHORS[1], "server", GATEWAY),
    ]
    found.append(Host(CORE, "10.77.0.10", "core", GATEWAY))
    for number, pop in enumerate(POPS):
        found.append(Host(pop, f"10.77.0.{11 + number}", "pop", CORE))
    names = sorted(path.stem for path in SHIPPED.glob("sites/*.toml"))
    site = 0
    for pop, count in POPS.items():
        for number in range(count):
            site += number % 2 == 0
            link = "cadangan" if number % 2 else "utama"
            address = f"10.77.{site}.{1 + number % 2}"
            found.append(Host(f"{names[site - 1]}/{link}", address, "link", pop))
    return tuple(found)


def links_of(pop: str) -> list[str]:
    """The links behind a PoP, by name."""
    return [host.name for host in hosts() if host.role == "link" and host.parent == pop]


def write_pantau_config(folder: Path, alerts: str) -> Path:
    """A configuration of pantau for this network; its data are in `folder/data`."""
    config = folder / "config"
    (config / "sites").mkdir(parents=True)
    (folder / "data").mkdir()
    monitor = (SHIPPED / "monitor.toml").read_text("utf-8")
    text = re.sub(r"(?m)^data_dir\s*=.*$", 'data_dir = "../data"', monitor, count=1)
    (config / "monitor.toml").write_text(text, "utf-8")
    (config / "maintenance.toml").write_text("", "utf-8")
    (config / "alerts.toml").write_text(alerts, "utf-8")
    network = [f"anchors = {ANCHORS}"]
    sites: dict[str, list[str]] = {}
    for host in hosts():
        if host.role in ("core", "pop"):
            network.append(f'[[nodes]]\nid = "{host.name}"\nname = "{host.name}"')
            network.append(f'address = "{host.address}"')
            if host.role == "pop":
                network.append(f'parent = "{host.parent}"')
        elif host.role == "link":
            site, link = host.name.split("/")
            sites.setdefault(site, []).append(
                f'[[links]]\nid = "{link}"\naddress = "{host.address}"\nkind = "fibre"\n'
                f'provider = "Penyedia"\nvia = "{host.parent}"\ncapacity_mbps = 100\n'
            )
    (config / "network.toml").write_text("\n".join(network) + "\n", "utf-8")
    shipped = [tomllib.loads(path.read_text("utf-8")) for path in SHIPPED.glob("sites/*.toml")]
    codes = {site["id"]: (site["name"], site["code"]) for site in shipped}
    for site, links in sites.items():
        name, code = codes[site]
        head = f'id = "{site}"\nname = "{name}"\ncode = "{code}"\n'
        (config / "sites" / f"{site}.toml").write_text(head + "\n".join(links), "utf-8")
    return config
