"""What the code reads, beside what is set: graver, milder, and what nobody sets."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from detector.engine.policy import Pair
from detector.engine.settling import settled
from detector.model.records import Key
from tests.builders import (
    DEV,
    DEV_TO_STAGING,
    PROD,
    STAGING_TO_PROD,
    Side,
    ago,
    compare,
    drifts,
    failed,
    keys,
    only,
    policy,
    section,
    stream,
    told,
    view,
)

AT = "billing/hooks.py:14"
NEEDED = {"at": AT, "default": False}
OPTIONAL = {"at": AT, "default": True}


def code(*, status: Any = "complete", **places: Mapping[str, Any]) -> Any:
    """A source that tells what the code reads, and nothing of what is set."""
    return stream(
        {
            "config": section(
                basis="declared",
                covers=(),
                sees=(),
                status=status,
                reads={key: [dict(place)] for key, place in places.items()},
            )
        },
        source="reads",
    )


def config(values: Mapping[str, str] | None = None, **more: str) -> Any:
    return stream({"config": section(keys({**(values or {}), **more}), basis="declared")}, source="dotenv")


def both(left: Side, right: Side, **more: Any) -> Any:
    return compare(left, right, **more)


@pytest.mark.parametrize(
    ("place", "pair", "severity", "remedy"),
    [
        (NEEDED, STAGING_TO_PROD, "high", f"in prod: set KEY   # read at {AT}, no default"),
        (NEEDED, DEV_TO_STAGING, "high", f"in staging: set KEY   # read at {AT}, no default"),
        (OPTIONAL, STAGING_TO_PROD, "info", f"in prod: set KEY   # read at {AT}, with a default"),
        (
            {**OPTIONAL, "stand_in": "loopback"},
            STAGING_TO_PROD,
            "high",
            f"in prod: set KEY   # read at {AT}, whose default is the machine itself",
        ),
        ({**OPTIONAL, "stand_in": "loopback"}, DEV_TO_STAGING, "info", None),
        ({**OPTIONAL, "declared": True}, STAGING_TO_PROD, "high", f"in prod: set KEY   # named in {AT}"),
    ],
)
def test_how_grave_a_missing_key_is_follows_what_the_code_does(
    place: Any, pair: Pair, severity: str, remedy: str | None
) -> None:
    found = only(both([config(KEY="some text"), code(KEY=place)], [config()], pair=pair), "KEY")
    assert found.severity == severity
    assert remedy is None or found.remedy == remedy


def test_a_source_of_reads_proves_no_key_missing_and_measures_none() -> None:
    verdicts = both([code(KEY=OPTIONAL)], [config(KEY="some text")])
    assert told(verdicts) == []
    assert verdicts.not_measured == ("config",)
    one, other = [config(A="x"), code(A=OPTIONAL)], [config(A="x")]
    assert told(both(one, other)) == []
    assert both(one, other).coverage.complete


def test_it_names_no_process_type() -> None:
    web = stream({"config": section(keys(A="x")), "processes": section({"command": "x"})}, component="web")
    assert told(both([web, code(A=NEEDED)], [web])) == []


def test_code_that_was_not_understood_leaves_no_key_unknown_and_is_listed() -> None:
    blind = stream(
        {
            "config": section(
                basis="declared",
                status="partial",
                covers=(),
                unseen=[("reads#computed", "not_in_view")],
                reads={"OTHER": [OPTIONAL]},
            )
        },
        source="reads",
    )
    verdicts = both([config(KEY="some text"), blind], [config()])
    assert drifts(verdicts) == {"KEY": "high"}, "it may be read by what was not understood"
    assert [one.item for one in verdicts.coverage.unseen] == ["reads#computed"]
    assert verdicts.coverage.complete
    whole = both([config(KEY="some text"), code(OTHER=OPTIONAL)], [config()])
    assert only(whole, "KEY").severity == "info"


def test_a_key_that_the_code_reads_and_neither_side_sets() -> None:
    sides: tuple[Side, Side] = [config(A="x"), code(A=OPTIONAL, KEY=NEEDED)], [config(A="x")]
    assert told(both(*sides)) == [("KEY", "read_but_unset", "drift", "high")]
    assert told(both(*sides, pair=DEV_TO_STAGING)) == [("KEY", "read_but_unset", "drift", "medium")]
    assert only(both(*sides), "KEY").remedy == f"in prod: set KEY   # read at {AT}, no default"


@pytest.mark.parametrize(
    ("right", "why"),
    [
        (stream({"config": section(basis="declared", sees=["literal"])}), "it may be a secret"),
        (stream({"config": failed()}), "it could not be looked at"),
        (stream({"config": section(unseen=[("*", "not_in_view")], status="partial")}), "a part is unseen"),
        (stream({"dependencies": section()}), "nobody looks at config there"),
    ],
)
def test_where_a_key_could_be_set_unseen_it_is_not_said_to_be_set_nowhere(right: Any, why: str) -> None:
    verdicts = both([config(), code(KEY=NEEDED)], [right])
    assert [line for line in told(verdicts) if line[1] == "read_but_unset"] == [], why


def test_platforms_set_what_nobody_configures() -> None:
    assert told(both([config(), code(PORT=NEEDED, HOME=NEEDED)], [config()])) == []


@pytest.mark.parametrize(
    ("stand_in", "words"),
    [
        ("placeholder", "whose default is a placeholder"),
        ("local", "whose default is a stand-in of development"),
        ("secret", "whose default is a secret in the code"),
    ],
)
def test_a_default_that_would_be_used_in_production(stand_in: str, words: str) -> None:
    sides: tuple[Side, Side] = [config(), code(KEY={**OPTIONAL, "stand_in": stand_in})], [config()]
    found = only(both(*sides), "KEY")
    assert (found.key.kind, found.severity) == ("default_in_production", "high")
    assert found.remedy == f"in prod: set KEY   # read at {AT}, {words}"
    assert told(both(*sides, pair=DEV_TO_STAGING)) == []


def test_what_is_set_and_read_nowhere_is_one_finding() -> None:
    side: Side = [config(OLD="x", OLDER="y", USED="z", AWS_REGION="a", SENTRY_DSN="b"), code(USED=NEEDED)]
    found = only(both(side, [config(OLD="x", OLDER="y", USED="z", AWS_REGION="a", SENTRY_DSN="b")]), "keys")
    assert (found.key.kind, found.comparison, found.severity) == ("set_but_unread", "staging", "info")
    assert found.right.value == ["OLD", "OLDER"]
    partly = both([config(OLD="x"), code(status="partial", USED=NEEDED)], [config(OLD="x")])
    assert [one for one in partly.items if one.key.item == "keys"] == [], "it may be read there"


def settling(left: Any, right: Any, kind: str = "read_but_unset", item: str = "KEY") -> bool | None:
    ours, theirs = view(*left), view(*right, environment="prod")
    return settled(ours, theirs, Key("shop", "main", "config", item, kind))  # type: ignore[arg-type]


def test_what_becomes_of_a_key_that_was_set_nowhere() -> None:
    needs, lacks = [config(), code(KEY=NEEDED)], [config()]
    assert settling(needs, lacks) is False, "it is still so: only a rule can hide it"
    assert settling(needs, [config(KEY="x")]) is True
    assert settling([config(), code(OTHER=NEEDED)], lacks) is True, "the code reads it no more"
    assert settling([config(), code(status="partial", OTHER=NEEDED)], lacks) is None
    assert settling([config()], lacks) is None, "the source of reads is gone: nobody looked"
    assert settling(needs, [stream({"config": failed()})]) is None


def test_what_becomes_of_keys_that_nobody_read() -> None:
    def after(*streams: Any) -> bool | None:
        return settling(streams, streams, "set_but_unread", "keys")

    assert after(config(OLD="x"), code(OLD=NEEDED)) is True
    assert after(config(OLD="x"), code(OTHER=NEEDED)) is False
    assert after(config(OLD="x"), code(status="partial", OTHER=NEEDED)) is None
    assert after(config(OLD="x")) is None


def test_reads_that_are_old_make_no_key_unread() -> None:
    old = stream(
        {"config": section(basis="declared", covers=(), reads={"OTHER": [OPTIONAL]})},
        source="reads",
        seen=ago(days=3),
    )
    here = view(config(KEY="x"), old, policies=[policy("reads", valid=timedelta(days=1))])
    assert not here.reads["main"].whole


def test_swapped_environments_have_the_same_findings() -> None:
    pair = Pair(left=PROD, right=DEV)
    assert told(both([config()], [config(), code(KEY=NEEDED)], pair=pair)) == [
        ("KEY", "read_but_unset", "drift", "medium")
    ]
