"""The file of all texts is complete: it holds every kind of message that the program can send."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.self_checks import SelfCheck
from tests.core.alerting.print_messages import Case, cases, main, texts

SENT = {
    Reason.FIRST_NOTICE,
    Reason.RESOLVED,
    Reason.REMINDER_DUE,
    Reason.ESCALATION_STEP,
    Reason.DIGEST,
    Reason.SAME_OFFICE,
    Reason.FLAPPING_BEGAN,
    Reason.FLAPPING_OVER,
    Reason.STILL_DOWN_AFTER_15_MIN,
    Reason.MAINTENANCE_OVER,
    Reason.WAS_DOWN,
    Reason.HAND_OVER,
    Reason.TEST,
}
CASES = list(cases())


def test_every_reason_of_a_message_and_every_self_check_is_printed() -> None:
    assert {each.reason for each in CASES} == SENT
    checks = {each.self_check.check for each in CASES if each.self_check is not None}
    assert checks == set(SelfCheck)


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("case", CASES, ids=[each.title for each in CASES])
def test_a_text_is_proper_and_its_first_line_fits_a_subject(case: Case, language: str) -> None:
    """No placeholder is left, and the line that a lock screen shows is not cut."""
    forms = texts(case, language)
    first = forms["plain"].partition("\n")[0]
    assert not any(sign in forms["plain"] for sign in ("{", "}", "None", "  "))
    assert len(first) <= 110
    assert not first.endswith("…")


def test_the_file_holds_each_case_in_all_forms(tmp_path: Path) -> None:
    main(tmp_path / "messages.txt")
    text = (tmp_path / "messages.txt").read_text()
    assert all(f". {each.title}\n" in text for each in CASES)
    assert text.count("--- id, mail\nSubject: ") == len(CASES)
