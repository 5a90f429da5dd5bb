"""systemd units, containers and the nginx site: consistent, and accepted by the real tools."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from monitor.cli.main import COMMANDS, pantau
from monitor.settings import load
from monitor.settings.secrets import SecretStore
from tests.project.files import PACKAGES, ROOT, repository_files

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


NETWORK = ("PrivateNetwork", "IPAddressDeny", "RootDirectory", "AF_UNIX")
REMAINING = {
    "pantau.service": (*NETWORK, "CAP_NET_RAW", "PrivateUsers", "AF_NETLINK", "DeviceAllow"),
    "pantau-dashboard.service": (*NETWORK, "DeviceAllow"),
    "pantau-tls.service": ("User", "PrivateUsers", "AF_UNIX", "RootDirectory", "DeviceAllow"),
}
"""What `systemd-analyze security` still names, and each unit gives a reason for."""


def unit(name: str) -> dict[str, str]:
    """The settings of a unit by their names, which differ between its sections."""
    lines = (DEPLOY / "systemd" / name).read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and line[0] not in "#[")


def credentials() -> set[str]:
    """The secrets that the shipped configuration names."""
    settings = load(ROOT / "config", {}).settings
    assert settings is not None
    return {device.credential for device in settings.network.devices}


def check_command(words: list[str]) -> None:
    """The words after `pantau` are a command of it with options that it has."""
    name, *options = words
    assert name in COMMANDS
    command = pantau.get_command(click.Context(pantau), name)
    assert command is not None
    known = {word for parameter in command.params for word in parameter.opts}
    assert {word for word in options if word.startswith("--")} <= known


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_each_systemd_unit_starts_an_existing_command(path: Path) -> None:
    program, *words = unit(path.name)["ExecStart"].split()
    if program.startswith("/opt/pantau/deploy/"):
        assert (DEPLOY / Path(program).name).is_file()
        return
    assert program == "/opt/pantau/.venv/bin/pantau"
    check_command(words)


def verify(path: Path, into: Path, *changes: tuple[str, str]) -> str:
    """Output of systemd-analyze for a unit, with an existing program."""
    assert shutil.which("systemd-analyze"), "systemd-analyze is missing: apt-get install systemd"
    text = path.read_text("utf-8").replace("/opt/pantau/.venv/bin/pantau", "/bin/true")
    text = text.replace("/opt/pantau/deploy/tls", "/bin/true")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    copy = into / path.name
    copy.write_text(text, "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )
    about = [line for line in (done.stdout + done.stderr).splitlines() if copy.name in line]
    return "\n".join(about)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_accepts_each_unit(path: Path, tmp_path: Path) -> None:
    assert verify(path, tmp_path) == ""


def test_systemd_reports_a_misspelt_setting(tmp_path: Path) -> None:
    said = verify(UNITS[0], tmp_path, ("NoNewPrivileges=", "NoNewPrivilege="))
    assert "NoNewPrivilege" in said


def test_a_reload_of_the_page_waits_until_it_has_started() -> None:
    """Before it handles SIGHUP, the signal would end it, and systemd calls that a clean end."""
    page = unit("pantau-dashboard.service")
    assert (page["Type"], page["NotifyAccess"]) == ("notify", "main")


def test_the_daemon_unit_uses_notify_and_watchdog() -> None:
    daemon = unit("pantau.service")
    assert (daemon["Type"], daemon["NotifyAccess"]) == ("notify", "main")
    # The watchdog is notified three times in that period; the ledger may block for 5 s.
    assert int(daemon["WatchdogSec"]) >= 30
    assert "AF_UNIX" in daemon["RestrictAddressFamilies"].split()


def test_the_daemon_may_open_raw_sockets_and_nothing_more() -> None:
    daemon, page = unit("pantau.service"), unit("pantau-dashboard.service")
    assert daemon["AmbientCapabilities"] == daemon["CapabilityBoundingSet"] == "CAP_NET_RAW"
    assert page["CapabilityBoundingSet"] == ""
    assert "AmbientCapabilities" not in page


def test_the_daemon_may_read_whether_the_clock_is_synchronised(tmp_path: Path) -> None:
    """By the file of systemd-timesyncd, and with chrony or ntpd from the kernel."""
    assert unit("pantau.service")["ProtectClock"] == "yes"
    drop_in = (DEPLOY / "systemd" / "clock.conf").read_text("utf-8")
    text = (DEPLOY / "systemd" / "pantau.service").read_text("utf-8")
    with_chrony = tmp_path / "pantau.service"
    with_chrony.write_text(f"{text}\n{drop_in}", "utf-8")
    assert "adjtimex" in allowed_calls(drop_in)
    assert exposure(with_chrony) <= 2.0


def allowed_calls(text: str) -> str:
    (line,) = re.findall(r"^SystemCallFilter=(.*)$", text, re.MULTILINE)
    return str(line)


def exposure(path: Path) -> float:
    """What `systemd-analyze security` says of a unit: 0 is best."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    (found,) = re.findall(r"Overall exposure level for .*: ([0-9.]+)", done.stdout)
    return float(found)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_each_unit_is_confined_and_says_what_remains(path: Path) -> None:
    text = path.read_text("utf-8")
    (said,) = re.findall(r"menilai unit ini ([0-9],[0-9])", text)
    assert exposure(path) <= min(1.6, float(said.replace(",", ".")))
    for key in REMAINING[path.name]:
        assert re.search(rf"^#   .*{key}", text, re.MULTILINE), f"{key} has no reason"


def test_the_dashboard_runs_as_another_user_who_may_write_nothing() -> None:
    daemon, page = unit("pantau.service"), unit("pantau-dashboard.service")
    assert daemon["User"] != page["User"]
    assert "Group" not in page, "its own group first, then those that deploy/install gave it"
    assert (daemon["UMask"], page["UMask"]) == ("0077", "0077")
    assert daemon["StateDirectoryMode"] == "0750"
    assert not {"ReadWritePaths", "StateDirectory"} & set(page)
    assert page["ProtectSystem"] == "strict"
    settings = load(ROOT / "config", {}).settings
    assert settings is not None
    assert str(settings.data_dir) == f"/var/lib/{daemon['StateDirectory']}"
    assert settings.dashboard.user == page["User"]


def test_the_daemon_unit_loads_every_secret(tmp_path: Path) -> None:
    """systemd calls the files of a folder `<id>_<file>`; that is where they are looked for."""
    given, where = unit("pantau.service")["LoadCredential"].split(":")
    assert where == "/etc/pantau/secrets"
    store = SecretStore(tmp_path / "etc", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    for name in (*credentials(), "telegram-noc"):
        (tmp_path / f"{given}_{name}").write_text("x")
        assert store.get(name).reveal() == "x"


def test_the_dashboard_unit_loads_no_secret() -> None:
    assert "LoadCredential" not in unit("pantau-dashboard.service")


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))


def own_services(compose: Any) -> dict[str, Any]:
    """Those that run our program; the others come with a profile."""
    services: dict[str, Any] = compose["services"]
    found = {name: each for name, each in services.items() if "profiles" not in each}
    assert set(found) == {"daemon", "dashboard"}
    return found


def test_the_containers_run_existing_commands(compose: Any) -> None:
    services = own_services(compose)
    for service in services.values():
        program, *words = service["command"]
        assert program == "pantau"
        check_command(words)
        assert (ROOT / "deploy" / service["build"]["context"]).resolve() == ROOT
        assert (ROOT / service["build"]["dockerfile"]).is_file()
    check_command(services["daemon"]["healthcheck"]["test"][2:])


def test_no_container_is_root_or_has_any_capability(compose: Any) -> None:
    services = own_services(compose)
    image = (DEPLOY / "Containerfile").read_text("utf-8")
    for service in services.values():
        assert service["cap_drop"] == ["ALL"]
        assert "cap_add" not in service
        assert "privileged" not in service
        assert service["read_only"] is True
        assert service["security_opt"] == ["no-new-privileges:true"]
        uid, gid = service["user"].split(":")
        assert f"useradd --uid {uid} --gid {gid}" in image
    assert services["daemon"]["user"] != services["dashboard"]["user"]
    assert re.findall(r"^USER (.*)$", image, re.MULTILINE) == [services["daemon"]["user"]]


def test_the_container_of_the_page_sees_no_secret_and_writes_nothing(compose: Any) -> None:
    daemon, page = compose["services"]["daemon"], compose["services"]["dashboard"]
    assert set(daemon["secrets"]) == credentials()
    assert set(compose["secrets"]) == credentials() | {"influxdb-admin"}
    assert "secrets" not in page
    assert "/etc/pantau/secrets" in page["tmpfs"], "hides those of the mounted configuration"
    assert all(volume.endswith(":ro") for volume in page["volumes"])
    assert page["group_add"] == [daemon["user"].split(":")[1]]


def test_the_profiles_of_influxdb_and_grafana_name_existing_files_and_listen_here_only(
    compose: Any,
) -> None:
    influxdb, grafana = (compose["services"][name] for name in ("influxdb", "grafana"))
    assert (influxdb["profiles"], grafana["profiles"]) == (["influxdb", "grafana"], ["grafana"])
    assert influxdb["ports"] == ["127.0.0.1:8086:8086"]
    assert grafana["environment"]["GF_SERVER_HTTP_ADDR"] == "127.0.0.1"
    for volume in (*influxdb["volumes"], *grafana["volumes"]):
        source = volume.partition(":")[0]
        if source.startswith("./"):
            assert (DEPLOY / source).is_file(), source
        elif not source.startswith("../config"):
            assert source in compose["volumes"]
    text = (DEPLOY / "grafana" / "datasources.yaml").read_text("utf-8")
    sources = yaml.safe_load(text)["datasources"]
    assert [each["jsonData"]["dbName"] for each in sources] == ["pantau", "pantau_1m", "pantau_1h"]


INFLUX = """#!/bin/sh
echo "$*" >>"$(dirname "$0")/calls"
case "$*" in
    "bucket list"*) echo "id-of-$6	pantau	720h" ;;
    "auth create"*) printf '{\\n\\t"id": "1",\\n\\t"token": "t0ken-%s=="\\n}\\n' "$#" ;;
esac
"""


def test_the_containers_init_script_gives_tokens_with_the_least_rights(tmp_path: Path) -> None:
    """The documented command line of `influx` 2.7, recorded: no container engine is at hand."""
    program = tmp_path / "influx"
    program.write_text(INFLUX)
    program.chmod(0o755)
    (tmp_path / "secrets").mkdir()
    subprocess.run(
        ["sh", str(DEPLOY / "influxdb-init.sh")],
        check=True,
        capture_output=True,
        env={
            "PATH": f"{tmp_path}:/usr/bin:/bin",
            "DOCKER_INFLUXDB_INIT_ORG": "diskominfo",
            "DOCKER_INFLUXDB_INIT_BUCKET": "pantau",
            "PANTAU_SECRETS": str(tmp_path / "secrets"),
        },
    )
    calls = (tmp_path / "calls").read_text().splitlines()
    created = [line for line in calls if line.startswith("bucket create")]
    assert [line.split("--name ")[1] for line in created] == [
        "pantau_1m --retention 180d --shard-group-duration 7d",
        "pantau_1h --retention 1826d --shard-group-duration 90d",
    ]
    daemon, grafana = (line for line in calls if line.startswith("auth create"))
    assert daemon.count("--write-bucket") == daemon.count("--read-bucket") == 3
    assert (grafana.count("--write-bucket"), grafana.count("--read-bucket")) == (0, 3)
    secret, environment = tmp_path / "secrets" / "influxdb", tmp_path / "secrets" / "grafana.env"
    assert secret.read_text().startswith("t0ken-")
    assert environment.read_text().startswith("INFLUXDB_TOKEN=t0ken-")
    assert {each.stat().st_mode & 0o777 for each in (secret, environment)} == {0o600}


def test_the_image_copies_existing_files() -> None:
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    copied = [
        source
        for line in text.splitlines()
        if line.startswith("COPY")
        for source in line.split()[1:-1]
    ]
    assert copied
    for source in copied:
        assert (ROOT / source).exists(), source
    assert "--require-hashes" in text


def test_the_wheel_contains_every_file_of_the_packages(tmp_path: Path) -> None:
    """Scenarios, migrations, texts and the page's assets are installed, too; nothing else is."""
    source = tmp_path / "source"
    for path in repository_files():
        name = path.relative_to(ROOT)
        if name.parts[0] in PACKAGES or name.name in {"pyproject.toml", "README.md"}:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, source / name)
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"),
            *("--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir"),
            *(str(tmp_path), str(source)),
        ],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("pantau-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        installed = {name for name in packed.namelist() if ".dist-info/" not in name}
    ours = {
        path.relative_to(source).as_posix()
        for package in PACKAGES
        for path in (source / package).rglob("*")
        if path.is_file()
    }
    assert installed == ours


def test_nginx_uses_the_configured_port_of_the_dashboard() -> None:
    settings = load(ROOT / "config", {}).settings
    assert settings is not None
    site = (DEPLOY / "nginx-pantau.conf").read_text("utf-8")
    (address,) = re.findall(r"proxy_pass http://([^;]+);", site)
    assert address == f"{settings.dashboard.host}:{settings.dashboard.port}"
