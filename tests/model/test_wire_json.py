"""Strict JSON is read fast where that is safe; what is read and what is refused are always the same."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detector.model import wire_json
from detector.model.wire_json import WireError, json_document
from tests.proof import examples

#: Pieces of JSON texts, right and wrong; put together they give every kind of trouble.
PIECES = st.sampled_from(
    [
        *("{", "}", "[", "]", ",", ":", '"a"', '"b"', '":"', '"a":', '"b" :', '"c"\n:', '"', "\\", "\\u0000"),
        *(" ", "\n", "\t", "1", "-0", "1.5", "1e3", "1E400", "9223372036854775807", "9223372036854775808"),
        *("-9223372036854775808", "-9223372036854775809", "18446744073709551616", "1e19", "-1e19", "0"),
        *("true", "null", "NaN", "Infinity", '"\\ud800"', '"é"', "\ufeff", '{"a":1,"a":2}', '{"a":1}'),
        *('{":a":":b"}', '{"a":1,"b":{"a":":"}}', '{"x":1,"x":":"}', '{"a" :1,"b":":"}'),
    ]
)
TEXTS = st.lists(PIECES, max_size=8).map("".join)
LEAVES = st.none() | st.booleans() | st.floats() | st.integers(-(2**65), 2**65) | st.text(max_size=4)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)
PRINTED = st.builds(
    lambda document, spaces, ascii_only: json.dumps(document, separators=spaces, ensure_ascii=ascii_only),
    DOCUMENTS,
    st.sampled_from([(",", ":"), (", ", ": "), (" ,", " :"), (",", "\t:")]),
    st.booleans(),
)


def outcome(read: Any, data: bytes) -> Any:
    """Return what came out, with the type of every value: 1 is not 1.0."""
    try:
        document = read(data)
    except WireError as error:
        return error.errors
    return repr(document)


@settings(max_examples=examples(800), derandomize=True, deadline=None)
@given(TEXTS | PRINTED)
@example("[" * 64 + "]" * 64)
@example("[" * 65 + "]" * 65)
@example('{"a":' * 64 + "1" + "}" * 64)
@example('{"a":' * 65 + "1" + "}" * 65)
@example("-0")
@example("[-0, -0.0, 0.0, 1E5]")
def test_the_fast_way_says_what_the_exact_one_says(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    assert outcome(json_document, data) == outcome(wire_json._exactly, data)


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (b'{"a":1,"b":{"c":[1,2.5,"x y",true,null]}}', True),
        (b'{\n "a": 1,\n "b": "x"\n}', True),  # as people print it
        (b'{"a":1,"a":2}', False),
        (b'{"a":":"}', False),  # a text that begins with a colon looks like one pair more
        (b'{"a" :1}', False),
        (b'{"a":"\\n"}', False),
        (b'{"a":9223372036854775808}', False),
        (b'{"a":18446744073709551616}', False),  # a parser of 64 bits makes a float of it
    ],
)
def test_what_is_not_plainly_right_is_left_to_the_exact_way(data: bytes, *, read: bool) -> None:
    assert (wire_json._quickly(data) is not wire_json._UNSURE) is read
