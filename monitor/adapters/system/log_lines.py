"""Log lines that a terminal only shows: no escape sequence, and no line that a text made up."""

from __future__ import annotations

import logging
from types import TracebackType

from monitor.core.printable import without_controls

_ErrorInfo = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


class SafeFormatter(logging.Formatter):
    """Further lines of a message are indented, so that they cannot pass for lines of the log."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        record.message = without_controls(record.message).replace("\n", "\n    ")
        return super().formatMessage(record)

    def formatException(self, ei: _ErrorInfo) -> str:  # noqa: N802
        return without_controls(super().formatException(ei)).replace("\n", "\n    ")
