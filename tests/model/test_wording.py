"""Two texts with one wording say the same but for their time."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.model.wire import WireError, json_document, observations_from
from detector.model.wording import wording_of

DOCUMENT = {
    "schema": "parity.observation/v1",
    "environment": "prod",
    "service": "shop",
    "source": "ci",
    "observed_at": "2026-11-22T09:28:14Z",
    "sections": {
        "dependencies": {"basis": "built", "status": "complete", "facts": {"pkg:pypi/django": "5.2"}}
    },
}


def text(**changes: object) -> bytes:
    return orjson.dumps(DOCUMENT | changes)


def test_the_time_does_not_enter_and_is_read() -> None:
    one, other = (wording_of(text(observed_at=at), about="a") for at in ("2026-11-22T09:28:14Z", "now"))
    assert one is not None
    assert other is not None
    assert one.digest == other.digest
    assert (one.observed_at, other.observed_at) == ("2026-11-22T09:28:14Z", "now")


@pytest.mark.parametrize("changes", [{"service": "shop2"}, {"sections": {}}, {"component": "main"}])
def test_all_else_enters(changes: dict[str, object]) -> None:
    one, other = wording_of(text(), about="a"), wording_of(text(**changes), about="a")
    assert one is not None
    assert other is not None
    assert one.digest != other.digest


def test_the_address_enters() -> None:
    one, other = (wording_of(text(), about=about) for about in ("a", "b"))
    assert one is not None
    assert other is not None
    assert one.digest != other.digest


def test_space_around_the_colon_is_passed_over() -> None:
    found = wording_of(b'{"observed_at" :\t "2026", "a": 1}', about="a")
    assert found is not None
    assert found.observed_at == "2026"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"observed_at"',
        b'{"observed_at": 1}',
        b'{"observed_at": "2026',
        b'{"observed_at": "' + b"2" * 60 + b'"}',
        '{"observed_at": "２026"}'.encode(),
        b'{"observed_at": "a", "sections": {"x": {"observed_at": "b"}}}',  # which is meant?
        b'{"source": "observed_at", "observed_at": "a"}',  # a value that looks like it
        b'{"observed_\\u0061t": "a", "x": {"observed_at": "b"}}',  # the name itself is escaped
        b'{"observed_at": "a", "x": "\\"observed"}',
    ],
)
def test_where_the_place_of_the_time_is_in_doubt_there_is_none(body: bytes) -> None:
    assert wording_of(body, about="a") is None


PIECES = st.sampled_from(
    [
        b'"observed_at"',
        b'"',
        b":",
        b",",
        b"{",
        b"}",
        b"[",
        b"]",
        b" ",
        b"\\",
        b"2026-11-22T09:28:14Z",
        b'"x"',
        b"1",
    ]
)


@given(
    head=st.lists(PIECES, max_size=6).map(b"".join),
    tail=st.lists(PIECES, max_size=6).map(b"".join),
)
@settings(max_examples=200, derandomize=True, deadline=None)
def test_what_was_understood_once_need_not_be_read_again(head: bytes, tail: bytes) -> None:
    """Whatever stands around: a text with the wording of one that was understood says it of its own time."""
    first, second = (
        text(observed_at=at)[:-1] + b"," + head + b'"x":' + tail + b"}"
        if head or tail
        else text(observed_at=at)
        for at in ("2026-11-22T09:28:14Z", "2026-11-23T09:28:14Z")
    )
    one, other = wording_of(first, about="a"), wording_of(second, about="a")
    try:
        (understood,) = observations_from(json_document(first))
    except WireError:
        return
    assert one is not None
    assert other is not None
    assert one.digest == other.digest
    (meant,) = observations_from(json_document(second))
    assert meant.sections == understood.sections
    assert meant.observed_at.day == 23
