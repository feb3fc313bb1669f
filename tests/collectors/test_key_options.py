"""How the names of a source become keys: the same steps for each, and nothing that two names would share."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from collectors._key_options import KeyOptions
from collectors.dotenv import DotenvCollector, DotenvOptions
from detector.collector import Collected
from detector.errors import UnseenError
from tests.collectors.lent import FINGERPRINTER, context


@pytest.mark.parametrize(
    ("options", "name", "key"),
    [
        ({}, "db-url", "db-url"),
        ({"strip": "/prod/app/"}, "/prod/app/db", "db"),
        ({"strip": "/prod/app/"}, "/prod/other/db", "/prod/other/db"),  # what does not fit stays
        ({"strip": ["/prod/app/", "/prod/"]}, "/prod/app/db", "db"),
        ({"strip": ["/prod/", "/prod/app/"]}, "/prod/app/db", "app/db"),  # the first that fits
        ({"replace": {"/": "_", "-": "_"}, "upper": True}, "db/url-1", "DB_URL_1"),
        ({"strip": "a.", "replace": {"a.": "x"}, "prefix": "P_", "upper": True}, "a.a.b", "P_XB"),
    ],
)
def test_a_name_becomes_a_key(options: dict[str, Any], name: str, key: str) -> None:
    keys = KeyOptions.model_validate(options).new_keys(FINGERPRINTER, valid=lambda text: True)
    keys.set(name, "12345")
    assert list(keys.shapes) == [key]
    assert keys.shapes[key]["fingerprint"] == FINGERPRINTER.of(key, "12345")


def test_two_names_that_become_one_key_are_told_and_the_key_is_unknown() -> None:
    keys = KeyOptions(replace={"-": "_"}).new_keys(FINGERPRINTER)
    for name in ("db-url", "db_url", "a"):
        keys.set(name, "12345")
    assert list(keys.shapes) == ["a"]
    (gap,) = keys.gaps
    assert (gap.item, gap.reason) == ("db_url", "not_comparable")
    assert gap.detail == "db-url and db_url both become db_url"
    assert keys.section().status == "partial"


def test_a_name_that_looks_like_a_value_is_not_told() -> None:
    token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
    keys = KeyOptions(strip=(f"{token}/", "x/")).new_keys(FINGERPRINTER)
    for name in (f"{token}/a", "x/a"):
        keys.set(name, "12345")
    assert keys.gaps[0].detail == "two names become a"


def test_a_source_says_nothing_of_keys_that_it_was_not_asked_for() -> None:
    keys = KeyOptions(only=("DB_*", "*_URL")).new_keys(FINGERPRINTER)
    for name in ("DB_HOST", "API_URL", "DEBUG"):
        keys.set(name, "12345")
    section = keys.section()
    assert list(section.facts) == ["DB_HOST", "API_URL"]
    assert section.covers == ("DB_*", "*_URL")
    assert KeyOptions(prefix="flag/").new_keys(FINGERPRINTER).section().covers == ("flag/*",)


def test_beyond_the_bound_nothing_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collectors.readers._keys.MOST_KEYS", 2)
    keys = KeyOptions().new_keys(FINGERPRINTER)
    keys.set("A", "1")
    keys.set("B", "1")
    with pytest.raises(UnseenError, match="too_large"):
        keys.set("C", "1")


def test_a_prefix_that_no_key_begins_with_is_refused() -> None:
    with pytest.raises(ValidationError):
        KeyOptions(prefix="1 canary")


async def _collect(folder: Path, **options: Any) -> Collected:
    return await DotenvCollector().collect(DotenvOptions.model_validate(options), context(folder=folder))


async def test_files_in_layers_keep_their_names_apart(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text("DB-URL=1111\nMODE=blue\n")
    (tmp_path / "b.env").write_text("MODE=green\nDB_URL=2222\n")
    collected = await _collect(
        tmp_path, paths=["a.env", "b.env"], replace={"-": "_"}, compare=["MODE"], dialect="compose"
    )
    section = collected.seen[0].sections["config"]
    assert dict(section.facts) == {
        "MODE": {"type": "text", "source_class": "literal", "fingerprint": FINGERPRINTER.of("MODE", "green")}
    }
    assert [entry.item for entry in section.unseen] == ["DB_URL"]


async def test_a_file_is_read_by_the_rules_that_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "app.conf").write_text("A=b\\\n c\n")
    collected = await _collect(tmp_path, path="app.conf", dialect="systemd")
    shape: Any = collected.seen[0].sections["config"].facts["A"]
    assert shape["fingerprint"] == FINGERPRINTER.of("A", "b c")
