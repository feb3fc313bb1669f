"""What production must not share with others, and what everybody may have."""

from datetime import UTC, datetime
from typing import Any

import pytest

from detector.queries.files import FileState, compare_files, tier_of, with_tiers
from detector.reader import Part
from tests.builders import FINGERPRINTER, ROTATED, compare, drifts, keys, section, told

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def config(values: dict[str, str], **more: Any) -> Any:
    return {"config": section(keys(values, **more))}


def test_w44_staging_that_writes_to_the_database_of_production() -> None:
    """Staging was forked from prod. It has a user of its own, and prod's database."""
    staging = config({"DATABASE_URL": "postgres://staging:one@db.acme.example/shop?sslmode=require"})
    prod = config({"DATABASE_URL": "postgres://shop:other@db.acme.example:5432/shop"})
    assert told(compare(staging, prod)) == [("DATABASE_URL", "shared_endpoint", "drift", "critical")]


def test_w44_names_inside_a_network_mean_another_host_in_each() -> None:
    """Compose calls the database `db` in each environment, and it is another one in each."""
    for host in ("db", "localhost", "127.0.0.1", "db.shop.svc.cluster.local"):
        sides = [config({"DATABASE_URL": f"postgres://{user}@{host}/shop"}) for user in ("a", "b")]
        assert "shared_endpoint" not in {line[1] for line in told(compare(sides[0], sides[1]))}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SENTRY_DSN", "https://public@o1.ingest.sentry.io/1"),
        ("PAYMENT_URL", "https://api.stripe.com/v1"),
        ("STRIPE_PUBLISHABLE_KEY", "pk_live_made_up"),
        ("ORDERS_PARTITION_KEY", "customer_id"),
    ],
)
def test_w45_what_is_public_may_be_the_same_everywhere(name: str, value: str) -> None:
    """Staging and production use one public value, as its makers advise."""
    assert told(compare(config({name: value}), config({name: value}))) == []


def test_w45_a_url_with_a_password_may_not() -> None:
    """The same with a password in it is a secret that two environments share."""
    both = config({"WEBHOOK_URL": "https://hook:password@hooks.acme.example/in"})
    assert told(compare(both, both)) == [("WEBHOOK_URL", "shared_secret", "drift", "high")]


def test_w46_a_key_that_production_alone_has_is_medium() -> None:
    """Staging does without a key that production has, so nothing was tested with it."""
    some, more = config({"A": "some text"}), config({"A": "some text", "WEB_CONCURRENCY": "4"})
    assert drifts(compare(some, more)) == {"WEB_CONCURRENCY": "medium"}


def test_w47_a_new_fingerprint_key_on_half_of_the_agents_tells_nothing() -> None:
    """A shared secret was found; then staging's agent gets the new key, and prod's has the old one."""
    values = {"API_TOKEN": "one secret"}
    before = compare(config(values), config(values))
    assert drifts(before) == {"API_TOKEN": "high"}
    between = compare(config(values, fingerprinter=ROTATED), config(values, fingerprinter=FINGERPRINTER))
    assert [(line[0], line[2]) for line in told(between)] == [("API_TOKEN", "unknown")]
    after = compare(config(values, fingerprinter=ROTATED), config(values, fingerprinter=ROTATED))
    assert drifts(after) == {"API_TOKEN": "high"}


def copied_to(name: str) -> FileState:
    """Return a file with ten secrets in it, the same ones in every file."""
    copied = keys({f"SERVICE_{number}_TOKEN": f"made up secret {number}" for number in range(10)})
    return FileState(expression=name, parts=(Part(sections={"config": section(copied, basis="declared")}),))


def test_w49_ten_copied_secrets_are_found_by_the_very_first_command() -> None:
    """`parity diff .env.staging .env.prod`: no server, no config, no tiers but the names of the files."""
    left, right = with_tiers(copied_to(".env.staging"), copied_to(".env.prod"), None)
    assert (left.tier, right.tier) == ("staging", "production")
    found = compare_files(left, right, now=NOW)
    drift = [(one.key.kind, one.severity) for one in found.items if one.verdict == "drift"]
    assert drift == [("shared_secret", "high")] * 10


def test_w49_without_a_tier_in_the_name_there_is_no_production_side_to_protect() -> None:
    """The same two files under names that say nothing, until somebody says `--as staging,prod`."""
    files = copied_to("one.env"), copied_to("other.env")
    unnamed = compare_files(*with_tiers(*files, None), now=NOW)
    assert [one for one in unnamed.items if one.verdict == "drift"] == []
    said = compare_files(*with_tiers(*files, ("staging", "production")), now=NOW)
    assert len([one for one in said.items if one.key.kind == "shared_secret"]) == 10


@pytest.mark.parametrize(
    ("path", "tier"),
    [
        (".env.prod", "production"), (".env.production", "production"), ("live/.env", "production"),
        (".env.staging", "staging"), (".env.preprod", "staging"), (".env.non-prod", "staging"),
        (".env.nonprod", "staging"), (".env.dev", "development"), (".env.local", "development"),
        (".env.test", "development"), ("prod/.env.staging", "staging"),  # the file before its folder
        (".env", "unknown"), ("products/.env", "unknown"), ("delivery.env", "unknown"),  # whole words
    ],
)  # fmt: skip
def test_w49_the_tier_is_in_whole_words_of_the_name(path: str, tier: str) -> None:
    assert tier_of(path) == tier
