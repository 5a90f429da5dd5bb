"""Run programs of this project as another user; as this one where root is not at hand."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

TOP = Path(__file__).parents[1]
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True, slots=True)
class OtherUser:
    """Numbers that need no entry in /etc/passwd. groups: the further ones."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()

    def popen(
        self,
        words: Sequence[str],
        environ: Mapping[str, str] | None = None,
        out: IO[bytes] | int | None = None,
        stdin: int | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start `python WORDS…` as this user."""
        packages = sysconfig.get_path("purelib")
        return subprocess.Popen(
            [python_for_all(), *words],
            stdin=stdin,
            stdout=out,
            stderr=subprocess.STDOUT if out is not None else None,
            cwd=TOP,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": f"{TOP}:{packages}",
                "PYTHONDONTWRITEBYTECODE": "1",
                **(environ or {}),
            },
            start_new_session=True,
            **(self._identity() if os.geteuid() == 0 else {}),
        )

    def _identity(self) -> dict[str, Any]:
        return {"user": self.uid, "group": self.gid, "extra_groups": list(self.groups)}

    def run(
        self, words: Sequence[str], text: str = "", environ: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Exit code and output of `python WORDS…`. text: its standard input."""
        running = self.popen(words, environ, subprocess.PIPE, subprocess.PIPE)
        output, _ = running.communicate(text.encode(), timeout=60)
        return running.returncode, output.decode()


def python_for_all() -> str:
    """A Python of this version that every user may execute: this one, or Debian's."""
    own = Path(sys.executable).resolve()
    if all(each.stat().st_mode & 0o001 for each in own.parents):
        return sys.executable
    debian = f"/usr/bin/python{VERSION}"
    assert Path(debian).exists(), f"no Python {VERSION} that other users may run"
    return debian


@contextmanager
def open_directory() -> Iterator[Path]:
    """A temporary directory that every user may enter, whatever $TMPDIR is."""
    places = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]  # noqa: S108
    for_all = next(each for each in places if _everybody_enters(each))
    with tempfile.TemporaryDirectory(dir=for_all) as name:
        Path(name).chmod(0o755)
        yield Path(name)


def _everybody_enters(directory: Path) -> bool:
    return all(each.stat().st_mode & 0o001 for each in (directory, *directory.parents))
