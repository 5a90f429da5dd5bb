"""Why somebody was told of an incident, or was not: one word for every yes and every no."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The named reasons of `core.notices`; stored as they are, so never renamed.

    A yes says why a message went out, a no why none did (yet).
    """

    # yes
    FIRST_NOTICE = "first_notice"
    RESOLVED = "resolved"
    REMINDER_DUE = "reminder_due"
    ESCALATION_STEP = "escalation_step"
    DIGEST = "digest"
    FLAPPING_BEGAN = "flapping_began"
    FLAPPING_OVER = "flapping_over"
    STILL_DOWN_AFTER_15_MIN = "still_down_after_15_min"
    MAINTENANCE_OVER = "maintenance_over"
    WAS_DOWN = "was_down"
    """One message for both ends: the opening had not been sent when the closing came."""
    TEST = "test"

    # no
    WITHIN_HOLD = "within_hold"
    GROUPED = "grouped"
    """It waits to be listed in a message about several."""
    MAINTENANCE = "maintenance"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    COVERED_BY_PARENT = "covered_by_parent"
    MONITOR_CUT_OFF = "monitor_cut_off"
    """The monitor knows nothing of its targets just now."""
    FLAPPING = "flapping"
    WAITS_FOR_OFFICE_HOURS = "waits_for_office_hours"
    NOBODY_TO_TELL = "nobody_to_tell"
    """No route matches, or nobody is on call where it leads."""
    NOT_OPENED_NO_CLOSING = "not_opened_no_closing"
    """Nobody had been told of its opening, so nobody is told of its end."""
