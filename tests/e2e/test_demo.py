"""`pantau demo`: page, probe, cutting and restoring a site."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from monitor.cli.configuration import load_network
from monitor.cli.demo_control import DEMO_DIR_PREFIX
from monitor.simulator.behaviour import usual_behaviour
from tests.e2e.simulated_daemon import PANTAU, SHIPPED
from tests.waiting import eventually

SITE = "cantigi"
"""It has one link."""


def run_command(command: list[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environ)


def command_lines() -> list[str]:
    """Command lines of all processes of this machine."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(file.read_text(errors="replace"))
    return found


class Demo:
    """`pantau demo` as a process with its own temporary directory."""

    def __init__(self, tmp: Path, *options: str) -> None:
        self.options = options
        self.environ = os.environ | {"TMPDIR": str(tmp)}
        self.tmp = tmp
        self.out = tmp / "out.txt"

    def __enter__(self) -> Demo:
        with self.out.open("wb") as out:
            self.process = subprocess.Popen(
                [*PANTAU, "demo", "--no-faults", *self.options, "--config", str(SHIPPED)],
                stdout=out,
                stderr=out,
                env=self.environ,
                start_new_session=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def output(self) -> str:
        return self.out.read_text()

    def address(self) -> str:
        """Address of the page, when it is served."""

        def addresses() -> list[str]:
            assert self.process.poll() is None, self.output()
            return [word for word in self.output().split() if word.startswith("http://")]

        return eventually(addresses, 60)[0]

    def sites(self) -> dict[str, Any]:
        """The sites of the snapshot."""
        page = http.client.HTTPConnection(self.address().removeprefix("http://").strip("/"))
        with closing(page):
            page.request("GET", "/api/v1/snapshot")
            sites: dict[str, Any] = json.load(page.getresponse())["sites"]
        return sites

    def words(self, *words: str) -> subprocess.CompletedProcess[str]:
        return run_command([*PANTAU, "demo", *words], self.environ)


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    # A short path, since it contains a Unix socket.
    with tempfile.TemporaryDirectory(prefix="d") as tmp, Demo(Path(tmp)) as running:
        yield running


def test_all_31_tiles_have_the_simulated_rtt(demo: Demo) -> None:
    firsts = {site.id: site.links[0] for site in load_network(SHIPPED, os.environ).sites}
    eventually(lambda: {tile["s"] for tile in demo.sites().values()} == {"up"}, 60)
    sites = demo.sites()
    assert sites.keys() == firsts.keys()
    assert len(sites) == 31
    for name, link in firsts.items():
        script = usual_behaviour(link.kind, link.name, 1)
        assert sites[name]["r"] == pytest.approx(script.delay_ms, abs=3.0 + 3 * script.jitter_ms), (
            name
        )


def test_a_cut_in_the_demo_turns_the_tile_red_until_restored(demo: Demo) -> None:
    pulled = demo.words("cut", SITE)
    assert pulled.returncode == 0, pulled.stderr
    assert pulled.stdout.startswith(f"{SITE}: dicabut pukul ")
    assert pulled.stdout.endswith(" WIB.\n")
    eventually(lambda: demo.sites()[SITE]["s"] == "down", 15)
    assert [name for name, tile in demo.sites().items() if tile["s"] == "down"] == [SITE]
    assert demo.words("restore").returncode == 0
    eventually(lambda: demo.sites()[SITE]["s"] == "up", 15)


def test_probe_in_the_demo_queries_the_simulated_site(demo: Demo) -> None:
    demo.address()
    result = demo.words("probe", "anjatan", "--count", "3", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    answer = json.loads(result.stdout)
    assert [ping["received"] for ping in answer["pings"]] == [3, 3]
    assert answer["pings"][0]["rtt_ms"] == pytest.approx(
        usual_behaviour("fibre", "anjatan/utama", 1).delay_ms, abs=5.0
    )
    assert [port["name"] for port in answer["snmp"]["interfaces"]] == ["ether1", "ether2"]
    for name, router in (("anjatan/cadangan", "anjatan"), ("pop-patrol", "pop-patrol")):
        shown = demo.words("probe", name, "--count", "2")
        assert shown.returncode == 0, shown.stderr
        (row,) = [line.split() for line in shown.stdout.splitlines() if line.startswith(name + " ")]
        assert row[2:4] == ["2/2", "0,0"]
        assert f"Router {router}, hidup" in shown.stdout
    unknown = demo.words("probe", "anjatn")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "did you mean 'anjatan'?" in unknown.stderr


def test_a_cut_node_of_the_demo_turns_its_sites_unreachable(demo: Demo) -> None:
    assert demo.words("cut", "pop-karangampel", "--for", "1m").returncode == 0
    eventually(lambda: "unreachable" in {t["s"] for t in demo.sites().values()}, 20)
    assert "down" not in {tile["s"] for tile in demo.sites().values()}
    assert demo.words("restore", "pop-karangampel").returncode == 0
    eventually(lambda: {tile["s"] for tile in demo.sites().values()} == {"up"}, 20)


def test_an_unknown_name_is_refused_with_the_nearest_one(demo: Demo) -> None:
    refused = demo.words("cut", "anjatn")
    assert refused.returncode == 1
    assert "did you mean 'anjatan'?" in refused.stderr


def test_the_commands_printed_by_the_demo_work(demo: Demo) -> None:
    demo.address()
    lines = [line.split() for line in eventually(demo.output).splitlines()]
    (status,) = [line for line in lines if "status" in line]
    result = run_command([*PANTAU, *status[status.index("status") :], "--json"], demo.environ)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["stale"] is False


def test_ctrl_c_ends_every_process_of_the_demo(demo: Demo) -> None:
    demo.address()
    (work,) = demo.tmp.glob(f"{DEMO_DIR_PREFIX}*")
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(30) == 0, demo.output()
    assert demo.output().endswith("Selesai: semuanya dihentikan.\n")
    assert not work.exists()
    assert not any(str(work) in words for words in command_lines())
    nobody = demo.words("cut", SITE)
    assert nobody.returncode == 1
    assert "no demo of yours runs here" in nobody.stderr


@pytest.mark.full
def test_a_demo_with_influxdb_ships_its_samples_and_answers_the_questions_that_it_prints() -> None:
    with tempfile.TemporaryDirectory(prefix="pd") as tmp, Demo(Path(tmp), "--influxdb") as demo:
        demo.address()

        def answers() -> list[dict[str, Any]]:
            commands = [line for line in demo.output().splitlines() if line.startswith("  curl")]
            assert len(commands) == 3
            outputs = [
                subprocess.run(each, shell=True, check=True, capture_output=True).stdout  # noqa: S602
                for each in commands
            ]
            return [json.loads(each)["results"][0] for each in outputs]

        eventually(lambda: all("series" in each for each in answers()), within_s=60, every_s=2)
        assert not any("error" in each for each in answers())
    assert not [line for line in command_lines() if "influxd" in line and tmp in line]
