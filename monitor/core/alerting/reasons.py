"""Why somebody was notified of an incident, or was not."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The reasons of policy decisions. The values are stored: never change them.

    yes: why a message was sent; no: why none was (yet).
    """

    # yes
    FIRST_NOTICE = "first_notice"
    RESOLVED = "resolved"
    REMINDER_DUE = "reminder_due"
    ESCALATION_STEP = "escalation_step"
    DIGEST = "digest"
    SAME_OFFICE = "same_office"
    """Other links of the same site are down too: one message, or one more in its thread."""
    FLAPPING_BEGAN = "flapping_began"
    FLAPPING_OVER = "flapping_over"
    STILL_DOWN_AFTER_15_MIN = "still_down_after_15_min"
    MAINTENANCE_OVER = "maintenance_over"
    WAS_DOWN = "was_down"
    """One message for opening and end: the opening was not sent yet when the incident ended."""
    TEST = "test"
    HAND_OVER = "hand_over"
    """It was open when somebody went on duty."""
    NEXT_CHANNEL_AFTER_WAIT = "next_channel_after_wait"
    """An outage has waited 60 s on one channel: it also goes by the recipient's next one."""
    NEXT_CHANNEL_AFTER_REFUSAL = "next_channel_after_refusal"
    """A channel refused the message, or it failed for a day: the recipient's next one gets it."""

    # no
    WITHIN_HOLD = "within_hold"
    GROUPED = "grouped"
    """It waits to be listed in a digest."""
    MAINTENANCE = "maintenance"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    COVERED_BY_PARENT = "covered_by_parent"
    MONITOR_CUT_OFF = "monitor_cut_off"
    """The monitor itself is isolated: it knows nothing of its targets."""
    FLAPPING = "flapping"
    WAITS_FOR_OFFICE_HOURS = "waits_for_office_hours"
    NOBODY_TO_TELL = "nobody_to_tell"
    """No route matches, or its steps reach nobody now."""
    NOT_OPENED_NO_CLOSING = "not_opened_no_closing"
    """Nobody was notified of the opening, so nobody is notified of the end."""
