"""What a person should know or do about the monitor itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

WarningValue = str | int | float


@dataclass(frozen=True, slots=True)
class MonitorWarning:
    """text: an English sentence, for the terminal and the log; no secret in it.

    kind, values: the same for the page, which says it in the reader's language: its catalogue has
    a text `remark.<kind>`. A value whose name ends in `_s` is a length of time, in `_share` a
    share (0 to 1); the rest is shown as it is.
    """

    text: str
    kind: str = "other"
    values: Mapping[str, WarningValue] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """As it stands in `status --json` (`monitor.status.warnings`)."""
        return {"kind": self.kind, "text": self.text, "values": dict(self.values)}
