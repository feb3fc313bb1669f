"""YAML as it is written: core scalars, places, and nothing that grows or runs."""

import pytest

from detector.config.yaml import Node, parse, plain
from detector.errors import ConfigError
from tests.config.conftest import CANARY, Refuse, Told, told

SYNTAX: list[tuple[str, str, Told]] = [
    ("tab indent", "version: 1\nserver:\n\tlisten: x\n", ("config-syntax", 3, 1, "document")),
    ("two colons", f"version: 1\na: b: {CANARY}\n", ("config-syntax", 2, 5, "document")),
    # the place of the quote, not of the end of the file
    ("unclosed quote", f"version: 1\na: '{CANARY}\nb: 1\n", ("config-syntax", 2, 4, "document")),
    ("unclosed bracket", f"version: 1\na: [{CANARY}\nb: 1\n", ("config-syntax", 2, 4, "document")),
    ("unknown alias", f"version: *{CANARY}\n", ("config-syntax", 1, 10, "version")),
    ("alias of itself", "version: &a [*a]\n", ("config-syntax", 1, 14, "version[0]")),
    ("not a mapping", f"- {CANARY}\n", ("config-type", 1, 1, "document")),
    ("two documents", "version: 1\n---\nversion: 1\n", ("config-syntax", 2, 1, "document")),
    ("comments only", f"# {CANARY}\n", ("config-empty", 1, 1, "document")),
    (
        "a tag runs nothing",
        'version: !!python/object/apply:os.system ["touch /tmp/canary"]\n',
        ("config-syntax", 1, 10, "version"),
    ),
    ("a key that is a list", "version: 1\n? [a]\n: b\n", ("config-syntax", 2, 3, "document")),
    ("a control character", "version: 1\na: \x01\n", ("config-syntax", 2, 4, "document")),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in SYNTAX], ids=[row[0] for row in SYNTAX])
def test_what_is_not_yaml_is_named_by_its_place(refuse: Refuse, text: str, expected: Told) -> None:
    problems = refuse(text)
    assert told(problems) == [expected]
    assert CANARY not in str(ConfigError(problems))


def test_bytes_that_are_not_utf8_are_named_by_their_place(refuse: Refuse) -> None:
    assert told(refuse(b"version: 1\nname: caf\xe9\n")) == [("config-syntax", 2, 10, "document")]


BOMBS = [
    "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)),
    # the same with merges
    "m0: &m0 {k: v}\n"
    + "".join(f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 10)}], k{n}: v}}\n" for n in range(1, 10)),
    "a: " + "[" * 3000,
    "a: " + "{a: " * 3000,
    "".join(f"{' ' * n}a:\n" for n in range(3000)),
    "a: &a x\nb:\n" + "  - *a\n" * 200_000,
    "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 100)),
    "x" * (50 * 1024 * 1024),
]  # fmt: skip


@pytest.mark.parametrize(
    "text", BOMBS, ids=["aliases", "merges", "lists", "maps", "indents", "many", "chain", "50 MB"]
)
def test_a_bomb_is_refused_before_it_grows(refuse: Refuse, text: str) -> None:
    (problem,) = refuse(text)
    assert problem.code == "config-too-complex"


SCALARS = [
    # what YAML 1.1 turns into something else
    ("no", "no"), ("on", "on"), ("Yes", "Yes"), ("off", "off"), ("y", "y"),
    ("22:22", "22:22"), ("1.10", "1.10"), ("0012", "0012"), ("0o14", "0o14"), ("1_000", "1_000"),
    ("2026-01-01", "2026-01-01"), ("2026-01-01T10:00:00Z", "2026-01-01T10:00:00Z"),
    ("1e3", "1e3"), (".inf", ".inf"), ("=", "="),
    # the core schema of YAML 1.2
    ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
    ("'true'", "true"), ('"null"', "null"), ("''", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SCALARS)
def test_a_scalar_is_what_was_written(text: str, expected: object) -> None:
    root, _ = parse(f"on: {text}\n".encode(), "parity.yml")
    assert plain(root) == {"on": expected}


def test_every_value_and_key_knows_its_place() -> None:
    root, _ = parse(
        "\ufeffa:\n  - {é: x, b: |\n      y\n    }\n".replace("|\n      y\n    ", "y").encode(), "f"
    )
    assert isinstance(root.value, dict)
    entry = root.value["a"]
    assert (entry.line, entry.column, entry.node.line, entry.node.column) == (1, 1, 2, 3)
    assert isinstance(entry.node.value, tuple)
    inner = entry.node.value[0].value
    assert isinstance(inner, dict)
    assert [(each.line, each.column) for each in inner.values()] == [(2, 6), (2, 12)]
    assert [(each.node.line, each.node.column) for each in inner.values()] == [(2, 9), (2, 15)]


def test_merges_fill_in_what_is_not_said() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 3}\n"
    root, problems = parse(text.encode(), "f")
    assert plain(root)["c"] == {"x": "3", "y": "1", "z": "2"}
    assert problems == []


def test_a_merge_of_no_mapping_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        parse(f"a: {{<<: [{CANARY}]}}\n".encode(), "f")
    assert told(list(caught.value.problems)) == [("config-type", 1, 10, "a.<<")]


def test_a_node_is_shared_by_its_aliases_and_keeps_its_place() -> None:
    root, _ = parse(b"a: &a [x]\nb: *a\n", "f")
    assert isinstance(root.value, dict)
    first, second = (entry.node for entry in root.value.values())
    assert isinstance(second, Node)
    assert first is second
