"""Shapes and fingerprints: enough to see same and different, and never the value."""

import base64
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from detector.model.fingerprints import Fingerprinter, key_id_of
from detector.model.shapes import host_class, is_secret_name, product_of_scheme, reference_shape, shape_of
from tests.builders import FINGERPRINTER, ROTATED
from tests.proof import examples


def shape(value: str, name: str = "KEY", **more: Any) -> dict[str, Any]:
    return shape_of(name, value, FINGERPRINTER, **more)


@pytest.mark.parametrize(
    ("value", "type"),
    [
        ("", "empty"), ("\n", "empty"), ("\r\n", "empty"), ("true", "bool"), ("Off", "bool"), ("12", "int"),
        ("-3\n", "int"), ("1.5", "text"), ("https://example.com", "url"), ("postgres://db/x", "url"),
        ("/var/run/x.sock", "path"), ("./here", "path"), ("~/there", "path"), ("/a path", "text"),
        ('{"a": 1}', "json"), ("[1, 2]", "json"), ("{not json}", "text"), ("[" * 100_000, "text"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE", "pem"), ("${OTHER}", "template"),
        ("https://${HOST}/x", "template"), ("debug", "text"), (" ", "text"),
    ],
)  # fmt: skip
def test_the_type_of_a_value(value: str, type: str) -> None:
    assert shape(value)["type"] == type


@pytest.mark.parametrize(
    ("value", "name", "compare", "has_one"),
    [
        ("some text", "KEY", False, True),
        ("12", "KEY", False, True),
        ("", "API_TOKEN", True, False),
        ("true", "KEY", False, False),  # two candidates are no secret from whoever holds the key
        ("debug", "LOG_LEVEL", False, False),
        ("debug", "LOG_LEVEL", True, True),  # the source asks for it
        ("true", "KEY", True, True),
        ("hunter", "DB_PASSWORD", False, True),
        ("aVeryLongSingleWord", "KEY", False, True),
    ],
)
def test_what_carries_a_fingerprint(value: str, name: str, *, compare: bool, has_one: bool) -> None:
    assert ("fingerprint" in shape(value, name, compare=compare)) is has_one


@pytest.mark.parametrize(
    "value",
    [
        "jdbc:postgresql://db.internal:5432/shop",
        "jdbc:postgresql://db.internal/shop?user=a&password=b",
        "r2dbc:postgresql://db.internal/shop",
    ],
)
def test_a_url_for_a_java_driver_names_the_same_endpoint(value: str) -> None:
    assert shape(value)["endpoint"] == shape("postgres://a:b@db.internal/shop", "OTHER")["endpoint"]
    assert shape(value)["scheme"] == "postgresql"
    assert shape("jdbc:sqlserver://db.internal:1433;databaseName=shop")["host"] == "private"
    assert shape("jdbc:oracle:thin:@//db:1521/shop")["type"] == "text"


def test_one_trailing_newline_does_not_count() -> None:
    assert shape("some text\n") == shape("some text\r\n") == shape("some text")
    assert shape("some text\n\n") != shape("some text")
    assert shape("some text\r") != shape("some text")


@pytest.mark.parametrize(
    ("value", "more"),
    [
        ("https://example.com/x", {"scheme": "https", "host": "public"}),
        ("https://user@example.com/x", {"scheme": "https", "host": "public"}),  # no password
        ("https://user:pw@10.0.0.7", {"scheme": "https", "host": "private", "credentials": True}),
        ("redis://:pw@cache:6379", {"scheme": "redis", "host": "container", "credentials": True}),
        ("postgresql+asyncpg://127.0.0.1/x", {"scheme": "postgresql+asyncpg", "host": "loopback"}),
        ("sqlite:///shop.db", {"scheme": "sqlite"}),
        ("https://[broken", {"scheme": "https"}),
        # What nobody registered could be the first half of a secret.
        ("hunter2secret://x", {"host": "container"}),
        ("redis+hunter2://x", {"scheme": "redis", "host": "container"}),
    ],
)
def test_what_is_kept_of_a_url(value: str, more: dict[str, Any]) -> None:
    found = shape(value)
    for name in ("fingerprint", "endpoint", "type", "source_class"):
        found.pop(name, None)
    assert found == more


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("localhost", "loopback"), ("127.0.0.1", "loopback"), ("[::1]", "loopback"), ("0.0.0.0", "loopback"),
        ("api.localhost", "loopback"), ("db", "container"), ("db.shop.svc", "container"),
        ("db.local", "container"), ("db.shop.svc.cluster.local.", "container"), ("10.1.2.3", "private"),
        ("169.254.169.254", "private"), ("fd00::1", "private"), ("db.corp", "private"),
        ("db.internal", "private"), ("8.8.8.8", "public"), ("DB.example.com.", "public"),
    ],
)  # fmt: skip
def test_how_far_a_host_is(host: str, kind: str) -> None:
    assert host_class(host) == kind


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("postgres://a:b@DB.example.com/x?sslmode=require", "postgresql://c@db.example.com:5432/x/", True),
        ("postgres://db.example.com/x", "postgres://db.example.com/y", False),
        ("redis://a.example.com/0", "rediss://a.example.com/0", True),
        ("mongodb://b.example.com,a.example.com/x", "mongodb://a.example.com,b.example.com/x", True),
        ("postgres://[fd00::1]/x", "postgres://[fd00::1]:5432/x", True),
    ],
)
def test_an_endpoint_is_host_port_and_path(one: str, other: str, *, same: bool) -> None:
    ours, theirs = shape(one, "A_URL")["endpoint"], shape(other, "B_URL")["endpoint"]
    assert (ours == theirs) is same


@pytest.mark.parametrize("url", ["https://example.com/x", "smtp://relay.example.com", "sqlite:///x.db"])
def test_what_keeps_no_state_has_no_endpoint(url: str) -> None:
    assert "endpoint" not in shape(url)


@pytest.mark.parametrize(
    "value", ["changeme", "CHANGE_ME_please", "your-key-here", "<secret>", "xxxx", "tbd", "dummy-token"]
)
def test_placeholders_are_known(value: str) -> None:
    assert shape(value)["placeholder"] is True
    assert "placeholder" not in shape("some text")


def test_a_reference_is_present_and_nothing_more_is_known() -> None:
    assert reference_shape() == {"type": "text", "source_class": "secret_ref", "opaque": True}


def test_secret_names_are_whole_words() -> None:
    assert is_secret_name("stripe-api-key")
    assert is_secret_name("db.password")
    assert not is_secret_name("TOKENS")
    assert not is_secret_name("GPG_KEY")


def test_products_behind_schemes() -> None:
    assert product_of_scheme("postgresql+psycopg") == "postgresql"
    assert product_of_scheme("https") is None


# -- nothing of the value ---------------------------------------------------------------------------------

SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), min_size=7, max_size=40)
WORDS = "source_class literal fingerprint credentials placeholder endpoint container loopback"
TEMPLATES = st.sampled_from(
    ["{}", "https://user:{}@example.com/x", "postgres://app:{}@db/shop", "{}://x", "https://example.com/{}",
     "redis+{}://cache", '{{"key": "{}"}}', "/run/{}", "-----BEGIN {}", "${{{}}}", "https://{}.example.com"]
)  # fmt: skip


@settings(max_examples=examples(400), derandomize=True, deadline=None)
@given(SECRETS, TEMPLATES, st.sampled_from(["KEY", "API_TOKEN", "DATABASE_URL"]))
def test_a_shape_never_contains_the_value(secret: str, template: str, name: str) -> None:
    """Values never leave the collector: not as they are, and not in base64, hex or URL encoding."""
    value = template.format(secret)
    kept = orjson.dumps(shape(value, name)).decode().lower()
    encoded = secret.encode()
    traces = {
        secret,
        base64.b64encode(encoded).decode().rstrip("="),
        base64.urlsafe_b64encode(encoded).decode().rstrip("="),
        encoded.hex(),
        quote(secret),
        orjson.dumps(secret).decode().strip('"'),
    }
    # A secret that is itself a word of every shape gives nothing away.
    assume(
        secret.lower() not in "literalsource_classfingerprintcredentialsplaceholderendpointcontainerloopback"
    )
    assert not [trace for trace in traces if len(trace) >= 7 and trace.lower() in kept]


def test_a_fingerprint_binds_value_name_and_key() -> None:
    one = FINGERPRINTER.of("KEY", "some text")
    assert one == FINGERPRINTER.of("KEY", "some text")
    assert one != FINGERPRINTER.of("OTHER", "some text")  # equal values under two names are not linked
    assert one != FINGERPRINTER.of("KEY", "other text")
    assert one != ROTATED.of("KEY", "some text")
    assert FINGERPRINTER.of("A", "BC") != FINGERPRINTER.of("AB", "C")
    assert FINGERPRINTER.of_endpoint("KEY") != FINGERPRINTER.of("", "KEY")


def test_a_fingerprint_names_its_key_and_has_128_bits() -> None:
    key, _, tag = FINGERPRINTER.of("KEY", "some text").partition(":")
    assert key == FINGERPRINTER.key_id == key_id_of(FINGERPRINTER.of("A", "b"))
    assert len(tag) == 32
    assert FINGERPRINTER.key_id != ROTATED.key_id


def test_the_fingerprint_key_is_never_shown_and_never_short() -> None:
    assert "made up" not in repr(FINGERPRINTER)
    with pytest.raises(ValueError, match="32 bytes"):
        Fingerprinter(b"short")
