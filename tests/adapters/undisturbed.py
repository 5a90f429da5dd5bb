"""Tests of what happens in time, on a machine that is busy with other things as well."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def undisturbed() -> Iterator[None]:
    """This process goes before all others (SCHED_RR), where it may; what it starts does not.

    Otherwise a prober with a time-out of 0.2 s finds, rightly, that it has been standing still.
    """
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except PermissionError:
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, before[0] & ~os.SCHED_RESET_ON_FORK, before[1])
