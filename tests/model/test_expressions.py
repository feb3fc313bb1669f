"""One grammar of what may be compared, for every door."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.errors import ExpressionError
from detector.model.expressions import (
    LOCATOR_TYPES,
    Ago,
    AsOf,
    Expression,
    Labelled,
    Locator,
    Now,
    Numbered,
    StandardInput,
    both_of,
    parse,
)
from tests.proof import examples

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("prod", Now(environment="prod")),
        ("prod-eu-1", Now(environment="prod-eu-1")),
        ("prod#241", Numbered(environment="prod", number=241)),
        ("prod~1", Numbered(environment="prod", number=1, back=True)),
        ("prod@{2026-11-22T12:00:00Z}", AsOf(environment="prod", at=NOON)),
        ("prod@{2026-11-22T14:00:00+02:00}", AsOf(environment="prod", at=NOON)),  # UTC inside
        ("prod@{2.days.ago}", Ago(environment="prod", count=2, unit="days")),
        ("prod@{1.hour.ago}", Ago(environment="prod", count=1, unit="hours")),
        ("prod@v1.4.2", Labelled(environment="prod", label="v1.4.2")),
        ("docker:shop-web-1", Locator(type="docker", path="shop-web-1")),
        ("image:acme/api:1.4.2", Locator(type="image", path="acme/api:1.4.2")),
        ("snapshot:a:b.json", Locator(type="snapshot", path="a:b.json")),
        (".env.prod", Locator(type=None, path=".env.prod")),
        ("./prod", Locator(type=None, path="./prod")),
        ("deploy/prod.env", Locator(type=None, path="deploy/prod.env")),
        ("/abs/Compose.yml", Locator(type=None, path="/abs/Compose.yml")),
        ("prod.env", Locator(type=None, path="prod.env")),
        ("-", StandardInput()),
    ],
)
def test_what_an_expression_names(text: str, expression: Expression) -> None:
    assert parse(text) == expression


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "an empty expression"),
        ("Prod", "no environment"),
        ("prod#", "needs a number"),
        ("prod#x", "needs a number"),
        ("prod~-1", "needs a number"),
        ("prod#٣", "needs a number"),  # a digit, and none that is meant
        ("prod@", "a label or a time"),
        ("prod@{}", "no time"),
        ("prod@{yesterday}", "no time"),
        ("prod@{2026-11-22T12:00:00}", "needs its zone"),
        ("prod@{2.moons.ago}", "one of seconds"),
        ("prod@{x.days.ago}", "one of seconds"),
        ("prod@{999999.weeks.ago}", "a hundred years"),
        ("prod@{0001-01-01T00:00:00+10:00}", "outside of all calendars"),
        ("prod@{9999-12-31T23:59:59-10:00}", "outside of all calendars"),
        ("docker:", "needs a path"),
        ("dcoker:shop", "did you mean docker"),
        ("prod@a/b", "a label or a time"),
        ("x" * 64, "no environment"),
    ],
)
def test_what_names_nothing_is_refused_with_a_remedy(text: str, says: str) -> None:
    with pytest.raises(ExpressionError, match=says):
        parse(text)


NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,62}", fullmatch=True)
LABELS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,30}", fullmatch=True)
TIMES = st.datetimes(timezones=st.just(UTC))
UNITS = st.sampled_from(["seconds", "minutes", "hours", "days", "weeks"])
PATHS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=20)
EXPRESSIONS: st.SearchStrategy[Expression] = st.one_of(
    st.builds(Now, environment=NAMES),
    st.builds(Numbered, environment=NAMES, number=st.integers(0, 10**9 - 1), back=st.booleans()),
    st.builds(AsOf, environment=NAMES, at=TIMES),
    st.builds(Ago, environment=NAMES, count=st.integers(0, 5000), unit=UNITS),
    st.builds(Labelled, environment=NAMES, label=LABELS),
    st.builds(Locator, type=st.sampled_from(LOCATOR_TYPES), path=PATHS),
    st.builds(Locator, type=st.none(), path=PATHS.map(lambda path: f"./{path}")),
    st.just(StandardInput()),
)


@settings(max_examples=examples(300), derandomize=True, deadline=None)
@given(EXPRESSIONS)
def test_what_is_printed_is_parsed_as_it_was(expression: Expression) -> None:
    """parse ∘ print of an expression is the identity."""
    assert parse(str(expression)) == expression


@settings(max_examples=examples(300), derandomize=True, deadline=None)
@given(st.text(max_size=30) | st.text("prod@#~{}.:-/0123456789agoTZ+", max_size=30))
def test_any_text_is_understood_or_refused_and_never_ends_the_program(text: str) -> None:
    try:
        expression = parse(text)
    except ExpressionError:
        return
    assert parse(str(expression)) == expression


def test_how_long_ago() -> None:
    assert Ago(environment="prod", count=2, unit="weeks").delta == timedelta(days=14)


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [
        ("staging..prod", "staging", "prod"),
        ("prod#12..prod#15", "prod#12", "prod#15"),
        ("prod@{2026-11-01T00:00:00Z}..prod~1", "prod@{2026-11-01T00:00:00Z}", "prod~1"),
        ("prod@1.4..prod", "prod@1.4", "prod"),
        ("prod@1..2..prod", "prod@1..2", "prod"),  # a label may hold dots as well
    ],
)
def test_two_states_may_be_one_word(text: str, left: str, right: str) -> None:
    assert both_of(text) == (parse(left), parse(right))


@pytest.mark.parametrize("text", ["prod", "../x", "a.env..b.env", "..", "prod..", "..prod", "prod...", ""])
def test_one_word_that_is_not_two_states_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"give two, or LEFT\.\.RIGHT"):
        both_of(text)
