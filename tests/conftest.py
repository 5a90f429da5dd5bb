"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# A slow or busy machine is no reason to fail: no test of this house asserts a duration.
settings.register_profile("house", deadline=None)
settings.load_profile("house")
