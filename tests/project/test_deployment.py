"""Units, containers and the nginx site name what exists, and the real tools accept them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from monitor.cli.main import COMMANDS, pantau
from monitor.settings import load
from monitor.settings.secrets import SecretStore
from tests.influx_server import free_ports
from tests.project.files import PACKAGES, ROOT, repository_files
from tests.waiting import eventually

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


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
def test_a_unit_starts_a_command_that_exists(path: Path) -> None:
    program, *words = unit(path.name)["ExecStart"].split()
    assert program == "/opt/pantau/.venv/bin/pantau"
    check_command(words)


def verify(path: Path, into: Path, *changes: tuple[str, str]) -> str:
    """What systemd says of a unit, with its program put where there is one."""
    assert shutil.which("systemd-analyze"), "systemd-analyze is missing: apt-get install systemd"
    text = path.read_text("utf-8").replace("/opt/pantau/.venv/bin/pantau", "/bin/true")
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
def test_systemd_finds_nothing_wrong_with_a_unit(path: Path, tmp_path: Path) -> None:
    assert verify(path, tmp_path) == ""


def test_systemd_sees_a_misspelt_line_in_a_unit(tmp_path: Path) -> None:
    said = verify(UNITS[0], tmp_path, ("NoNewPrivileges=", "NoNewPrivilege="))
    assert "NoNewPrivilege" in said


def test_systemd_waits_for_the_daemon_and_for_its_signs_of_life() -> None:
    daemon = unit("pantau.service")
    assert (daemon["Type"], daemon["NotifyAccess"]) == ("notify", "main")
    # Thrice in that time a sign comes; a ledger may take 5 s to answer.
    assert int(daemon["WatchdogSec"]) >= 30
    assert "AF_UNIX" in daemon["RestrictAddressFamilies"].split()


def test_the_daemon_may_ping_and_nothing_more() -> None:
    daemon, page = unit("pantau.service"), unit("pantau-dashboard.service")
    assert daemon["AmbientCapabilities"] == daemon["CapabilityBoundingSet"] == "CAP_NET_RAW"
    assert page["CapabilityBoundingSet"] == ""
    assert "AmbientCapabilities" not in page


def test_the_daemon_may_ask_whether_the_clock_is_synchronised() -> None:
    """A call that is not in the list kills the process; ProtectClock=yes forbids this one."""
    daemon = unit("pantau.service")
    assert {"adjtimex", "clock_adjtime"} <= set(daemon["SystemCallFilter"].split())
    assert daemon["ProtectClock"] == "no"
    assert "CAP_SYS_TIME" not in daemon["CapabilityBoundingSet"]


def test_the_page_is_another_user_of_the_group_that_may_write_the_data() -> None:
    """A reader of a live SQLite log needs write access to its -shm."""
    daemon, page = unit("pantau.service"), unit("pantau-dashboard.service")
    assert daemon["User"] != page["User"]
    assert daemon["Group"] == page["Group"]
    assert daemon["UMask"] == page["UMask"] == "0007"
    data = f"/var/lib/{daemon['StateDirectory']}"
    assert daemon["StateDirectoryMode"] == "2770"
    assert page["ReadWritePaths"].lstrip("-") == data
    settings = load(ROOT / "config", {}).settings
    assert settings is not None
    assert str(settings.data_dir) == data


def test_the_daemon_is_given_every_secret_whatever_the_configuration_names(tmp_path: Path) -> None:
    """systemd calls the files of a folder `<id>_<file>`; that is where they are looked for."""
    given, where = unit("pantau.service")["LoadCredential"].split(":")
    assert where == "/etc/pantau/secrets"
    store = SecretStore(tmp_path / "etc", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    for name in (*credentials(), "telegram-noc"):
        (tmp_path / f"{given}_{name}").write_text("x")
        assert store.get(name).reveal() == "x"


def test_the_page_is_given_no_secret() -> None:
    assert "LoadCredential" not in unit("pantau-dashboard.service")


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))


def test_the_containers_run_commands_that_exist(compose: Any) -> None:
    services = compose["services"]
    assert set(services) == {"daemon", "dashboard"}
    for service in services.values():
        program, *words = service["command"]
        assert program == "pantau"
        check_command(words)
        assert (ROOT / "deploy" / service["build"]["context"]).resolve() == ROOT
        assert (ROOT / service["build"]["dockerfile"]).is_file()
    check_command(services["daemon"]["healthcheck"]["test"][2:])


def test_the_containers_are_given_what_they_need_and_no_more(compose: Any) -> None:
    services = compose["services"]
    assert services["daemon"]["cap_add"] == ["NET_RAW"]
    assert "cap_add" not in services["dashboard"]
    for service in services.values():
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
        assert set(service["secrets"]) == credentials()
    assert set(compose["secrets"]) == credentials()


def test_the_image_is_built_from_files_that_exist() -> None:
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


def test_the_package_holds_every_file_of_the_program(tmp_path: Path) -> None:
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


class Page(BaseHTTPRequestHandler):
    """Stands where the page stands, and answers with what it was asked."""

    def do_GET(self) -> None:
        told = f"{self.path} {self.headers['Host']} {self.headers['X-Forwarded-Proto']}"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(told.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def front(tmp_path: Path) -> Iterator[int]:
    """The port of a real nginx with the shipped site; only its two addresses are exchanged."""
    assert shutil.which("nginx"), "nginx is missing: apt-get install nginx-light"
    page = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    serving = threading.Thread(target=page.serve_forever)
    serving.start()
    (port,) = free_ports(1)
    site = (DEPLOY / "nginx-pantau.conf").read_text("utf-8")
    for address, instead in (
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("127.0.0.1:8050", f"127.0.0.1:{page.server_port}"),
    ):
        assert site.count(address) == 1
        site = site.replace(address, instead)
    (tmp_path / "site.conf").write_text(site, "utf-8")
    folders = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {tmp_path}/pid; error_log {tmp_path}/errors;"
        f"events {{}} http {{ access_log off; {folders} include {tmp_path}/site.conf; }}",
        "utf-8",
    )
    nginx = subprocess.Popen(
        ["nginx", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")],
        stderr=subprocess.DEVNULL,
    )
    try:
        yield port
    finally:
        nginx.kill()
        nginx.wait()
        page.shutdown()
        serving.join()
        page.server_close()


def test_nginx_passes_the_page_on(front: int) -> None:
    def answer() -> str:
        connection = HTTPConnection("127.0.0.1", front, timeout=5)
        try:
            connection.request("GET", "/situs/anjatan?r=24j", headers={"Host": "pantau.example"})
            return connection.getresponse().read().decode()
        except ConnectionError:
            return ""
        finally:
            connection.close()

    assert eventually(answer) == "/situs/anjatan?r=24j pantau.example http"


def test_the_port_behind_nginx_is_the_port_of_the_page() -> None:
    settings = load(ROOT / "config", {}).settings
    assert settings is not None
    site = (DEPLOY / "nginx-pantau.conf").read_text("utf-8")
    (address,) = re.findall(r"proxy_pass http://([^;]+);", site)
    assert address == f"{settings.dashboard.host}:{settings.dashboard.port}"
