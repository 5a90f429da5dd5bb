"""The files of the repository."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("monitor", "dashboard")


def repository_files() -> Iterator[Path]:
    """Every file that is in git or would be added by `git add`."""
    listed = subprocess.run(
        [
            *("git", "-c", "safe.directory=*", "-C", str(ROOT)),
            *("ls-files", "-z", "--cached", "--others", "--exclude-standard"),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in sorted(set(listed.split("\0")) - {""}):
        if (ROOT / name).is_file():
            yield ROOT / name
