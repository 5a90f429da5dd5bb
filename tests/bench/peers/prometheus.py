"""Prometheus 2.42, blackbox_exporter 0.23 and Alertmanager 0.25: scraped every 5 s.

As an experienced admin would write it: `probe_success == 0` `for: 1m` ("for" is what the manual
offers against blips; its own example says 5m), evaluated every 5 s; alerts of a link are
inhibited by its PoP's, all by the core's and the gateway's. Alertmanager's timers are those of
its example file: `group_wait` 30s, `group_interval` 5m; grouped by alert and host, so that a
second link does not wait five minutes for the group of the first. `seen`: pending; `known`:
firing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.bench.peers.bench_network import hosts

PACKAGES = ("prometheus", "prometheus-blackbox-exporter", "prometheus-alertmanager")
PORT, BLACKBOX_PORT, ALERTMANAGER_PORT = 19090, 19115, 19093
BLACKBOX = {"modules": {"icmp": {"prober": "icmp", "timeout": "2s"}}}
ALERTS = {
    "gateway": "GatewayDown",
    "server": "ServerDown",
    "core": "CoreDown",
    "pop": "PopDown",
    "link": "LinkDown",
}


def write_config(folder: Path, webhook: str) -> None:
    """JSON is YAML."""
    targets = [
        {
            "targets": [host.address],
            "labels": {
                "host": host.name,
                "role": host.role,
                "pop": (host.parent if host.role == "link" else host.name) or "",
            },
        }
        for host in hosts()
    ]
    relabel = [
        {"source_labels": ["__address__"], "target_label": "__param_target"},
        {"target_label": "__address__", "replacement": f"127.0.0.1:{BLACKBOX_PORT}"},
    ]
    scrape = {
        "job_name": "ping",
        "metrics_path": "/probe",
        "params": {"module": ["icmp"]},
        "static_configs": targets,
        "relabel_configs": relabel,
    }
    managers = [{"static_configs": [{"targets": [f"127.0.0.1:{ALERTMANAGER_PORT}"]}]}]
    main = {
        "global": {
            "scrape_interval": "5s",
            "scrape_timeout": "4s",
            "evaluation_interval": "5s",
        },
        "rule_files": [str(folder / "rules.yml")],
        "scrape_configs": [scrape],
        "alerting": {"alertmanagers": managers},
    }
    rules = [
        {"alert": alert, "expr": f'probe_success{{role="{role}"}} == 0', "for": "1m"}
        for role, alert in ALERTS.items()
    ]
    manager = {
        "route": {
            "receiver": "hook",
            "group_by": ["alertname", "host"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "3h",
        },
        "receivers": [
            {"name": "hook", "webhook_configs": [{"url": webhook, "send_resolved": True}]}
        ],
        "inhibit_rules": [
            _inhibit("GatewayDown", "ServerDown|CoreDown|PopDown|LinkDown"),
            _inhibit("CoreDown", "PopDown|LinkDown"),
            {**_inhibit("PopDown", "LinkDown"), "equal": ["pop"]},
        ],
    }
    files = {
        "prometheus.yml": main,
        "rules.yml": {"groups": [{"name": "ping", "rules": rules}]},
        "alertmanager.yml": manager,
        "blackbox.yml": BLACKBOX,
    }
    for name, document in files.items():
        (folder / name).write_text(json.dumps(document, indent=1), "utf-8")


def _inhibit(source: str, target: str) -> dict[str, object]:
    return {
        "source_matchers": [f'alertname="{source}"'],
        "target_matchers": [f'alertname=~"{target}"'],
    }


def commands(folder: Path) -> Mapping[str, list[str]]:
    return {
        "blackbox": [
            "prometheus-blackbox-exporter",
            f"--config.file={folder}/blackbox.yml",
            f"--web.listen-address=127.0.0.1:{BLACKBOX_PORT}",
        ],
        "prometheus": [
            "prometheus",
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/tsdb",
            f"--web.listen-address=127.0.0.1:{PORT}",
        ],
        "alertmanager": [
            "prometheus-alertmanager",
            f"--config.file={folder}/alertmanager.yml",
            f"--storage.path={folder}/alertmanager",
            f"--web.listen-address=127.0.0.1:{ALERTMANAGER_PORT}",
            "--cluster.listen-address=",
        ],
    }
