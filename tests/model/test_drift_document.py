"""A drift as JSON shows it."""

from datetime import UTC, datetime

import pytest

from detector.model.records import Drift, Key
from detector.model.words import Pending, State


@pytest.mark.parametrize(
    ("state", "judged", "shown"),
    [
        ("pending", None, "confirm"),  # judged before there was a row that could wait
        ("pending", "confirm", "confirm"),
        ("open", "confirm", None),  # the judgement that confirmed it still saw it wait
        ("open", None, None),
        ("open", "skew", "skew"),
        ("pending", "rollout", "rollout"),
        ("resolved", "confirm", None),
    ],
)
def test_a_drift_waits_for_confirmation_as_long_as_it_is_pending(
    state: State, judged: Pending | None, shown: Pending | None
) -> None:
    drift = Drift(
        id="01JD9W3Z6M6C3Y9S5V2H3R7K1A",
        comparison="staging..prod",
        key=Key("checkout", "main", "config", "DEBUG", "difference"),
        state=state,
        severity="high",
        owner=None,
        opened_at=datetime(2026, 11, 22, tzinfo=UTC),
        item={"pending": judged},
    )
    assert drift.document()["pending"] == shown
