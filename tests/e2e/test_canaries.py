"""The search for canaries finds them: without this, finding none would say nothing."""

import base64
import json
from urllib.parse import quote

import pytest

from tests.e2e.canaries import Canaries

_BEFORE = ("", "a", "ab")


@pytest.mark.parametrize("before", _BEFORE)
@pytest.mark.parametrize("after", _BEFORE)
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_canary_is_found_in_base64_wherever_it_stands(before: str, after: str, encode: object) -> None:
    canaries = Canaries()
    value = canaries.marked("here")
    assert callable(encode)
    data = b"x" + encode(f"{before}{value}{after}".encode()) + b"y"
    assert {place for place, _, _ in canaries.found_in({"there": data})} == {"here"}


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("raw", lambda value: value.encode()),
        ("hex", lambda value: value.encode().hex().encode()),
        ("HEX", lambda value: value.encode().hex().upper().encode()),
        ("json", lambda value: json.dumps({"a": value}).encode()),
        ("url", lambda value: quote(value, safe="").encode()),
        ("path", lambda value: quote(value).encode()),
        ("utf-16", lambda value: value.encode("utf-16-le")),
    ],
)
def test_a_canary_is_found_in_each_form(form: str, data: object) -> None:
    canaries = Canaries()
    assert callable(data)
    found = canaries.found_in({"there": b"before " + data(canaries.marked("here")) + b" after"})
    assert ("here", form, "there") in found


def test_nothing_is_found_where_no_canary_is() -> None:
    canaries = Canaries()
    canaries.marked("here")
    canaries.plain("there")
    assert canaries.found_in({"elsewhere": b"cnry and nothing more"}) == set()
