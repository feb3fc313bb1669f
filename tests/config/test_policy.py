"""What parity.yml says to the engine."""

from datetime import UTC, date, datetime, timedelta

from detector.config.policy import policy_of
from detector.engine.calendars import end_of
from tests.config.conftest import Load


def test_the_calendar_of_an_environment_is_the_one_that_its_clocks_heed(load_text: Load) -> None:
    policy = policy_of(
        load_text(
            "version: 1\n"
            "environments:\n"
            "  - {name: staging}\n"
            "  - name: prod\n"
            "    calendar: {freeze: [2026-12-20..2027-01-02, 2026-11-27], business_days: true,"
            " timezone: Europe/Berlin}\n"
        )
    )
    start = datetime(2026, 12, 19, tzinfo=UTC)
    week = timedelta(days=7)
    assert end_of(start, week, policy.environment("staging").calendar) == start + week
    calendar = policy.environment("prod").calendar
    assert calendar.freeze == (
        (date(2026, 12, 20), date(2027, 1, 2)),
        (date(2026, 11, 27), date(2026, 11, 27)),
    )
    # Friday the 27th is frozen, a weekend follows: Monday begins at 23:00 UTC on Sunday.
    thursday_night = datetime(2026, 11, 26, 23, 0, tzinfo=UTC)
    assert end_of(thursday_night, timedelta(hours=2), calendar) == datetime(2026, 11, 30, 1, 0, tzinfo=UTC)


def test_the_addresses_of_one_repository_are_read_as_collectors_write_them(load_text: Load) -> None:
    text = """\
version: 1
environments: [{name: staging}, {name: prod}]
services:
  - name: checkout
    repositories: ["git@github.com:Acme/X.git", "https://bot:secret@git.acme.example/mirrors/x"]
"""
    service = policy_of(load_text(text)).services["checkout"]
    assert service.repositories == ("github.com/acme/x", "git.acme.example/mirrors/x")
