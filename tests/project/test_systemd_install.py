"""deploy/install and its units under a real systemd, in namespaces of their own.

The services run with every restriction of their units. The network has no other machine: every
ping fails with ENETUNREACH, which is one incident about the monitor itself.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.project.files import ROOT
from tests.waiting import eventually

pytestmark = [pytest.mark.full, pytest.mark.timeout(600)]

BOOT = Path(__file__).with_name("boot_systemd.sh")
NAMESPACES = ("--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup")
PATHS = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
EARLIER = """
groupadd --system pantau
for user in pantau pantau-web; do useradd --system --gid pantau --no-create-home $user; done
install -d -m 2770 -o pantau -g pantau /var/lib/pantau /var/lib/pantau/journal
cd /var/lib/pantau
head -c 32 /dev/zero | od -An -v -tx1 | tr -d ' \\n' >link.key
cp link.key session.key
echo '{"users": [{"name": "lama", "role": "see", "password": null}], "wall": null}' >users.json
chown pantau:pantau link.key; chmod 0640 link.key
chown pantau-web:pantau session.key; chmod 0600 session.key
chown root:pantau users.json; chmod 0640 users.json
"""
"""What version 0.1.0 left: a directory that the group may write, a key of the page's own."""

WEB = """
import http.client, json, sys, urllib.parse
def ask(method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", 8050, timeout=10)
    connection.request(method, path, body, {"Origin": "http://127.0.0.1:8050", **headers})
    answer = connection.getresponse()
    cookies = answer.headers.get_all("Set-Cookie") or []
    return answer.status, "; ".join(each.partition(";")[0] for each in cookies), answer.read()
"""
SIGN_IN = (
    WEB
    + """
form = urllib.parse.urlencode({"nama": "siti", "sandi": "kuda hijau melompat", "ke": ""})
kind = {"Content-Type": "application/x-www-form-urlencoded"}
status, cookie, _ = ask("POST", "/masuk", form, **kind)
note = ask("POST", "/api/v1/incidents/1/note", json.dumps({"text": "dari halaman"}),
           **{"Cookie": cookie, "Content-Type": "application/json"})
out = ask("POST", "/keluar", "", Cookie=cookie)
print(status, note[0], out[0], ask("GET", "/", Cookie=cookie)[0], cookie, sep="|")
"""
)
LOOK_AGAIN = (
    WEB
    + """
print(ask("GET", "/", Cookie=sys.argv[1])[0])
"""
)


@dataclass
class Machine:
    """pid: of systemd, as this machine counts."""

    pid: int

    def run(self, *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
        enter = ["nsenter", f"--target={self.pid}", *NAMESPACES, "--", "env", "-i", "--chdir=/"]
        environ = [f"PATH={PATHS}", "HOME=/root", "PIP_NO_INDEX=1", "PIP_FIND_LINKS=/wheels"]
        return subprocess.run(
            [*enter, *environ, *words],
            input=text, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip

    def shell(self, script: str) -> str:
        """Output of a script that must succeed."""
        done = self.run("sh", "-ec", script)
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def as_user(self, name: str, script: str, text: str = "") -> str:
        """Output, errors included, of a script that another user of the machine runs."""
        done = self.run("su", name, "-s", "/bin/sh", "-c", f"PATH={PATHS}; {script}", text=text)
        return done.stdout + done.stderr

    def journal(self, unit: str) -> str:
        return self.shell(f"journalctl --no-pager -u {unit}")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    assert os.geteuid() == 0, "only root can boot a systemd here"
    work = tmp_path_factory.mktemp("systemd")
    (work / "boot").mkdir()
    (work / "wheels").mkdir()
    clone = work / "clone"
    names = ("monitor", "dashboard", "deploy", "config", "pyproject.toml", "README.md")
    for name in names:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        clone.mkdir(exist_ok=True)
        copy(ROOT / name, clone / name)
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"),
            *("--requirement", str(ROOT / "deploy" / "requirements.lock")),
            *("--dest", str(work / "wheels")),
        ],
        check=True,
        capture_output=True,
    )
    outer = subprocess.Popen(
        [
            *("unshare", *NAMESPACES, "--fork", "--kill-child", "sh", str(BOOT)),
            *(str(work / "boot"), str(clone), str(work / "wheels")),
        ],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
    try:
        pid = int(eventually(lambda: children.read_text().split())[0])
        found = Machine(pid)
        eventually(
            lambda: (
                found.run("systemctl", "is-system-running").stdout.strip()
                in ("running", "degraded")
            ),
            within_s=60,
        )
        found.shell(EARLIER)
        found.shell("cd /clone && ./deploy/install")
        found.shell("umask 077; echo public >/etc/pantau/secrets/router-ro")
        found.shell("useradd --create-home --groups pantau budi; useradd --create-home orang")
        found.shell("systemctl start pantau pantau-dashboard")
        yield found
    finally:
        os.killpg(outer.pid, signal.SIGKILL)
        outer.wait()


def test_both_services_run_and_are_reloaded_under_their_restrictions(machine: Machine) -> None:
    machine.shell("systemctl reload pantau pantau-dashboard")
    eventually(lambda: "incident 1 opened" in machine.journal("pantau"), within_s=30)
    assert machine.run("systemctl", "is-active", "pantau", "pantau-dashboard").returncode == 0
    assert "probing IPv4 with a raw socket" in machine.journal("pantau")
    for unit in ("pantau", "pantau-dashboard"):
        assert "Traceback" not in machine.journal(unit)
        assert "Permission denied" not in machine.journal(unit)
        assert "not permitted" not in machine.journal(unit)


def test_what_an_earlier_version_left_is_for_the_right_readers(machine: Machine) -> None:
    listed = machine.shell("cd /var/lib/pantau; stat -c '%a %U %G %n' . * journal/*")
    lines = set(listed.splitlines())
    for line in (
        "750 pantau pantau .",
        "640 pantau pantau-web session.key",
        "640 pantau pantau-web link.key",
        "640 pantau pantau-web users.json",
        "640 pantau pantau ledger.db",
        "640 pantau pantau ledger.db-shm",
        "2750 pantau pantau-web page",
        "750 pantau pantau journal",
    ):
        assert line in lines, f"{line}\n{listed}"
    assert "lama" in machine.shell("pantau user list")


def test_a_member_of_the_group_uses_the_commands_under_its_own_name(machine: Machine) -> None:
    added = machine.as_user("budi", "pantau user add adi", "kuda hijau melompat\n")
    assert "Pengguna adi ditambahkan" in added
    assert "adi" in machine.as_user("budi", "pantau user list")
    assert "oleh budi" in machine.as_user("budi", "pantau note 1 --who siti tulis")
    assert "Anjatan" in machine.as_user("budi", "pantau status")
    assert "user adi added as see, by budi" in machine.journal("pantau")


@pytest.mark.parametrize(
    "script",
    [
        "cat /var/lib/pantau/session.key", "cat /var/lib/pantau/users.json",
        "touch /var/lib/pantau/x", "echo x >>/var/lib/pantau/ledger.db-shm",
        "cat /etc/pantau/secrets/router-ro",
    ],
)  # fmt: skip
def test_a_member_of_the_group_may_do_no_more(machine: Machine, script: str) -> None:
    answer = machine.as_user("budi", script)
    assert "Permission denied" in answer or "cannot create" in answer


def test_another_user_may_do_nothing(machine: Machine) -> None:
    assert "is not for this user" in machine.as_user("orang", "pantau status")
    assert "is not for this user" in machine.as_user("orang", "pantau user list")


@pytest.mark.parametrize("path", ["/var/lib/pantau/x", "/var/lib/pantau/page/x", "/etc/pantau/x"])
def test_the_user_of_the_page_writes_nothing(machine: Machine, path: str) -> None:
    answer = machine.as_user("pantau-web", f"touch {path}")
    assert "Permission denied" in answer


def test_sign_in_action_and_sign_out_survive_a_restart_of_the_page(machine: Machine) -> None:
    added = machine.run(
        "pantau", "user", "add", "siti", "--role", "operate", text="kuda hijau melompat\n"
    )
    assert added.returncode == 0, added.stderr
    done = machine.run("/usr/bin/python3", "-c", SIGN_IN)
    signed_in, note, signed_out, after, cookie = done.stdout.strip().split("|")
    assert (signed_in, note, signed_out, after) == ("303", "200", "303", "401"), done.stderr
    assert "siti: dari halaman" in machine.shell("pantau incidents 1")
    machine.shell("systemctl restart pantau-dashboard")
    eventually(
        lambda: machine.run("/usr/bin/python3", "-c", LOOK_AGAIN, cookie).stdout.strip() == "401",
        within_s=20,
    )


def test_the_certificate_is_renewed_by_its_unit_and_nginx_serves_the_page(
    machine: Machine,
) -> None:
    assert shutil.which("nginx"), "nginx is missing: apt-get install nginx-light"
    machine.shell("/opt/pantau/deploy/tls localhost 127.0.0.1 2>/dev/null")
    before = machine.shell("cat /etc/pantau/tls/server.crt")
    machine.shell("systemctl start pantau-tls.service")
    assert machine.shell("cat /etc/pantau/tls/server.crt") == before
    machine.shell("sed -i 's/^due_s=.*/due_s=99999999/' /opt/pantau/deploy/tls")
    machine.shell("systemctl start pantau-tls.service")
    assert machine.shell("cat /etc/pantau/tls/server.crt") != before
    machine.shell("cp /opt/pantau/deploy/nginx-pantau.conf /etc/nginx/conf.d/")
    machine.shell("systemctl start nginx")
    ask = (
        "import ssl, urllib.request as r; context = ssl.create_default_context("
        "cafile='/etc/pantau/tls/ca.crt'); answer = r.urlopen('https://127.0.0.1/masuk', "
        "context=context); print(answer.status, answer.headers['Strict-Transport-Security'])"
    )
    assert machine.run("/usr/bin/python3", "-c", ask).stdout == "200 max-age=31536000\n"


def test_both_services_end_in_time(machine: Machine) -> None:
    machine.shell("systemctl stop pantau pantau-dashboard")
    for unit in ("pantau", "pantau-dashboard"):
        assert "Deactivated successfully" in machine.journal(unit)
