"""``parity.observation/v1``: what is read, what is refused and where, and that no value is ever repeated."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import md5, sha256
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.model import wire_facts, wire_shapes
from detector.model.canonical import canonical, observation_document
from detector.model.facts import Observation, Section, Unseen
from detector.model.wire import WireError, json_document, observations_from
from detector.model.words import (
    BASES,
    COMPLETENESS,
    COMPONENT_KINDS,
    REASONS,
    SOURCE_CLASSES,
    TRAFFIC,
    SectionName,
)
from tests.proof import examples

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
FINGERPRINT = "k1:" + "5f0c" * 8


def observation(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "schema": "parity.observation/v1",
        "environment": "prod-eu",
        "service": "checkout",
        "source": "ci",
        "observed_at": "2026-11-22T09:28:14Z",
        "sections": {},
    }
    return {key: value for key, value in (document | changes).items() if value is not ...}


def with_facts(section: str, facts: Any, **changes: Any) -> dict[str, Any]:
    return observation(
        sections={section: {"basis": "running", "status": "complete", "facts": facts, **changes}}
    )


def faults(document: Any) -> list[tuple[str, str]]:
    with pytest.raises(WireError) as caught:
        observations_from(document, now=NOW)
    return [(error["pointer"], error["code"]) for error in caught.value.errors]


def facts_of(document: Any, section: SectionName) -> dict[str, Any]:
    return dict(observations_from(document, now=NOW)[0].sections[section].facts)


def test_what_may_be_left_out_has_its_default() -> None:
    document = observation(sections={"config": {"basis": "built", "status": "complete", "facts": {}}})
    read = observations_from(document, now=NOW)[0]
    assert (read.component, read.component_kind, read.traffic) == ("main", "process", "live")
    assert read.sections == {"config": Section(basis="built")}
    assert read.observed_at == datetime(2026, 11, 22, 9, 28, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"{", "malformed-json"),
        (b"", "malformed-json"),
        (b"[" * 100_000, "too-deep"),
        (b"[" * 65 + b"]" * 65, "too-deep"),
        (b'{"a": NaN}', "malformed-json"),
        (b'{"a": -Infinity}', "malformed-json"),
        (b'{"a": 1e400}', "malformed-json"),
        (b'{"env": "dev", "env": "prod"}', "duplicate-key"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "out-of-range"),
        (b'{"a": 9223372036854775808}', "out-of-range"),
        (b'{"a": "\\ud800"}', "invalid-text"),
        (b'{"a\\ud800": 1}', "invalid-text"),
        (b'{"a": ["x\\u0000"]}', "invalid-text"),
        ('{"a": 1}'.encode("utf-16"), "malformed-json"),
        ('{"a": "é"}'.encode("latin-1"), "malformed-json"),
    ],
)
def test_what_is_no_strict_json_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(WireError) as caught:
        json_document(data)
    assert {error["code"] for error in caught.value.errors} == {code}


def test_strict_json_is_read() -> None:
    assert json_document(b'\xef\xbb\xbf{"a": [1, 1.5, -9223372036854775808, "\\u00e9"]}') == {
        "a": [1, 1.5, -(2**63), "é"]
    }
    assert json_document(b"[" * 64 + b"]" * 64) != []


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ([], ("", "validation-failed")),
        ("text", ("", "validation-failed")),
        (None, ("", "validation-failed")),
        ([observation(), 1], ("/1", "validation-failed")),
        (observation(schema="parity.observation/v9"), ("/schema", "unsupported-schema")),
        (observation(schema=1), ("/schema", "unsupported-schema")),
        (observation(schema=...), ("/schema", "validation-failed")),
        (observation(enviroment="prod"), ("/enviroment", "validation-failed")),
        (observation(environment="../prod"), ("/environment", "validation-failed")),
        (observation(environment="prod "), ("/environment", "validation-failed")),
        (observation(environment="рrod"), ("/environment", "validation-failed")),  # a Cyrillic letter
        (observation(service="a..b"), ("/service", "validation-failed")),
        (observation(source=7), ("/source", "validation-failed")),
        (observation(component=None), ("/component", "validation-failed")),
        (observation(component_kind="pod"), ("/component_kind", "validation-failed")),
        (observation(traffic=["live"]), ("/traffic", "validation-failed")),
        (observation(observed_at="2026-11-22T09:28:14"), ("/observed_at", "validation-failed")),
        (observation(observed_at="2026-02-30T00:00:00Z"), ("/observed_at", "validation-failed")),
        (observation(observed_at="0001-01-01T00:00:00+23:00"), ("/observed_at", "validation-failed")),
        (observation(observed_at="2026-11-22T09:28:14+25:00"), ("/observed_at", "validation-failed")),
        (observation(observed_at="9999-01-01T00:00:00Z"), ("/observed_at", "out-of-range")),
        (observation(sections=[]), ("/sections", "validation-failed")),
        (observation(sections={"confg": {}}), ("/sections/confg", "validation-failed")),
        (
            observation(sections={"config": {"status": "complete"}}),
            ("/sections/config/basis", "validation-failed"),
        ),
        (with_facts("config", []), ("/sections/config/facts", "validation-failed")),
        (with_facts("config", {}, sees=["literals"]), ("/sections/config/sees/0", "validation-failed")),
        (with_facts("config", {}, covers=["a\n"]), ("/sections/config/covers/0", "validation-failed")),
        (
            with_facts("config", {}, unseen=[{"item": "*"}]),
            ("/sections/config/unseen/0/reason", "validation-failed"),
        ),
        (
            with_facts("config", {}, unseen=[{"item": "*", "reason": "denied", "detail": "a\nb"}]),
            ("/sections/config/unseen/0/detail", "validation-failed"),
        ),
        (
            with_facts("config", {}, reads={"A": [{"at": 3}]}),
            ("/sections/config/reads/A/0", "validation-failed"),
        ),
        (with_facts("release", {"a\nb": "1"}), ("/sections/release/facts", "validation-failed")),
        (with_facts("release", {"x" * 10_000: "1"}), ("/sections/release/facts", "validation-failed")),
        (
            with_facts("release", {"image#tag": "x" * 5_000}),
            ("/sections/release/facts/image#tag", "validation-failed"),
        ),
        (
            with_facts("release", {"image#tag": {"values": {"1": True}}}),
            ("/sections/release/facts/image#tag/values", "validation-failed"),
        ),
        (
            with_facts("backing_services", {"version": "16"}),
            ("/sections/backing_services/facts/version", "validation-failed"),
        ),
    ],
)
def test_a_wrong_document_is_refused_at_its_place(document: Any, expected: tuple[str, str]) -> None:
    assert expected in faults(document)


def test_a_typo_is_answered_with_the_right_word() -> None:
    with pytest.raises(WireError) as caught:
        observations_from(observation(sections={"dependancies": {}}), now=NOW)
    assert "did you mean dependencies?" in caught.value.errors[0]["message"]


@pytest.mark.parametrize(
    ("item", "value", "code"),
    [
        ("pkg:pip3/django", "5.2", "validation-failed"),
        ("django", "5.2", "validation-failed"),
        ("pkg:pypi/django@5.2", "5.2", "validation-failed"),
        ("pkg:npm/", "1", "validation-failed"),
        ("pkg:", "1", "validation-failed"),
        ("pkg:pypi/django", "", "invalid-version"),
        ("pkg:pypi/django", "1.0\n2.0", "invalid-version"),
        ("pkg:pypi/django", "1" * 3_000, "invalid-version"),
        ("pkg:pypi/django", 5, "invalid-version"),
        ("pkg:pypi/django", ["1", 5], "invalid-version"),
        ("pkg:pypi/django", {"value": "1", "scop": ["dev"]}, "validation-failed"),
        ("pkg:pypi/django", {"value": "1", "direct": "yes"}, "validation-failed"),
    ],
)
def test_a_package_is_a_package_url_and_a_version(item: str, value: Any, code: str) -> None:
    assert [code] == [found for _, found in faults(with_facts("dependencies", {item: value}))]


def test_an_unknown_type_of_package_is_answered_with_the_known_one() -> None:
    with pytest.raises(WireError) as caught:
        observations_from(with_facts("dependencies", {"pkg:pip3/django": "5.2"}), now=NOW)
    assert "did you mean pypi?" in caught.value.errors[0]["message"]


def test_packages_are_named_canonically_and_two_spellings_are_one_item() -> None:
    facts = {
        "pkg:pypi/Django_Rest": "5.2.8",
        "pkg:pypi/django-rest": "5.2.9",
        "pkg:deb/debian/openssl?distro=debian-12": "3.0.11-1",
        "pkg:npm/%40babel/core": ["7.24.0", "7.25.2"],
        "pkg:oci/app": "latest",  # a word stays opaque text
        "pkg:pypi/pytest": {"value": "9.2.0", "scope": ["dev"]},
        "os#release": "debian 12",
        "runtime#python": {"values": {"3.11.7": 2}},
    }
    section = observations_from(with_facts("dependencies", facts), now=NOW)[0].sections["dependencies"]
    assert section.facts == {
        "pkg:pypi/django-rest": ["5.2.8", "5.2.9"],
        "pkg:deb/debian/openssl": "3.0.11-1",
        "pkg:npm/%40babel/core": ["7.24.0", "7.25.2"],
        "pkg:oci/app": "latest",
        "pkg:pypi/pytest": "9.2.0",
        "os#release": "debian 12",
        "runtime#python": {"values": {"3.11.7": 2}},
    }
    assert section.hints == {"pkg:pypi/pytest": {"scope": ["dev"]}}


@pytest.mark.parametrize(
    ("shape", "code"),
    [
        ("hunter2!C4n4ry", "plaintext-value-refused"),
        (None, "plaintext-value-refused"),
        ({"value": "hunter2!C4n4ry"}, "plaintext-value-refused"),
        ({"type": "text", "raw": "hunter2!C4n4ry"}, "plaintext-value-refused"),
        ({"type": "txt"}, "validation-failed"),
        ({}, "validation-failed"),
        ({"type": "text", "hunter2!C4n4ry": 1}, "validation-failed"),
        ({"type": "url", "scheme": "hunter2 C4n4ry"}, "validation-failed"),
        ({"type": "url", "host": "hunter2!C4n4ry"}, "validation-failed"),
        ({"type": "url", "credentials": "hunter2!C4n4ry"}, "validation-failed"),
        ({"type": "text", "fingerprint": "5f0c" * 8}, "invalid-fingerprint"),  # no id of a key
        ({"type": "text", "fingerprint": "k1:" + "5F0C" * 8}, "invalid-fingerprint"),
        ({"type": "text", "fingerprint": "k1:" + "5f0c" * 4}, "invalid-fingerprint"),
        ({"type": "text", "endpoint": ""}, "invalid-fingerprint"),
        ({"type": "text", "fingerprint": "k1:" + md5(b"changeme").hexdigest()}, "weak-fingerprint"),
        ({"type": "text", "fingerprint": "k1:" + sha256(b"true").hexdigest()[:32]}, "weak-fingerprint"),
    ],
)
def test_a_config_fact_is_a_shape_and_nothing_of_it_is_repeated(shape: Any, code: str) -> None:
    with pytest.raises(WireError) as caught:
        observations_from(with_facts("config", {"PASSWORD": shape}), now=NOW)
    assert {error["code"] for error in caught.value.errors} == {code}
    assert all(
        error["pointer"].startswith("/sections/config/facts/PASSWORD") for error in caught.value.errors
    )
    assert "C4n4ry" not in f"{caught.value} {caught.value!r} {caught.value.errors}"


@pytest.mark.parametrize(
    "key",
    [
        "MIIEpAIBAAKCAQEA7bq0Zk2uJw8QxLmPo3Rt==",
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "A\nB",
        "A=B",
        "x" * 2_000,
        "",
    ],
)
def test_a_key_that_could_be_a_value_is_refused_and_not_repeated(key: str) -> None:
    for document in (
        with_facts("config", {key: {"type": "text"}}),
        with_facts("config", {}, reads={key: [{"at": "a.py:1"}]}),
    ):
        with pytest.raises(WireError) as caught:
            observations_from(document, now=NOW)
        assert [error["code"] for error in caught.value.errors] == ["suspicious-key-name"]
        assert not key or key not in str(caught.value.errors)


def test_addresses_lose_their_credentials() -> None:
    facts = {"repo#url": "https://x:C4n4ry@git.internal/acme/shop?token=C4n4ry", "repo#commit": "abc"}
    assert facts_of(with_facts("codebase", facts), "codebase") == {
        "repo#url": "git.internal/acme/shop",
        "repo#commit": "abc",
    }
    homepage = {"image#source": "https://x:C4n4ry@git.internal/acme?token=C4n4ry#C4n4ry"}
    assert facts_of(with_facts("release", homepage), "release") == {
        "image#source": "https://git.internal/acme"
    }
    assert faults(with_facts("codebase", {"repo#url": "C4n4ry here"})) == [
        ("/sections/codebase/facts/repo#url", "validation-failed")
    ]


def test_a_list_is_an_environment_and_no_stream_stands_in_it_twice() -> None:
    both = [observation(), observation(service="search")]
    assert [read.service for read in observations_from(both, now=NOW)] == ["checkout", "search"]
    assert faults([observation(), observation()]) == [("", "conflicting-item")]


def test_more_facts_than_any_service_has_are_refused() -> None:
    facts = {f"image#{number}": 1 for number in range(100_001)}
    assert faults(with_facts("release", facts)) == [("/sections", "too-many-items")]


def test_a_file_as_it_stands_may_be_of_any_time() -> None:
    assert observations_from(observation(observed_at="9998-01-01T00:00:00Z"))


VERSIONS = st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,3}(rc[0-9])?", fullmatch=True)
VALUES: st.SearchStrategy[Any] = st.one_of(
    VERSIONS,
    st.lists(VERSIONS, min_size=1, max_size=3),
    st.dictionaries(VERSIONS, st.integers(1, 9), min_size=1, max_size=3).map(
        lambda counts: {"values": counts}
    ),
)
HINTS = st.fixed_dictionaries(
    {}, optional={"scope": st.just(["dev"]), "direct": st.booleans(), "platform": st.just("linux-x64")}
)
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True)
KEYS = st.from_regex(r"[A-Z_][A-Z_]{0,20}", fullmatch=True)
SHAPES = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "int", "url"])},
    optional={"fingerprint": st.just(FINGERPRINT), "source_class": st.sampled_from(SOURCE_CLASSES)},
)
NESTED = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text("abc 1é", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def sections(draw: st.DrawFn, name: SectionName) -> Section:
    facts: dict[str, Any]
    hints: dict[str, Any] = {}
    if name == "dependencies":
        packages = draw(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), VALUES, max_size=4))
        facts = {f"pkg:pypi/{package}": value for package, value in packages.items()}
        hints = {item: chosen for item in facts if (chosen := draw(HINTS))}
    elif name == "config":
        facts = draw(st.dictionaries(KEYS, SHAPES, max_size=4))
    else:
        facts = draw(
            st.dictionaries(st.sampled_from(["main#version", "main#setting/x", "a#b"]), NESTED, max_size=3)
        )
    return Section(
        basis=draw(st.sampled_from(BASES)),
        status=draw(st.sampled_from(COMPLETENESS)),
        facts={item: canonical(value) for item, value in facts.items()},
        hints=hints,
        covers=tuple(sorted(draw(st.sets(st.sampled_from(["pkg:pypi/*", "*"]), min_size=1)))),
        sees=tuple(sorted(draw(st.sets(st.sampled_from(SOURCE_CLASSES))))),
        unseen=tuple(
            Unseen(item="main#*", reason=reason, detail="why")
            for reason in sorted(draw(st.sets(st.sampled_from(REASONS), max_size=2)))
        ),
        reads=draw(st.dictionaries(KEYS, st.just([{"at": "a.py:1", "default": False}]), max_size=1)),
    )


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    names: list[SectionName] = draw(
        st.lists(st.sampled_from(("dependencies", "config", "backing_services")), unique=True)
    )
    return Observation(
        environment="prod",
        service=draw(NAMES),
        source=draw(NAMES),
        component=draw(NAMES),
        component_kind=draw(st.sampled_from(COMPONENT_KINDS)),
        traffic=draw(st.sampled_from(TRAFFIC)),
        observed_at=NOW + timedelta(microseconds=draw(st.integers(-(10**15), 10**12))),
        sections={name: draw(sections(name)) for name in names},
    )


@given(observations())
def test_what_is_printed_is_read_back_as_it_was(seen: Observation) -> None:
    printed = orjson.dumps(observation_document(seen))
    assert observations_from(json_document(printed), now=NOW) == (seen,)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda x: st.lists(x) | st.dictionaries(st.text(max_size=5), x),
        max_leaves=8,
    ),
    st.sampled_from(["sections", "environment", "observed_at", "facts", "unseen", "covers", "sees", "reads"]),
)
def test_no_document_ends_in_a_traceback(junk: Any, place: str) -> None:
    for document in (
        junk,
        observation(**{place: junk}),
        observation(sections={"dependencies": {"basis": "built", "status": "complete", place: junk}}),
        with_facts("processes", {"a": junk}),
    ):
        with suppress(WireError):
            observations_from(document, now=NOW)


WRITTEN = st.dictionaries(
    st.sampled_from(
        [
            "pkg:pypi/django",
            "pkg:pypi/Django",
            "pkg:npm/a",
            "pkg:deb/debian/x?arch=arm",
            "os#release",
            "odd",
            "",
        ]
    ),
    st.sampled_from(
        [
            "1.0",
            "2.0",
            "",
            "x" * 1_025,
            "a\nb",
            "https://u:p@x.example/y",
            "1@2",
            None,
            7,
            ["1.0"],
            {"value": "3"},
        ]
    )
    | VALUES,
)


@settings(max_examples=examples(300), derandomize=True, deadline=None)
@given(st.lists(WRITTEN, min_size=1, max_size=4))
def test_what_was_read_before_changes_nothing_of_what_is_read_now(documents: list[dict[str, Any]]) -> None:
    """A name is looked at once in its life; many facts at once are read as each of them alone."""

    def read(document: dict[str, Any]) -> Any:
        reports: list[Any] = []
        found = wire_facts.facts_from("dependencies", document, lambda *fault: reports.append(fault))
        return found, sorted(reports)

    remembered = wire_facts._AS_WRITTEN["dependencies"]
    fresh = []
    for document in documents:
        remembered.clear()
        fresh.append(read(document))
    remembered.clear()
    assert [read(document) for document in documents] == fresh


def test_of_values_only_what_many_share_is_remembered() -> None:
    wire_shapes._FINE.clear()
    for _ in range(2):
        shapes = {"A_TOKEN": {"type": "text", "fingerprint": FINGERPRINT, "opaque": True}}
        assert facts_of(with_facts("config", shapes), "config") == shapes
    assert {("type", "text"), ("opaque", True)} == wire_shapes._FINE
    assert faults(with_facts("config", {"A": {"type": "text", "opaque": 1}})) == [
        ("/sections/config/facts/A/opaque", "validation-failed")
    ]


def test_the_versions_of_two_spellings_stand_in_one_order_whatever_was_read_before() -> None:
    document = {"pkg:pypi/Django": ["0"], "pkg:pypi/django": "1.0"}
    wire_facts._AS_WRITTEN["dependencies"].clear()
    for _ in range(2):
        assert facts_of(with_facts("dependencies", document), "dependencies") == {
            "pkg:pypi/django": ["0", "1.0"]
        }
        facts_of(with_facts("dependencies", {"pkg:pypi/django": "1.0"}), "dependencies")
