"""What one difference is called: enough to act on, and never a value."""

from typing import Any

import pytest

from detector.alerts.wording import difference_of


def url(scheme: str) -> dict[str, Any]:
    return {"present": True, "value": {"type": "url", "scheme": scheme, "host": "private"}}


def item(**said: Any) -> dict[str, Any]:
    return {"section": "config", "item": "QUEUE_URL", "kind": "difference", "status": "changed", **said}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            item(kind="substitution", left=url("sqlite"), right=url("amqps")),
            "QUEUE_URL leads to sqlite in dev and to rabbitmq in prod",
        ),
        # A scheme that is no backing service's may be anything: it is not said.
        (
            item(kind="substitution", left=url("sqlite"), right=url("hunter2")),
            "QUEUE_URL leads to sqlite in dev and to something else in prod",
        ),
        (item(left=url("redis"), right=url("rediss")), "QUEUE_URL differs"),
        (item(status="left_only", left=url("redis"), right={"present": False}), "QUEUE_URL missing in prod"),
        (
            item(status="right_only", left={"present": False}, right=url("redis")),
            "QUEUE_URL missing in dev",
        ),
        (
            item(status="unknown", left={"unknown": "denied"}, right=url("redis")),
            "QUEUE_URL cannot be seen now",
        ),
    ],
)
def test_a_difference_in_words(said: dict[str, Any], words: str) -> None:
    assert difference_of(said, "dev", "prod") == words


def test_a_successor_is_called_by_its_own_name() -> None:
    said = item(
        section="dependencies",
        item="pkg:pypi/psycopg2",
        left={"present": True, "value": "2.9.9"},
        right={"present": True, "value": "2.9.10", "item": "pkg:pypi/psycopg2-binary"},
    )
    assert difference_of(said, "dev", "prod") == "psycopg2 2.9.9 → psycopg2-binary 2.9.10"
    turned = {**said, "left": said["right"], "right": said["left"]}
    assert difference_of(turned, "prod", "dev") == "psycopg2-binary 2.9.10 → psycopg2 2.9.9"
