"""What is wrong in a file is said with its line, the value found, and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.settings.config_fixtures import (
    ANJATAN,
    MONITOR,
    NETWORK,
    load_config,
    only_problem,
    short_text,
    write_config,
)

SNMP = '[snmp]\ncredential = "ro"\n'


def _of_site(tmp_path: Path, text: str) -> str:
    return only_problem(
        load_config(
            write_config(tmp_path, sites={"anjatan": text}), {"PANTAU_SECRET_RO": "x"}
        ).errors
    )


@pytest.mark.parametrize(
    ("spoilt", "says"),
    [
        (
            ANJATAN.replace('"fibre"', '"fiber"'),
            'anjatan.toml:7: link "utama": kind = "fiber" is not one of those allowed: did you '
            'mean "fibre"? — write "fibre", "radio", "lte" or "vsat", in quotes, for example '
            'kind = "fibre"',
        ),
        (
            ANJATAN.replace('"10.77.23.1"', '"gateway"'),
            'anjatan.toml:6: link "utama": address = "gateway" is not an IPv4 or IPv6 address — '
            'write the IP address to ping, in quotes, for example address = "10.77.23.1"',
        ),
        (
            ANJATAN.replace('"10.77.23.1"', '"224.0.0.1"'),
            'anjatan.toml:6: link "utama": address = "224.0.0.1" is not the address of one machine',
        ),
        (
            ANJATAN.replace('"10.77.23.1"', '"10.77.23.01"'),
            'anjatan.toml:6: link "utama": address = "10.77.23.01" is not an IPv4 or IPv6 address',
        ),
        (
            ANJATAN.replace("address", "addres"),
            'anjatan.toml:6: link "utama": the key addres is not known — did you mean address?',
        ),
        (
            ANJATAN + "Provider = 'x'\n",
            'anjatan.toml:9: link "utama": the key Provider is not known — did you mean provider?',
        ),
        (
            ANJATAN + "parent = 'x'\n",
            'anjatan.toml:9: link "utama": the key parent is not known — did you mean via?',
        ),
        (
            ANJATAN + "warna = 'x'\n",
            'anjatan.toml:9: link "utama": the key warna is not known — the nearest key that may '
            "stand here is contact, all of them are interval_s, ",
        ),
        (
            ANJATAN + "lat = -6.3\n",
            'anjatan.toml:9: link "utama": the key lat is not known — it belongs under the top of '
            "the file: move it there, or remove it; the nearest key that may stand here is ",
        ),
        (
            ANJATAN + SNMP + 'community = "hunter2"\n',
            "anjatan.toml:11: [snmp] the key community is not known — a secret never stands in "
            "these files: put it into secrets/<name> (mode 0600) and write that name; ",
        ),
        (
            ANJATAN.replace('id = "utama"\n', ""),
            "anjatan.toml:4: link number 1: the key id is missing — add a short name of small "
            'letters, digits and -, for example id = "utama"',
        ),
        (
            ANJATAN.replace('code = "32.12.23"\n', ""),
            "anjatan.toml:1: the key code is missing — add the kecamatan's Kemendagri code, in "
            'quotes, for example code = "32.12.23"',
        ),
        (
            ANJATAN.replace('"32.12.23"', "32.12"),
            "anjatan.toml:3: code = 32.12 is not a text in quotes — write the kecamatan's",
        ),
        (
            ANJATAN.replace('"Anjatan"', '"  "'),
            'anjatan.toml:2: name = "  " is empty — write the kecamatan\'s name, in quotes',
        ),
        (
            ANJATAN.replace('"Anjatan"', '"""Anjatan\n"""'),
            'anjatan.toml:2: name = "Anjatan\\n" holds a line end or another character',
        ),
        (
            ANJATAN.replace('"anjatan"', '"Anjatan Kota"'),
            'anjatan.toml:1: id = "Anjatan Kota" may hold only a-z, 0-9 and single - or _ between',
        ),
        (
            ANJATAN + 'capacity_mbps = "100"\n',
            'anjatan.toml:9: link "utama": capacity_mbps = "100" is not a number — write the '
            "capacity in Mbit/s, for example capacity_mbps = 100",
        ),
        (
            ANJATAN + "rise = 2.5\n",
            'anjatan.toml:9: link "utama": rise = 2.5 is not a whole number — write the number of',
        ),
        (
            ANJATAN + "rise = true\n",
            'anjatan.toml:9: link "utama": rise = true is not a whole number',
        ),
        (
            ANJATAN + "loss_pct = 101\n",
            'anjatan.toml:9: link "utama": loss_pct = 101 is too large: the most is 100 — write '
            "the loss in percent above which a link is degraded, for example loss_pct = 5",
        ),
        (
            ANJATAN + "loss_pct = -1\n",
            'anjatan.toml:9: link "utama": loss_pct = -1 is too small: the least is 0 — ',
        ),
        (
            ANJATAN + "interval_s = 0\n",
            'anjatan.toml:9: link "utama": interval_s = 0 is too small: it must be more than 0 — '
            "write the seconds between two requests, for example interval_s = 1.0",
        ),
        (
            ANJATAN + "timeout_s = inf\n",
            'anjatan.toml:9: link "utama": timeout_s = inf is not a number to count with',
        ),
        (
            ANJATAN.replace('via = "pop-patrol"', 'via = [\n"inti",\n7,\n]'),
            'anjatan.toml:10: link "utama": via = 7 is not a text in quotes — write the id of a',
        ),
        (
            ANJATAN.replace("[[links]]", "[links]"),
            "anjatan.toml:4: links is not a list — write each link under a header of its own: "
            "[[links]]",
        ),
        (
            ANJATAN + SNMP + "version = 2\n",
            'anjatan.toml:11: [snmp] version = 2 is not one of those allowed: did you mean "2c"?',
        ),
        (
            ANJATAN + "[snmp]\n",
            "anjatan.toml:9: [snmp] the key credential is missing — add the name of a secret, "
            'never the secret itself, for example credential = "router-ro"',
        ),
        (
            ANJATAN + SNMP + "port = 70000\n",
            "anjatan.toml:11: [snmp] port = 70000 is too large: the most is 65535",
        ),
        (
            ANJATAN + SNMP + "[[snmp.interfaces]]\n",
            "anjatan.toml:11: interface number 1: the key name is missing — add the port's name as "
            'the router calls it (ifName), for example name = "ether1"',
        ),
        (
            'snmp = "ro"\n' + ANJATAN,
            'anjatan.toml:1: snmp = "ro" is not a table — write it as a table: a line [snmp]',
        ),
        (
            "lat = 107.96\nlon = -6.35\n" + ANJATAN,
            "anjatan.toml:1: lat = 107.96 is too large: the most is 90 — write the latitude",
        ),
    ],
)
def test_a_spoilt_site_file_is_explained(tmp_path: Path, spoilt: str, says: str) -> None:
    assert _of_site(tmp_path, spoilt).startswith(says)


@pytest.mark.parametrize(
    ("spoilt", "says"),
    [
        (
            MONITOR.replace("[monitor]", "[monitr]"),
            ["monitor.toml:1: the key monitr is not known — did you mean [monitor]?"],
        ),
        (
            "[ping]\n",
            [
                "monitor.toml:1: the table [monitor] is missing — add [monitor] with "
                "organisation, timezone, data_dir",
            ],
        ),
        (
            MONITOR.replace("Asia/Jakarta", "Asia/Jakata"),
            ['monitor.toml:3: [monitor] timezone = "Asia/Jakata" is not a time zone, did you mean'],
        ),
        (
            MONITOR + "[storge]\n[[sla.provider]]\n",
            [
                "monitor.toml:5: the key storge is not known — did you mean [storage]?",
                "monitor.toml:6: [sla] the key provider is not known — did you mean "
                "[[sla.providers]]?",
            ],
        ),
        (
            MONITOR + "interval_s = 2\n",
            ["monitor.toml:5: [monitor] the key interval_s is not known — it belongs under [ping]"],
        ),
        (
            MONITOR + "[ping.kinds.fiber]\nrtt_ms = 1\n",
            [
                "monitor.toml:5: [ping.kinds] the key fiber is not known — did you mean "
                "[ping.kinds.fibre]?",
            ],
        ),
        (
            MONITOR + "[ping.kinds.vsat]\nrttms = 1\n",
            ["monitor.toml:6: [ping.kinds.vsat] the key rttms is not known — did you mean rtt_ms?"],
        ),
        (
            MONITOR + '[storage.influxdb]\nurl = "ftp://x"\n',
            [
                "monitor.toml:6: [storage.influxdb] the value of url (not shown here) is not an "
                "address that begins with http:// or https:// — write the server's address, "
                'for example url = "http://127.0.0.1:8086"'
            ],
        ),
        (
            MONITOR + '[storage.influxdb]\nurl = "http://me:hunter2@x"\nbucket = "a/b"\n',
            [
                "monitor.toml:6: [storage.influxdb] the value of url (not shown here) holds a user",
                'monitor.toml:7: [storage.influxdb] bucket = "a/b" may hold only letters',
            ],
        ),
        (
            MONITOR + '[storage.influxdb]\nurl = "http://me@x"\n',
            ["monitor.toml:6: [storage.influxdb] the value of url (not shown here) holds a user"],
        ),
        (
            MONITOR + '[storage.influxdb]\nurl = "http://x"\nverify_tls = "no"\n',
            ['monitor.toml:7: [storage.influxdb] verify_tls = "no" is neither true nor false'],
        ),
        (
            MONITOR + "[storage.journal]\nraw_days = 0\n",
            ["monitor.toml:6: [storage.journal] raw_days = 0 is too small: the least is 1"],
        ),
        (
            MONITOR + "[dashboard]\nport = 0\nprefix = '/a b/'\n",
            [
                "monitor.toml:6: [dashboard] port = 0 is too small: the least is 1",
                'monitor.toml:7: [dashboard] prefix = "/a b/" is not a path of a web address',
            ],
        ),
    ],
)
def test_a_spoilt_monitor_toml_is_explained(tmp_path: Path, spoilt: str, says: list[str]) -> None:
    errors = load_config(write_config(tmp_path, monitor=spoilt)).errors
    assert len(errors) == len(says), [short_text(error) for error in errors]
    for error, start in zip(errors, says, strict=True):
        assert short_text(error).startswith(start)


@pytest.mark.parametrize(
    ("spoilt", "says"),
    [
        (
            NETWORK.replace('["10.77.0.1"]', '"10.77.0.1"'),
            'network.toml:1: anchors = "10.77.0.1" is not a list — write a list of IP addresses, '
            'in quotes, for example anchors = ["10.77.0.1", "10.77.0.2"]',
        ),
        (
            NETWORK.replace('["10.77.0.1"]', '["10.77.0.1", "router"]'),
            'network.toml:1: anchors = "router" is not an IPv4 or IPv6 address',
        ),
        (
            NETWORK + "[[nodes]]\nid = 'x'\n",
            'network.toml:10: node "x": the key address is missing',
        ),
    ],
)
def test_a_spoilt_network_toml_is_explained(tmp_path: Path, spoilt: str, says: str) -> None:
    assert only_problem(load_config(write_config(tmp_path, network=spoilt)).errors).startswith(says)


def test_an_unknown_table_of_alerts_toml_names_the_nearest_known_one(tmp_path: Path) -> None:
    problem = only_problem(load_config(write_config(tmp_path, alerts="[heartbeet]\n")).errors)
    assert problem == "alerts.toml:1: the key heartbeet is not known — did you mean [heartbeat]?"


@pytest.mark.parametrize(
    "token",
    [
        "bXktc2VjcmV0LXRva2VuLW9mLWluZmx1eGRiLTIteC0wMTIzNDU2Nzg5YWJjZGVmZ2hpamtsbW5vcA==",
        "apiv3_Xq3kJ0v8Lw2mZr5tYb7nCd9fGh1jKs4pUx6aEo",
        "user:password",
    ],
)
def test_a_real_token_in_the_file_is_an_error_that_does_not_repeat_it(
    tmp_path: Path, token: str
) -> None:
    section = f'[storage.influxdb]\nurl = "http://x"\ntoken = "{token}"\n'
    problem = only_problem(load_config(write_config(tmp_path, monitor=MONITOR + section)).errors)
    assert problem.startswith("monitor.toml:7: [storage.influxdb] the value of token (not shown")
    assert "write the name of a secret, never the token itself" in problem
    assert token not in problem
