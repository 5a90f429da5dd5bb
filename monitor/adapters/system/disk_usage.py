"""Free space and inodes of a file system."""

from __future__ import annotations

import os
from pathlib import Path

from monitor.core.disk_space import DiskReading


def read_disk(directory: Path, at_s: float) -> DiskReading | None:
    """What this user may still use there; None: it cannot be asked."""
    try:
        found = os.statvfs(directory)
    except OSError:
        return None
    inodes = found.f_files or None  # btrfs and some others count none
    return DiskReading(
        at_s,
        found.f_bavail * found.f_frsize,
        found.f_blocks * found.f_frsize,
        None if inodes is None else found.f_favail,
        inodes,
    )
