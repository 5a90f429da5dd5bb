"""What this process costs the machine, from /proc: memory and descriptors."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from errno import EMFILE
from pathlib import Path

SELF = Path("/proc/self")


@dataclass(frozen=True, slots=True)
class ProcessFigures:
    """rss_bytes: memory in use; open_fds: open descriptors, of at most max_fds.

    None where /proc does not tell.
    """

    rss_bytes: int | None
    open_fds: int | None
    max_fds: int


def read_process_figures() -> ProcessFigures:
    """Measured now."""
    max_fds, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        pages = int((SELF / "statm").read_text().split()[1])
        open_fds = sum(1 for _ in (SELF / "fd").iterdir()) - 1
    except OSError as error:
        # Not even one is left to look with.
        return ProcessFigures(None, max_fds if error.errno == EMFILE else None, max_fds)
    except (ValueError, IndexError):
        return ProcessFigures(None, None, max_fds)
    return ProcessFigures(pages * os.sysconf("SC_PAGE_SIZE"), open_fds, max_fds)
