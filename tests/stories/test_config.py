"""What the code needs of its config, and what of the config is only right elsewhere."""

from collections.abc import Mapping
from typing import Any

import pytest

from detector.engine.policy import Environment, Pair
from detector.engine.rules import Match, Outcome, Rule
from tests.builders import (
    DEV,
    DEV_TO_STAGING,
    PROD,
    ROTATED,
    STAGING,
    STAGING_TO_PROD,
    compare,
    drifts,
    keys,
    only,
    section,
    stream,
    told,
)

HOOKS = "billing/hooks.py:14"


def config(values: Mapping[str, str] | None = None, **more: Any) -> Any:
    return stream({"config": section(keys({**(values or {})}, **more), basis="declared")}, source="dotenv")


def code(**reads: bool) -> Any:
    """What a source of reads tells: key -> whether the code goes on without it."""
    places = {key: [{"at": HOOKS, "default": default}] for key, default in reads.items()}
    read = section(basis="declared", covers=(), sees=(), reads=places)
    return stream({"config": read}, source="reads")


def rule(match: Match, **outcome: Any) -> Rule:
    return Rule(name="parity.yml:9", match=match, outcome=Outcome(**outcome))


# -- W44, W45 ---------------------------------------------------------------------------------------------


def test_w44_with_the_endpoint_left_out_nobody_is_told() -> None:
    """Staging, forked from prod, keeps prod's database under a user of its own. Only values are compared."""
    staging, prod = (
        config({"DATABASE_URL": f"postgres://{user}@db.acme.example/shop"})
        for user in ("staging:one", "shop:other")
    )
    assert told(compare(staging, prod)) == [("DATABASE_URL", "shared_endpoint", "drift", "critical")]
    for side in (staging, prod):
        del side.sections["config"].facts["DATABASE_URL"]["endpoint"]
    assert told(compare(staging, prod)) == []


def test_w45_where_every_url_had_to_differ_each_public_one_would_be_an_alarm() -> None:
    """Staging and prod use one Sentry project and one payment service, as their makers advise."""
    public = {"SENTRY_DSN": "https://public@o1.sentry.example/1", "PAYMENT_URL": "https://api.pay.example/v1"}
    assert told(compare(config(public), config(public))) == []
    naive = rule(Match(section=("config",), item=("*_URL", "*_DSN")), expect="differ")
    assert drifts(compare(config(public), config(public), rules=[naive])) == {
        "PAYMENT_URL": "medium", "SENTRY_DSN": "medium",
    }  # fmt: skip


# -- W46 --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "reads", "severity"),
    [
        (STAGING, PROD, None, "high"),
        (DEV, PROD, None, "high"),
        (DEV, STAGING, None, "info"),
        (STAGING, PROD, {"KEY": True}, "info"),  # the code goes on without it
        (DEV, STAGING, {"KEY": False}, "high"),  # the code does not
        (STAGING, PROD, {"OTHER": True}, "info"),  # no code asks for it
    ],
)
def test_w46_how_grave_a_missing_key_is_follows_from_where_and_from_the_code(
    left: Environment, right: Environment, reads: Any, severity: str
) -> None:
    """`KEY` is in the file of the earlier environment, and not in that of the later one."""
    side = [config({"KEY": "some text"}), *([code(**reads)] if reads else [])]
    found = only(compare(side, config(), pair=Pair(left=left, right=right)), "KEY")
    assert found.severity == severity


def test_w46_the_remedy_says_where_the_code_reads_it() -> None:
    """Whoever is told of a missing key wants to see who asks for it."""
    found = only(compare([config({"KEY": "some text"}), code(KEY=False)], config()), "KEY")
    assert found.remedy == f"in prod: set KEY   # read at {HOOKS}, no default"


def test_w46_without_tiers_and_reads_each_missing_key_would_be_high() -> None:
    """Dev alone has the debug toolbar, prod alone Sentry and its number of workers: as they should be."""
    dev, staging = config({"DEBUG_TOOLBAR": "on it is"}), config()
    prod = config({"WEB_CONCURRENCY": "4", "SENTRY_DSN": "https://public@o1.sentry.example/1"})

    def severities(*rules: Rule) -> dict[str, str]:
        before = compare(dev, staging, pair=DEV_TO_STAGING, rules=rules)
        return drifts(before) | drifts(compare(staging, prod, rules=rules))

    assert severities() == {"DEBUG_TOOLBAR": "info", "WEB_CONCURRENCY": "medium", "SENTRY_DSN": "medium"}
    naive = rule(Match(status=("left_only", "right_only")), severity={"*": "high"})
    assert severities(naive) == dict.fromkeys(severities(), "high")


def test_w46_a_key_that_the_code_needs_and_nobody_set() -> None:
    """Release 2.0 reads a new key; it was forgotten in both files, so no difference shows it."""
    staging = [config({"A": "x"}), code(A=True, STRIPE_WEBHOOK_SECRET=False)]
    found = compare(staging, config({"A": "x"}))
    assert told(found) == [("STRIPE_WEBHOOK_SECRET", "read_but_unset", "drift", "high")]
    assert told(compare([config({"A": "x"})], config({"A": "x"}))) == [], "without reads nobody is told"


# -- W47 --------------------------------------------------------------------------------------------------


def test_w47_taken_for_the_same_key_two_fingerprints_would_end_an_open_finding() -> None:
    """Half of the agents got a new fingerprint key while a secret was shared."""
    values = {"API_TOKEN": "one secret"}
    old, new = config(values), config(values, fingerprinter=ROTATED)
    assert [line[2] for line in told(compare(old, new))] == ["unknown"]
    shape = new.sections["config"].facts["API_TOKEN"]
    mine = old.sections["config"].facts["API_TOKEN"]["fingerprint"].partition(":")[0]
    shape["fingerprint"] = f"{mine}:{shape['fingerprint'].partition(':')[2]}"
    assert told(compare(old, new)) == [], "the key's id left out: silence"


# -- further ----------------------------------------------------------------------------------------------


def test_a_default_of_development_that_production_would_run_with() -> None:
    """`DATABASE_URL` was forgotten in prod; the code falls back to SQLite, and everything seems to work."""
    read = section(
        basis="declared", covers=(), sees=(),
        reads={"DATABASE_URL": [{"at": "shop/db.py:4", "default": True, "stand_in": "local"}]},
    )  # fmt: skip
    reads = stream({"config": read}, source="reads")
    found = only(compare([config({"DATABASE_URL": "postgres://db/shop"}), reads], config()), "DATABASE_URL")
    assert (found.verdict, found.severity) == ("drift", "high")
    nobody = only(compare([config(), reads], config()), "DATABASE_URL")
    assert nobody.key.kind == "default_in_production"
    assert told(compare([config(), reads], config(), pair=DEV_TO_STAGING)) == [], "it is meant for there"


def test_production_that_still_talks_to_staging() -> None:
    """A URL was copied from staging's file. Staging itself names the service by another key."""
    prod = config({"SEARCH_URL": "https://search.staging.acme.example/v2"})
    assert told(compare(config({"SEARCH_URL": "https://search.acme.example/v2"}), prod)) == [
        ("SEARCH_URL", "nonproduction_host", "drift", "high")
    ]
    off = rule(Match(kind=("nonproduction_host",)), ignore=True)
    left = config({"SEARCH_URL": "https://search.acme.example/v2"})
    assert told(compare(left, prod, rules=[off], pair=STAGING_TO_PROD)) == []
