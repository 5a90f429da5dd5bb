"""Flapping: a value that doubles with each change of state and decays with time.

Zino 2 (Sikt/NORDUnet), `zino/flaps.py`: starts at 2, doubles, at most 256, decays as
v^(0.5^(dt/300 s)); flapping above 35, steady again below 1.5. The alert policy keeps the value.
"""

from __future__ import annotations

START = 2.0
CEILING = 256.0
HALF_LIFE_S = 300.0
FLAPPING_ABOVE = 35.0
STEADY_BELOW = 1.5


def decayed(value: float, age_s: float) -> float:
    """The value after `age_s` seconds: it decays towards 1; 0.0 (never changed) stays 0.0."""
    return float(value ** (0.5 ** (max(age_s, 0.0) / HALF_LIFE_S)))


def bumped(value: float, age_s: float) -> float:
    """The value after one more change of state."""
    now = decayed(value, age_s)
    return min(max(now * 2.0, START), CEILING)


def is_flapping(value: float, was_flapping: bool) -> bool:
    """With hysteresis: above 35 it starts, below 1.5 it is over."""
    return value > FLAPPING_ABOVE or (was_flapping and value >= STEADY_BELOW)
