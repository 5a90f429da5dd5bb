"""No text in a log line is obeyed by a terminal, or makes up a line of the log."""

from __future__ import annotations

import io
import logging

from monitor.adapters.system.log_lines import SafeFormatter


def test_a_message_cannot_make_up_a_line_nor_write_to_the_terminal() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(SafeFormatter("%(levelname)s %(message)s"))
    log = logging.Logger("uji")
    log.addHandler(handler)
    hostile = "\x1b[31mrouter\r\nCRITICAL all is lost\x9b2J"
    log.warning("%s cannot be read", hostile)
    try:
        raise ValueError(hostile)
    except ValueError:
        log.exception("failed")
    lines = out.getvalue().split("\n")
    assert lines[:2] == ["WARNING [31mrouter", "    CRITICAL all is lost2J cannot be read"]
    assert not any(line.startswith("CRITICAL") for line in lines)
    assert not {"\x1b", "\r", "\x9b"} & set(out.getvalue())
