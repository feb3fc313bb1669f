from datetime import UTC, datetime

import pytest

from detector.alerts.slack_answers import Refusal, seconds_to_wait

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "header, seconds",
    [
        ("30", 30.0),
        (" 30 ", 30.0),
        ("0", 0.0),
        ("1000000000", 1e9),
        ("9" * 400, 999_999_999_999.0),
        ("Sun, 22 Nov 2026 10:02:00 GMT", 120.0),
        ("Sun, 22 Nov 2026 09:58:00 GMT", -120.0),
        (None, None),
        ("", None),
        ("-5", None),
        ("1e9", None),
        ("٣", None),  # a digit, not of ASCII
        ("soon", None),
        ("Sun, 22 Nov 2026 10:02:00", None),  # no zone
        ("Sun, 99 Nov 2026 10:02:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert seconds_to_wait(header, NOW) == seconds


@pytest.mark.parametrize(
    "error, permanent",
    [
        ("invalid_auth", True),
        ("token_revoked", True),
        ("account_inactive", True),
        ("channel_not_found", True),
        ("is_archived", True),
        ("action_prohibited", True),
        ("no_service", True),
        ("channel_is_archived", True),
        ("invalid_payload", True),
        ("invalid_blocks", True),
        ("msg_too_long", True),
        ("ratelimited", False),
        ("internal_error", False),
        ("fatal_error", False),
        # What nobody knows is tried again: an alert is never dropped.
        ("a_new_word", False),
        ("", False),
    ],
)
def test_only_what_trying_cannot_mend_is_permanent(error: str, *, permanent: bool) -> None:
    assert Refusal(error, status=200).permanent is permanent


def test_a_refusal_says_what_to_do_and_repeats_no_foreign_text() -> None:
    assert str(Refusal("is_archived", status=200)) == (
        "Slack refused (is_archived: choose another channel: this one is archived)"
    )
    assert str(Refusal("xoxb-CANARY", status=502)) == "Slack refused (HTTP 502)"
