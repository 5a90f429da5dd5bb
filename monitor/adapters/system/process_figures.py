"""Memory and descriptors of this process, from /proc."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from errno import EMFILE
from pathlib import Path

PROC_SELF = Path("/proc/self")


@dataclass(frozen=True, slots=True)
class ProcessFigures:
    """rss_bytes: resident memory; open_fds: open descriptors; max_fds: their limit.

    None where /proc is not readable.
    """

    rss_bytes: int | None
    open_fds: int | None
    max_fds: int


def read_process_figures() -> ProcessFigures:
    """Read the present figures."""
    max_fds, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        pages = int((PROC_SELF / "statm").read_text().split()[1])
        open_fds = sum(1 for _ in (PROC_SELF / "fd").iterdir()) - 1
    except OSError as error:
        # EMFILE: no descriptor is left even for reading /proc, so that all are in use.
        return ProcessFigures(None, max_fds if error.errno == EMFILE else None, max_fds)
    except (ValueError, IndexError):
        return ProcessFigures(None, None, max_fds)
    return ProcessFigures(pages * os.sysconf("SC_PAGE_SIZE"), open_fds, max_fds)
