"""The repository contains only expected files, and names no registry or build machine."""

from __future__ import annotations

import re

import pytest

from tests.project.files import ROOT, repository_files

TOP_LEVEL = {
    *(".ci", ".gitignore", "README.md", "pyproject.toml"),
    *("config", "dashboard", "deploy", "monitor", "tests"),
}
FOREIGN = re.compile(
    "|".join(
        (
            # hosts of package registries: the ordinary client of each knows its own
            r"\bpypi\.(?:org|io)\b",
            r"\bpythonhosted\.org\b",
            r"\bnpmjs\.(?:org|com)\b",
            r"\b(?:deb|security|ftp)\.debian\.org\b",
            r"\b(?:docker|ghcr|quay|crates)\.io\b",
            # paths of the machine on which it was built
            r"(?<![\w.~-])/(?:work|root|farm)/",
            r"/bash_jobs\b",
            r"(?<![\w.~-])/home/\w",
            r"(?<![\w.~-])/Users/\w",
        )
    )
)


def test_the_top_level_and_the_folders_without_python() -> None:
    paths = [path.relative_to(ROOT) for path in repository_files()]
    assert {path.parts[0] for path in paths} <= TOP_LEVEL
    assert [p for p in paths if p.parts[0] in {"config", "deploy"} and p.suffix == ".py"] == []


def test_no_file_names_a_registry_or_a_build_machine() -> None:
    found, texts = [], 0
    for path in repository_files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # fonts and pictures
        texts += 1
        if path.name != "test_repository.py":
            found += [f"{path.relative_to(ROOT)}: {hit.group()}" for hit in FOREIGN.finditer(text)]
    assert texts > 50
    assert found == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("index-url = https://pypi.org/simple", True),
        ("from https://files.pythonhosted.org/packages/x.whl", True),
        ("registry=https://registry.npmjs.org/", True),
        ("deb http://deb.debian.org/debian bookworm main", True),
        ("image: docker.io/library/influxdb", True),
        ("data = open('/work/shared/x')", True),
        ("venv in /root/dev/v", True),
        ("see /tmp/bash_jobs.0/1", True),
        ("/home/budi/pantau", True),
        ("cd my/work/here", False),
        ("ProtectHome=yes", False),
        ("the root/ of the tree", False),
        ("the docker engine", False),
    ],
)
def test_foreign_names_are_found(line: str, found: bool) -> None:
    assert bool(FOREIGN.search(line)) is found
