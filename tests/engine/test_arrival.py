"""What a release meets where it arrives: what it closes, what opens, what is missing."""

from collections.abc import Mapping
from typing import Any

from detector.engine.arrival import Arrival, arrival_of
from detector.engine.pack import PACK
from detector.engine.policy import Service
from detector.engine.verdicts import Both
from detector.engine.view import Interner
from detector.model.facts import Value
from tests.builders import NOW, STAGING_TO_PROD, keys, section, stream, streams_of, view


def arriving(left: Any, right: Any) -> Arrival:
    interner = Interner()
    both = Both(
        service=Service(name="shop"),
        left=view(*streams_of(left), environment="staging", interner=interner),
        right=view(*streams_of(right), environment="prod", interner=interner),
        first=False,
    )
    return arrival_of(both, pair=STAGING_TO_PROD, rules=PACK, now=NOW, interner=interner)


def shop(tag: str, *, django: str = "5.2", head: str = "0041_a", pg: str = "16.3", **more: str) -> Any:
    facts: Mapping[str, Value] = {"main#product": "postgresql", "main#version": pg}
    return {
        "release": section({"image#repository": "acme/shop", "image#tag": tag}),
        "dependencies": section({"pkg:pypi/django": django}),
        "admin": section({"migration/django": head}),
        "backing_services": section(facts),
        "config": section(keys(more, A="some text")),
    }


def names(judged: Any) -> list[str]:
    return [one.key.item for one in judged]


def test_what_the_release_brings_closes_and_what_it_needs_is_missing() -> None:
    left = shop("1.5", django="5.2", head="0042_b", STRIPE_KEY="a secret", PROXY_URL="http://p.example")
    found = arriving(left, shop("1.4", django="5.1", pg="14.11"))
    assert (found.release, found.replaces) == ("1.5", "1.4")
    assert sorted(names(found.closes)) == ["image#tag", "pkg:pypi/django"]
    assert names(found.missing) == ["PROXY_URL", "STRIPE_KEY"]
    assert names(found.migrations) == ["migration/django"]
    assert names(found.servers) == ["main#version"]
    # The server differs today as well; keys and head were expected as long as the release led.
    assert sorted(names(found.opens)) == ["PROXY_URL", "STRIPE_KEY", "migration/django"]
    assert {one.severity for one in (*found.missing, *found.migrations)} == {"high"}


def test_keys_that_the_release_asks_for_come_before_those_that_were_missing_anyway() -> None:
    """A key that prod lacked before this release is missing too, and no news."""
    left = {**shop("1.5", NEW_KEY="b"), "config": section(keys(A="some text", NEW_KEY="b"))}
    web = stream(left, component="web")
    # The worker's image did not change: what it lacks is its own affair.
    worker = stream({"config": section(keys(A="some text", LOST="c"))}, component="worker")
    bare = stream({"config": section(keys(A="some text"))}, component="worker")
    found = arriving([web, worker], [stream(shop("1.4"), component="web"), bare])
    assert names(found.missing) == ["NEW_KEY", "LOST"]
    assert names(found.opens) == ["NEW_KEY"]


def test_a_database_that_is_ahead_waits_for_nothing() -> None:
    assert arriving(shop("1.5", head="0041_a"), shop("1.4", head="0042_b")).migrations == ()


def test_heads_that_are_hashes_are_pending_where_they_differ() -> None:
    found = arriving(shop("1.5", head="5f0c8d2e91ab"), shop("1.4", head="9be1c0aa1234"))
    assert names(found.migrations) == ["migration/django"]


def test_a_process_type_that_the_release_brings_is_no_drift_then() -> None:
    worker = stream({"config": section(keys(B="b"))}, component="worker")
    found = arriving([stream(shop("1.5"), component="web"), worker], [stream(shop("1.4"), component="web")])
    assert "process" in names(found.closes)
    assert found.others == ()


def test_nothing_stands_against_a_release_that_needs_nothing_new() -> None:
    found = arriving(shop("1.5"), shop("1.4"))
    assert (found.missing, found.migrations, found.servers, found.others, found.opens) == ((), (), (), (), ())
    assert names(found.closes) == ["image#tag"]


def test_a_commit_names_a_release_without_a_tag() -> None:
    both: Any = {"codebase": section({"repo#commit": "0123456789abcdef0123456789abcdef01234567"})}
    assert arriving(both, both).release == "0123456789ab"
