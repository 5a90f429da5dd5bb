"""Schema of maintenance.toml: recurring windows."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated

from pydantic import BeforeValidator, Field

from monitor.settings.schema import field_types
from monitor.settings.schema.alerts import Names
from monitor.settings.schema.common import Slug, Table, Text


class WindowTable(Table):
    """[[windows]] of maintenance.toml"""

    name: Slug = Field(
        examples=["perawatan-malam"], description="a short name of small letters, digits and -"
    )
    targets: Names = Field(
        examples=[["anjatan", "pop-patrol"]],
        description="a list of site ids, node ids or full names (site/link)",
    )
    why: Text = Field(examples=["Perawatan rutin penyedia"], description="the reason, in quotes")
    start: time = Field(
        examples=[time.fromisoformat("22:00:00")], description="a local time without quotes"
    )
    minutes: float = Field(
        gt=0, le=10_080, examples=[120], description="the length of the window in minutes"
    )
    weekdays: Annotated[list[str], BeforeValidator(field_types.one_or_many)] = Field(
        default=[],
        examples=[["sabtu"]],
        description="a list of weekdays, such as sabtu or saturday",
    )
    days: list[Annotated[int, Field(ge=1, le=31)]] = Field(
        default=[], examples=[], description="a list of days of the month: [1, 15]"
    )
    first: date | None = Field(
        default=None,
        examples=[date.fromisoformat("2026-12-01")],
        description="a date without quotes",
    )
    last: date | None = Field(
        default=None,
        examples=[date.fromisoformat("2026-12-31")],
        description="a date without quotes",
    )
    who: Text = Field(
        default="maintenance.toml", examples=["Budi"], description="who asked for it, in quotes"
    )


class MaintenanceFile(Table):
    """maintenance.toml"""

    windows: list[WindowTable] = Field(
        default=[], examples=[], description="each under a header of its own: [[windows]]"
    )
