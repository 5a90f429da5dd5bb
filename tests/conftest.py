"""Settings of every test."""

from __future__ import annotations

import signal

from hypothesis import settings

# No deadline: a slow or busy machine is no reason to fail. `deploy/test --full` uses the thorough
# profile, everything else the quick one; a test that sets max_examples uses that in both.
settings.register_profile("quick", deadline=None, max_examples=30)
settings.register_profile("thorough", deadline=None, max_examples=300)
settings.load_profile("quick")

# A background process of a shell (nohup, a CI job) ignores Ctrl-C, and so would the programs that
# tests start: those that test Ctrl-C would wait forever.
signal.signal(signal.SIGINT, signal.default_int_handler)
