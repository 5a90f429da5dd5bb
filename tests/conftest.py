"""What holds for every test."""

from __future__ import annotations

import signal

from hypothesis import settings

# A slow or busy machine is no reason to fail: no test of this house asserts a duration.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

# What runs in the background of a shell (nohup, a job of CI) has Ctrl-C ignored, and so would
# everything that the tests start: those about Ctrl-C would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
