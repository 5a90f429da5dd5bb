"""The repository holds what it should, where it should, and names no place that is not ours."""

from __future__ import annotations

import pytest

from tests.house.repository import (
    foreign_words,
    python_where_none_belongs,
    strangers_at_the_top,
)
from tests.house.tree import ROOT, repository_files


def paths() -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in repository_files()]


def test_the_top_level_holds_only_what_was_agreed() -> None:
    assert "pyproject.toml" in paths()
    assert strangers_at_the_top(paths()) == []


@pytest.mark.parametrize("planted", ["notes.txt", "scripts/run.sh", ".github/workflows/ci.yml"])
def test_a_stranger_at_the_top_is_seen(planted: str) -> None:
    assert strangers_at_the_top([*paths(), planted]) == [planted.split("/", maxsplit=1)[0]]


def test_config_and_deploy_hold_no_python() -> None:
    assert python_where_none_belongs(paths()) == []


@pytest.mark.parametrize("planted", ["config/__init__.py", "deploy/tools/setup.py"])
def test_python_in_config_or_deploy_is_seen(planted: str) -> None:
    assert python_where_none_belongs([*paths(), planted]) == [planted]


def test_nothing_names_a_registry_or_a_build_machine() -> None:
    texts = {}
    for path in repository_files():
        try:
            texts[path.relative_to(ROOT).as_posix()] = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # fonts and pictures
    assert len(texts) > 50
    assert foreign_words(texts) == []


@pytest.mark.parametrize(
    "line",
    [
        "index-url = https://py" + "pi.org/simple",
        "from https://files.python" + "hosted.org/packages/x.whl",
        "registry=https://registry.np" + "mjs.org/",
        "deb http://deb.deb" + "ian.org/debian bookworm main",
        "image: docker" + ".io/library/influxdb",
        "data = open('/wo" + "rk/shared/x')",
        "venv in /ro" + "ot/dev/v",
        "see /tmp/bash" + "_jobs.0/1",
        "/ho" + "me/budi/pantau",
    ],
)
def test_a_foreign_word_is_seen(line: str) -> None:
    assert len(foreign_words({"README.md": f"first line\n{line}\n"})) == 1


@pytest.mark.parametrize(
    "line", ["cd my/work/here", "ProtectHome=yes", "the root/ of the tree", "the docker engine"]
)
def test_innocent_words_pass(line: str) -> None:
    assert foreign_words({"README.md": line}) == []
