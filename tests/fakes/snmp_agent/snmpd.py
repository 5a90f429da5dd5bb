"""A real agent: Debian's snmpd on a free port of 127.0.0.1, with its own directory."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.snmp_agent.fake_router import FakeRouter
from tests.waiting import eventually

COMMUNITY = "uji-kom"
_USERS = {
    # user: authentication and privacy protocol, by the names of snmpd and of pantau alike
    "pantau": ("SHA-256", "AES"),
    "lama": ("MD5", "DES"),
    "kuat": ("SHA-512", "AES-256"),
    "tanda": ("SHA", ""),
    "terbuka": ("", ""),
}
_AUTH_PASSWORD, _PRIV_PASSWORD = "sandi-otentik", "sandi-rahasia"


def _secret(user: str, auth: str, priv: str) -> str:
    """The text of a credential of version 3."""
    lines = [f"user = {user}"]
    lines += [f"auth = {auth}", f"auth_password = {_AUTH_PASSWORD}"] if auth else []
    lines += [f"priv = {priv}", f"priv_password = {_PRIV_PASSWORD}"] if priv else []
    return "\n".join(lines)


SECRETS = {"komunitas": COMMUNITY} | {user: _secret(user, *keys) for user, keys in _USERS.items()}
"""Every credential that the agent accepts, by name, as the text of a secret."""

# Only the test's objects and what version 3 needs, nothing of the machine itself.
_MODULES = "pass_persist,vacm_conf,vacm_vars,usmConf,usmUser,snmpEngine,usmStats"


class SnmpAgent:
    """One snmpd. After changing `router`, call `publish()`."""

    def __init__(self, directory: Path, router: FakeRouter | None = None) -> None:
        self.router = router or FakeRouter()
        self.address = "127.0.0.1"
        self.port = _free_port()
        self._directory = directory
        self._state = directory / "state"
        self._objects = directory / "objects.json"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._state.mkdir(parents=True, exist_ok=True)
        self.publish()
        config = self._directory / "snmpd.conf"
        config.write_text(self._config())
        log, pid = self._directory / "log", self._directory / "pid"
        state = {"SNMP_PERSISTENT_DIR": str(self._state), "SNMPCONFPATH": str(self._state)}
        self._process = subprocess.Popen(
            [_snmpd(), "-f", "-c", config, "-I", _MODULES, "-Lf", log, "-p", pid],
            env=os.environ | {"MIBS": ""} | state,
        )
        eventually(self._answers, within_s=15)

    def stop(self) -> None:
        """Terminate it as an init system does, so that it saves its state."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait(timeout=15)
            self._process = None

    def reboot(self) -> None:
        """The router restarts: another snmpEngineBoots, the same engine id."""
        self.stop()
        self.start()

    def replace(self) -> None:
        """Another router at the same address, with another engine id."""
        self.stop()
        shutil.rmtree(self._state)
        self.start()

    def silence(self) -> None:
        """Stop the process: it receives and does not respond."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Continue after `silence`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def publish(self) -> None:
        """Make the agent serve the router's present objects."""
        draft = self._objects.with_suffix(".draft")
        draft.write_text(json.dumps(self.router.objects()))
        draft.replace(self._objects)

    def _config(self) -> str:
        serve = self._server()
        users = []
        for user, (auth, priv) in _USERS.items():
            keys = [auth, _AUTH_PASSWORD] if auth else []
            keys += [priv, _PRIV_PASSWORD] if priv else []
            level = "priv" if priv else "auth" if auth else "noauth"
            users += [" ".join(["createUser", user, *keys]), f"rouser {user} {level}"]
        lines = [
            f"agentAddress udp:{self.address}:{self.port}",
            f"rocommunity {COMMUNITY} 127.0.0.0/8",
            *users,
            f"pass_persist -p 1 .1.3.6.1.2.1 {serve}",
            f"pass_persist -p 1 .1.3.6.1.4.1 {serve}",
        ]
        return "\n".join(lines) + "\n"

    def _server(self) -> Path:
        """The pass_persist command: snmpd splits it at spaces and knows no quotes."""
        words = [
            sys.executable,
            "-S",
            "-E",
            Path(__file__).with_name("pass_persist.py"),
            self._objects,
        ]
        server = self._directory / "serve"
        server.write_text(f"#!/bin/sh\nexec {shlex.join(map(str, words))}\n")
        server.chmod(0o755)
        return server

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            log = (self._directory / "log").read_text(errors="replace")[-2000:]
            raise AssertionError(f"snmpd ended by itself:\n{log}")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0.2)
            sock.sendto(_get_uptime(), (self.address, self.port))
            try:
                return bool(sock.recv(2048))
            except (TimeoutError, ConnectionError):
                return False


def _get_uptime() -> bytes:
    """GET sysUpTime.0, request-id 1 (RFC 3416, written by hand)."""
    binding = bytes.fromhex("300e300c06082b060102010103000500")
    pdu = bytes.fromhex("020101020100020100") + binding
    body = bytes.fromhex("020101") + bytes((4, len(COMMUNITY))) + COMMUNITY.encode()
    body += bytes((0xA0, len(pdu))) + pdu
    return bytes((0x30, len(body))) + body


def _snmpd() -> str:
    found = shutil.which("snmpd") or shutil.which("snmpd", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.fail("these tests need a real SNMP agent: install the Debian package snmpd")
    return found


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
