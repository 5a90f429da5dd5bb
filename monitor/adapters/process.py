"""What this process costs the machine, from /proc: memory and descriptors."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

SELF = Path("/proc/self")


@dataclass(frozen=True, slots=True)
class OwnFigures:
    """rss_bytes: memory in use; open_fds: open descriptors. None where /proc does not tell."""

    rss_bytes: int | None
    open_fds: int | None


def own_figures() -> OwnFigures:
    """Measured now."""
    try:
        pages = int((SELF / "statm").read_text().split()[1])
        open_fds = sum(1 for _ in (SELF / "fd").iterdir()) - 1
    except (OSError, ValueError, IndexError):
        return OwnFigures(None, None)
    return OwnFigures(pages * os.sysconf("SC_PAGE_SIZE"), open_fds)
