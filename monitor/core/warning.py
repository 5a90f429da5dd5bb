"""A warning about the monitor itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

WarningValue = str | int | float


@dataclass(frozen=True, slots=True)
class MonitorWarning:
    """text: an English sentence for terminal and log, without secrets.

    kind, values: for the dashboard, which has a translation `remark.<kind>`. A value whose name
    ends in `_s` is a duration in seconds, in `_share` a ratio (0 to 1); others are shown as is.
    """

    text: str
    kind: str = "other"
    values: Mapping[str, WarningValue] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """As in `status --json`."""
        return {"kind": self.kind, "text": self.text, "values": dict(self.values)}
