"""The README names what exists: commands, options, files, measurements."""

from __future__ import annotations

import re

import click
import pytest

from monitor.cli.main import COMMANDS, pantau
from monitor.core.samples.histogram import BOUNDS_MS
from monitor.core.samples.samples import STATE_CODES
from monitor.core.samples.schema import HOURS, MEASUREMENTS, MINUTES, Measurement
from tests.project.files import ROOT

README = (ROOT / "README.md").read_text("utf-8")


def row(start: str) -> str:
    """The one table row that starts with these words."""
    (found,) = re.findall(rf"^\| {re.escape(start)}[^\n]*$", README, re.MULTILINE)
    return str(found)


def in_code(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


@pytest.mark.parametrize("measurement", MEASUREMENTS, ids=lambda each: each.name)
def test_the_documented_measurements_are_the_stored_ones(measurement: Measurement) -> None:
    _, first, tags, fields, _ = row(f"`{measurement.name}`").split("|")
    assert f"`{measurement.name}`" in first
    assert in_code(tags) == set(measurement.identity)
    assert in_code(fields) == {field.name for field in measurement.fields}


@pytest.mark.parametrize("place", [0, 1], ids=["ping", "interface"])
def test_the_documented_rollups_are_the_stored_ones(place: int) -> None:
    minute, hour = MINUTES[place], HOURS[place]
    _, first, tags, fields, _ = row(f"`{minute.name}`").split("|")
    assert in_code(first) == {minute.name, hour.name}
    assert in_code(tags) == set(minute.identity) == set(hour.identity)
    named = {field.name for field in minute.fields}
    assert minute.fields == hour.fields
    if "histogram" in named:
        named = named - {"histogram"} | {"h00", f"h{len(BOUNDS_MS)}"}
    assert in_code(fields) == named


def test_the_state_codes_are_documented() -> None:
    told = ", ".join(f"{code} {state}" for state, code in STATE_CODES.items())
    assert f"`state` is {told}." in README


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented_with_existing_options(name: str) -> None:
    command = pantau.get_command(click.Context(pantau), name)
    assert command is not None
    parts = [command, *(command.commands.values() if isinstance(command, click.Group) else ())]
    known = {option for part in parts for each in part.params for option in each.opts}
    told = in_code(row(f"`pantau {name}"))
    options = {word for text in told for word in text.split() if word.startswith("--")}
    assert options <= known


def test_only_existing_commands_are_documented() -> None:
    told = set(re.findall(r"(?:`|^    |sudo )pantau ([a-z-]+)", README, re.MULTILINE))
    assert told == set(COMMANDS)


def test_every_named_file_exists() -> None:
    """Paths of the repository, and targets of links."""
    folders = r"(?:monitor|dashboard|config|deploy|tests)"
    named = set(re.findall(rf"`(?:\./)?({folders}/[\w./-]*)`", README))
    linked = set(re.findall(r"\]\(([\w./-]+)\)", README))
    assert {"deploy/demo", "deploy/test", "deploy/run"} <= named
    assert [path for path in sorted(named | linked) if not (ROOT / path).exists()] == []


def test_the_attribution_of_the_map_is_verbatim() -> None:
    """CC BY 3.0 IGO: attribution is the only duty."""
    assert (
        "> Batas wilayah: Badan Pusat Statistik (BPS – Statistics Indonesia) / UN OCHA, COD-AB "
        "Indonesia (berlaku 2020-04-01), via Humanitarian Data Exchange, CC BY 3.0 IGO. Perubahan: "
        "desa digabung menjadi kecamatan, disederhanakan, dibulatkan, diberi kode Kemendagri.\n"
    ) in README
