"""Files of settings, flattened: each format beside its reference, and what must never come out of one."""

import configparser
import json
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from collectors.readers._keys import Keys
from collectors.readers.names import NamesReader
from collectors.readers.settings import FORMATS, Format, SettingsReader, fill, is_setting
from collectors.readers.settingsfiles import ini, properties
from detector.errors import UnseenError
from detector.model.facts import Section
from detector.model.fingerprints import Fingerprinter
from tests.collectors.readers.cuts import OF_A_HUNDRED_OR_ALL, Cuts, Record
from tests.servers.process import ServerMissing, required

FINGERPRINTER = Fingerprinter(b"k" * 32)
KINDS: tuple[Format, ...] = get_args(Format)
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq0\nzz9==\n-----END RSA PRIVATE KEY-----"

WHOLE: dict[Format, str] = {
    "yaml": """\
spring:
  datasource:
    url: jdbc:postgresql://db.prod.internal:5432/shop
    password: s3cr3t-of-prod  # kept out
  topics: [blue, green]
servers:
  - {host: a.internal, port: 8443}
  - host: b.internal
flag: no
version: 1.10
none:
empty: {}
text: |
  two
  lines
""",
    "json": """\
{
  "spring": {"datasource": {"url": "jdbc:postgresql://db/shop", "password": "s3cr3t-of-prod"}},
  "servers": [{"host": "a.internal", "port": 8443}, {"host": "b.internal"}],
  "flag": true, "none": null, "empty": [], "rate": 1.5,
  "Logging": {"LogLevel": {"Microsoft.AspNetCore": "Warning"}}
}
""",
    "toml": """\
title = "shop"
[database]
url = "postgres://u:s3cr3t-of-prod@db/shop"
ports = [ 8000, 8001 ]
since = 2026-11-22T09:30:00Z
day = 2026-11-22
[[servers]]
host = "a.internal"
[[servers]]
host = "b.internal"
[database.pool]
size = 5
strict = true
""",
    "ini": """\
[DEFAULT]
timeout = 30
[database]
url = postgres://u:s3cr3t-of-prod@db/shop
names = one
  two
; a comment
[cache]
timeout: 60
enabled
""",
    "properties": """\
# of the shop
! and more
spring.datasource.url=jdbc:postgresql://db/shop
spring.datasource.password : s3cr3t-of-prod
servers[0].host a.internal
message=one \\
    two
path=C\\:\\\\temp
greeting=gr\\u00fc\\u00df dich
empty
key\\ with\\ blank=x
""",
}


def config(text: str | bytes, kind: Format) -> Section:
    data = text if isinstance(text, bytes) else text.encode()
    return SettingsReader().read(data, f"a/settings.{kind}", FINGERPRINTER).parts[0].sections["config"]


def tag(section: Section, key: str) -> Any:
    shape: Any = section.facts[key]
    return shape.get("fingerprint")


#: The keys of each, in order.
KEYS: dict[Format, str] = {
    "yaml": """
        spring.datasource.url spring.datasource.password spring.topics[0] spring.topics[1]
        servers[0].host servers[0].port servers[1].host flag version none empty text""",
    "json": """
        spring.datasource.url spring.datasource.password servers[0].host servers[0].port servers[1].host
        flag none empty rate Logging.LogLevel.Microsoft.AspNetCore""",
    "toml": """
        title database.url database.ports[0] database.ports[1] database.since database.day
        database.pool.size database.pool.strict servers[0].host servers[1].host""",
    "ini": "DEFAULT.timeout database.timeout database.url database.names cache.timeout cache.enabled",
    "properties": """
        spring.datasource.url spring.datasource.password servers[0].host message path greeting empty""",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_is_the_way_to_its_value(kind: Format) -> None:
    assert list(config(WHOLE[kind], kind).facts) == KEYS[kind].split()


def _flat(tree: Any, way: str = "") -> Iterator[tuple[str, str]]:
    """The same, said in another way: by recursion over what the reference made of the file."""
    if isinstance(tree, dict) and tree:
        for key, value in tree.items():
            yield from _flat(value, f"{way}.{key}" if way else key)
    elif isinstance(tree, list) and tree:
        for position, value in enumerate(tree):
            yield from _flat(value, f"{way}[{position}]")
    elif isinstance(tree, bool):
        yield way, str(tree).lower()
    else:
        empty = tree is None or tree in ([], {})
        yield way, "" if empty else tree.isoformat() if hasattr(tree, "isoformat") else str(tree)


def _by_reference(kind: Format, text: str) -> dict[str, str]:
    if kind == "yaml":
        return dict(_flat(yaml.BaseLoader(text).get_single_data()))  # every scalar a text
    if kind == "json":
        return dict(_flat(json.loads(text)))
    if kind == "toml":
        return dict(_flat(tomllib.loads(text)))
    parser = configparser.ConfigParser(interpolation=None, allow_no_value=True)
    parser.read_string(text)
    return {f"{section}.{key}": value or "" for section in parser for key, value in parser[section].items()}


@pytest.mark.parametrize("kind", ["yaml", "json", "toml", "ini"])
def test_values_are_those_of_the_reference(kind: Format) -> None:
    section = config(WHOLE[kind], kind)
    for key, value in _by_reference(kind, WHOLE[kind]).items():
        assert key in section.facts
        if (found := tag(section, key)) is not None:
            assert found == FINGERPRINTER.of(key, value.removesuffix("\n")), key


def test_what_is_written_as_a_number_stays_what_was_written() -> None:
    section = config(WHOLE["yaml"], "yaml")
    assert tag(section, "version") == FINGERPRINTER.of("version", "1.10")
    assert section.facts["flag"] == {"type": "bool", "source_class": "literal"}


@pytest.mark.parametrize("kind", KINDS)
def test_null_and_what_is_empty_are_empty(kind: Format) -> None:
    empty = {"yaml": "none empty", "json": "none empty", "ini": "cache.enabled", "properties": "empty"}
    for key in empty.get(kind, "").split():
        assert config(WHOLE[kind], kind).facts[key] == {"type": "empty", "source_class": "literal"}


@given(st.text(alphabet="[]abD =:#;\t\n\r%", max_size=40), st.sampled_from(["", "[a]\n", "[DEFAULT]\na=1\n"]))
@example("[a]b]\n[]\na\n", "")
@example(" a=1\n  b\n\n  c\n d\n", "[a]\n")
def test_configparser_itself_reads_the_same(text: str, front: str) -> None:
    parser = configparser.RawConfigParser(allow_no_value=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # as its documentation says to do
    theirs: Any = None
    # An attribute is missing where a line goes on from nothing, until Python 3.13.
    with suppress(configparser.Error, AttributeError):
        parser.read_string(front + text)
        theirs = {section: dict(parser[section]) for section in parser}
    ours: Any = None
    with suppress(UnseenError):
        ours = {"DEFAULT": {}} | ini.tree((front + text).encode(), "a.ini")
    assert ours == theirs


def test_a_line_of_blanks_costs_no_more_than_another() -> None:
    data = b"[a]\nb" + b" " * 1_000_000 + b"c\n"
    assert list(ini.tree(data, "a.ini")["a"]) == [data[4:-1].decode()]


# --- properties, beside Java -----------------------------------------------------------------------

#: Prints what java.util.Properties makes of the bytes of a file, a pair a line.
JAVA = """
var found = new java.util.Properties();
found.load(new java.io.FileInputStream(arguments[0]));
var names = found.stringPropertyNames().toArray();
for (var i = 0; i < names.length; i++)
    print(JSON.stringify([String(names[i]), String(found.getProperty(names[i]))]));
"""
ODD = r"""
a=b
b : c
 c	d
d\=e=f
e\:f:g
f\ g h
g==h
h=:i
i = = j
j=k\
   l\
   # no comment
k=\t\n\r\f\q\\
l=\u00e9\ud83d\ude00
m
n=
=o
p=a\\
q=b\\\
  c
#r=s\
s=t
!t=u
u=v \
"""


def test_java_itself_reads_the_same(tmp_path: Path) -> None:
    rhino = Path("/usr/share/java/js.jar")
    java = required("java", "Java", "apt-get install default-jre-headless")
    if not rhino.exists():
        raise ServerMissing("Rhino", "apt-get install librhino-java")
    (tmp_path / "a.properties").write_text(WHOLE["properties"] + ODD)
    (tmp_path / "print.js").write_text(JAVA)
    shell = (java, "-cp", rhino, "org.mozilla.javascript.tools.shell.Main")
    done = subprocess.run(
        [*shell, "print.js", "a.properties"], cwd=tmp_path, capture_output=True, check=True, text=True
    )
    theirs = dict(json.loads(line) for line in done.stdout.splitlines())
    assert dict(properties.tree((tmp_path / "a.properties").read_bytes(), "a.properties")) == theirs
    assert len(theirs) == 27


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_of_other_machines_are_line_ends(end: str) -> None:
    text = "a=1\n# x\nb=2 \\\n  3\n"
    assert properties.tree(text.replace("\n", end).encode(), "a") == {"a": "1", "b": "2 3"}


def test_latin_1_is_read_where_it_is_no_utf_8() -> None:
    assert properties.tree("a=grün".encode("latin-1"), "a") == properties.tree("a=grün".encode(), "a")
    assert ini.tree("[a]\nb=grün".encode("latin-1"), "a") == {"a": {"b": "grün"}}


def test_of_two_properties_the_last_one_wins_and_both_are_told() -> None:
    read = SettingsReader().read(b"a=11\n\nb=2\na=33\n", "app.properties", FINGERPRINTER)
    assert tag(read.parts[0].sections["config"], "a") == FINGERPRINTER.of("a", "33")
    assert read.warnings == ("lines 1 and 4 set the same key; the last one wins",)


# --- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "detail"),
    [
        ("json", '{"a": {"b": 1,\n "c": "C4n4ry",\n "b": 2}}', ": lines 1 and 3 set the same key"),
        ("json", '{"b": [{"b": ":"}, {"b": 1}],\n"a": 1,\n"a": 2}', ": lines 2 and 3 set the same key"),
        ("toml", 'a = 1\n[t]\na = "C4n4ry"\nb = 2\na = 3\n', ":5:6: lines 3 and 5 set the same key"),
        ("toml", "[t]\na = 1\n[u]\n[t]\n", ":4:3: lines 1 and 4 set the same key"),
        ("ini", "[a]\nb = C4n4ry\n[c]\nb = 2\nd = 1\nb = 3\n", ": lines 4 and 6 set the same key"),
        ("ini", "[a]\nb = 1\n[c]\n[a]\n", ": lines 1 and 4 set the same key"),
        ("ini", "b = C4n4ry\n", ":1: a key before the first [section]; a file of keys alone is properties or dotenv"),  # noqa: E501
        ("ini", "[a]\nb\n  C4n4ry\n", ":3: goes on below a key without a value"),
        ("ini", "[a]\n= C4n4ry\n", ":2: neither [section] nor key = value"),
        ("toml", "a = C4n4ry\n", ":1:5: no TOML here or just before; is it cut off?"),
        ("toml", 'a = "C4n4ry', ": no TOML; is it cut off?"),
        ("json", '{"a": C4n4ry}', ": no JSON at line 1, column 7, or just before"),
        ("json", '["C4n4ry"]', ": no map of settings, but a list"),
        ("yaml", "C4n4ry", ": no map of settings, but a single value"),
        ("yaml", "", ": no map of settings, but nothing"),
        ("yaml", "a: !secret C4n4ry\n", ":1:4: a tag that is no plain data"),
        ("properties", "a=1\nb=\\u12 C4n4ry\n", ":2: \\u that names no character"),
        ("properties", "a=\\ud800C4n4ry\n", ":1: \\u that names no character"),
        ("properties", "a=1\nb=-----BEGIN KEY-----\nC4n4ry\n", ":2: a PEM block that is never closed"),
        ("ini", "[a]\nb=-----BEGIN KEY-----\nC4n4ry\n", ":2: a PEM block that is never closed"),
        ("properties", "a=\0C4n4ry\n", ":1: a NUL byte; this is no text"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_understood_is_unseen_with_its_place(kind: Format, text: str, detail: str) -> None:
    with pytest.raises(UnseenError) as caught:
        config(text, kind)
    assert caught.value.detail == f"a/settings.{kind}{detail}"
    assert "C4n4ry" not in caught.value.detail


def test_a_doubled_key_of_yaml_names_both_lines() -> None:
    with pytest.raises(UnseenError, match=r"a/settings\.yaml:4:3: a key .* before, at line 2$"):
        config("a:\n  b: 1\n  c: C4n4ry\n  b: 2\n", "yaml")


SPRING = """\
shop: {name: shop, mode: plain 1}
---
spring: {config.activate.on-profile: [eu, us]}
shop: {mode: over 2, region: world 3}
---
spring.profiles: staging
shop.stage: only 4
---
spring:
  config:
    activate: {on-profile: "prod & !eu"}
shop: {deep: x 5}
"""


@pytest.mark.parametrize(
    ("profiles", "keys", "hidden"),
    [
        (["eu"], "name mode region", [8]),
        (["staging"], "name mode stage", [8]),
        (["eu", "staging"], "name mode region stage", [8]),
        ([], "name mode", [2, 5, 8]),  # which of them count, nobody said
    ],
)
def test_documents_for_other_profiles_do_not_count(profiles: list[str], keys: str, hidden: list[int]) -> None:
    found = Keys(fingerprinter=FINGERPRINTER, valid=is_setting)
    fill(found, SPRING.encode(), "application.yml", profiles=profiles)
    assert [key for key in found.shapes if key.startswith("shop")] == [f"shop.{key}" for key in keys.split()]
    assert [entry.detail.partition(": ")[0] for entry in found.gaps] == [
        f"application.yml:{at}" for at in hidden
    ]
    mode = found.shapes["shop.mode"]["fingerprint"]
    assert mode == FINGERPRINTER.of("shop.mode", "over 2" if "eu" in profiles else "plain 1")


@pytest.mark.parametrize("kind", ["yaml", "json", "toml"])
def test_what_is_nested_beyond_all_use_is_too_large(kind: Format) -> None:
    deep = {
        "yaml": "a: " + "[" * 100 + "1" + "]" * 100,
        "json": '{"a": ' + "[" * 100 + "1" + "]" * 100 + "}",
        "toml": "a = " + "[" * 100 + "1" + "]" * 100,
    }
    with pytest.raises(UnseenError, match="too_large"):
        config(deep[kind], kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_beyond_all_use_is_not_parsed(kind: Format) -> None:
    with pytest.raises(UnseenError, match=rf"settings\.{kind}: more than 8 MB of settings"):
        config(b"a" * (8 * 1024 * 1024 + 1), kind)


def test_names_that_can_be_no_keys_hide_absence_where_they_stand_alone() -> None:
    section = config('{"a": 1, "texts": {"Hello world": "x", "https://e.org": {"b": 1}}, "1st": 2}', "json")
    assert list(section.facts) == ["a"]
    assert [(entry.item, entry.detail) for entry in section.unseen] == [
        ("texts.*", "a/settings.json: 2 names below texts that can be no keys"),
        ("*", "a/settings.json: 1 names that can be no keys"),
    ]
    assert section.status == "partial"


@pytest.mark.parametrize("kind", ["ini", "properties"])
def test_a_key_block_is_one_value_and_its_lines_are_no_keys(kind: Format) -> None:
    front = "[main]\n" if kind == "ini" else ""
    section = config(f"{front}a=12345\nkey={PEM}\nb=12345\n", kind)
    assert [key.rpartition(".")[2] for key in section.facts] == ["a", "key", "b"]
    key: Any = section.facts["main.key" if kind == "ini" else "key"]
    assert key["type"] == "pem"
    assert section.status == "complete"


@given(st.text(alphabet="ABCDwxyz0189+/", min_size=62, max_size=62), st.sampled_from(["ini", "properties"]))
@example("abcdefghijklmnopqrstuvwxyzabcde/ABCDEFGHIJKLMNOPQRSTUVWXYZabcd", "properties")
@example("abcdefghijklmnopqrstuvwxyzabcde/ABCDEFGHIJKLMNOPQRSTUVWXYZabcd", "ini")
def test_a_slipped_line_of_a_key_is_no_key(line: str, kind: Format) -> None:
    front = "[main]\n" if kind == "ini" else ""
    section = config(f"{front}a=1\n{line}==\n", kind)
    assert [key.rpartition(".")[2] for key in section.facts] == ["a"]
    assert section.status == "partial"


def test_no_text_of_a_file_comes_out() -> None:
    canary = "C4n4ry-7f3a"
    for kind in KINDS:
        text = WHOLE[kind].replace("s3cr3t-of-prod", canary).replace("a.internal", canary)
        read = SettingsReader().read(text.encode(), f"a.{kind}", FINGERPRINTER)
        assert text.count(canary)
        assert canary not in repr(read) + json.dumps(dict(read.parts[0].sections["config"].facts))


# --- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("application.yml", True),
        ("config/application-staging.yaml", True),
        ("appsettings.Production.json", True),
        ("bootstrap.properties", True),
        ("messages.properties", True),
        ("php.ini", True),
        ("docker-compose.yml", False),
        ("package-lock.json", False),
        ("applications.yml", False),
        ("values.yaml", False),
        ("pyproject.toml", False),
        ("setup.cfg", False),
        ("properties", False),
    ],
)
def test_it_knows_only_what_frameworks_name(name: str, *, known: bool) -> None:
    assert SettingsReader().matches(name) is known


def test_parts_of_keys_are_joined_as_asked_and_mapped_afterwards() -> None:
    keys = Keys(fingerprinter=FINGERPRINTER, valid=is_setting)
    fill(keys, b'{"a": {"b": [1, {"c": 2}]}}', "x", format="json", separator="__")
    assert list(keys.shapes) == ["a__b[0]", "a__b[1]__c"]


def test_a_format_that_nothing_tells_is_asked_for() -> None:
    with pytest.raises(UnseenError, match="give `format`"):
        fill(Keys(fingerprinter=FINGERPRINTER), b"", "config")
    assert set(FORMATS.values()) == set(KINDS)


DOPPLER = """{
  "DATABASE_URL": {"computed": "postgres://u:C4n4ry@db/shop", "computedVisibility": "unmasked", "note": ""},
  "RESTRICTED": {"computed": null, "computedVisibility": "restricted", "note": "C4n4ry"}
}"""
INFISICAL = """[
  {"key": "DATABASE_URL", "value": "postgres://u:C4n4ry@db/shop", "type": "shared", "_id": "C4n4ry"},
  {"key": "RESTRICTED", "value": "<hidden-by-infisical>", "type": "shared"}
]"""
OF_THE_API = """{"secrets": [
  {"secretKey": "DATABASE_URL", "secretValue": "postgres://u:C4n4ry@db/shop", "version": 3},
  {"secretKey": "RESTRICTED", "secretValue": "<hidden-by-infisical>"}
], "imports": []}"""


@pytest.mark.parametrize("reader", [SettingsReader(), NamesReader()])
@pytest.mark.parametrize("export", [DOPPLER, INFISICAL, OF_THE_API])
def test_exports_of_secret_managers_are_flat_names(export: str, reader: Any) -> None:
    read = reader.read(export.encode(), "secrets.json", FINGERPRINTER)
    section = read.parts[0].sections["config"]
    url = "postgres://u:C4n4ry@db/shop"
    assert tag(section, "DATABASE_URL") == FINGERPRINTER.of("DATABASE_URL", url)
    assert section.facts["RESTRICTED"] == {"type": "text", "source_class": "literal", "opaque": True}
    assert (len(section.facts), section.status) == (2, "complete")
    assert "C4n4ry" not in repr(read)


# --- damage ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cuts", OF_A_HUNDRED_OR_ALL)
def test_a_file_that_was_cut_has_no_key_that_was_not_there(
    kind: Format, cuts: Cuts, record_property: Record
) -> None:
    whole = set(config(WHOLE[kind], kind).facts)
    for data in cuts(WHOLE[kind].encode(), record_property):
        try:
            found = config(data, kind)
        except UnseenError as error:
            assert error.detail.startswith(f"a/settings.{kind}")  # noqa: PT017
            continue
        # The name of the last key may have been cut too, and a map may have lost all that stood in it.
        assert all(
            any(f"{known}.".startswith(f"{key}.") for known in whole) for key in list(found.facts)[:-1]
        )


@pytest.mark.parametrize("kind", KINDS)
def test_no_flipped_bit_ends_in_a_traceback(kind: Format) -> None:
    data = WHOLE[kind].encode()
    for bit in range(0, len(data) * 8, 7):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with suppress(UnseenError):
            config(bytes(damaged), kind)


@given(st.binary(max_size=120), st.sampled_from(KINDS))
def test_no_bytes_end_in_a_traceback(data: bytes, kind: Format) -> None:
    with suppress(UnseenError):
        config(data, kind)


def test_dates_of_toml_are_written_as_rfc_3339_does() -> None:
    section = config(WHOLE["toml"], "toml")
    written = datetime.fromisoformat("2026-11-22T09:30:00+00:00").isoformat()
    assert tag(section, "database.since") == FINGERPRINTER.of("database.since", written)
