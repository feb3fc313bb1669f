"""Keys that JavaScript and TypeScript read, in the ways that people write it."""
# ruff: noqa: E501 - a row of a table stays on its line

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.readers._javascript import tokens_of
from collectors.readers._reads_javascript import javascript_reads

Found = dict[str, tuple[bool, str | None]]
NEEDED, OPTIONAL = (False, None), (True, None)


def reads(code: str) -> Found:
    return {place.name: (place.default, place.stand_in) for place in javascript_reads(code).found}


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("const a = process.env.A;", {"A": NEEDED}),
        ('process.env["A"]; process?.env?.B; process.env?.["C"]', {"A": NEEDED, "B": NEEDED, "C": NEEDED}),
        ("process.env[`A`]", {"A": NEEDED}),
        ("globalThis.process.env.A", {"A": NEEDED}),
        ("process.env.A!.split(',')", {"A": NEEDED}),  # its writer is sure
        ('process.env.A ?? "x"', {"A": OPTIONAL}),
        ('process.env.A || "http://localhost:3000"', {"A": (True, "loopback")}),
        ('process.env.A ??= "changeme"', {"A": (True, "placeholder")}),
        ("Number(process.env.PORT) || 3000", {"PORT": OPTIONAL}),
        ("parseInt(process.env.PORT, 10) || 3000", {"PORT": OPTIONAL}),
        ("if (process.env.A) {}", {"A": OPTIONAL}),
        ("if (!process.env.A) { throw new Error('A') }", {"A": NEEDED}),
        ("if (!process.env.A) process.exit(1)", {"A": NEEDED}),
        ("process.env.A ? 1 : 2; process.env.B === 'x'; process.env.C && f()", {"A": OPTIONAL, "B": OPTIONAL, "C": OPTIONAL}),
        ("const {A, B = 'x', C: c, D: d = 1, ...rest} = process.env;", {"A": NEEDED, "B": OPTIONAL, "C": NEEDED, "D": OPTIONAL}),
        ("const env = process.env; env.A; env['B']", {"A": NEEDED, "B": NEEDED}),
        ('import { env } from "node:process"; env.A', {"A": NEEDED}),
        ('import { env as e } from "process"; e.A', {"A": NEEDED}),
        ("const { env } = process; env.A", {"A": NEEDED}),
        ("const KEY = 'A'; process.env[KEY]", {"A": NEEDED}),
        ("import.meta.env.VITE_A ?? 1; import.meta.env.MODE", {"VITE_A": OPTIONAL}),
        ("Bun.env.A; Deno.env.get('B') ?? 'x'", {"A": NEEDED, "B": OPTIONAL}),
        # What sets a key does not read it.
        ("process.env.A = 'x'; delete process.env.B", {}),
        ("spawn('ls', {env: process.env}); f({...process.env})", {}),
        # Comments, texts, templates and patterns.
        ("// process.env.A\n/* process.env.B\n process.env.C */ 'process.env.D'; \"process.env.E\"", {}),
        ("`process.env.A ${process.env.B} process.env.C ${ `${process.env.D}` }` + process.env.E", {"B": NEEDED, "D": NEEDED, "E": NEEDED}),
        (r"/process.env.A['\"`]/.test(x); process.env.B", {"B": NEEDED}),
        ("a = b / c; process.env.A; d / e", {"A": NEEDED}),
        ("`${ {a: {b: 1}} }`; process.env.A", {"A": NEEDED}),
        # Text between tags is no text of the language: what is not closed ends with its line.
        ("<p>Don't\n{process.env.A}</p>", {"A": NEEDED}),
        ("<a/><b>{process.env.A}</b>", {"A": NEEDED}),
        ("my.process.environment; env.A; process.envelope.B", {}),
    ],
)  # fmt: skip
def test_the_process_environment(code: str, found: Found) -> None:
    assert reads(code) == found


@pytest.mark.parametrize(
    "code",
    [
        "process.env[name]",
        "process.env[`A_${b}`]",
        "z.object({}).parse(process.env)",
        "cleanEnv(process.env, {})",
        "process.env['sk live']",
    ],
)
def test_a_name_that_only_a_run_would_tell_is_counted_by_its_line(code: str) -> None:
    found = javascript_reads(f"\n{code}")
    assert (found.found, found.computed) == ([], [2])


def test_lines_are_counted_through_comments_templates_and_texts() -> None:
    code = "/*\n\n*/ `a\n\n${1}\n`;\n'b\\\n';\nprocess.env.A"
    assert [place.line for place in javascript_reads(code).found] == [9]


@given(st.text(max_size=400))
def test_any_text_has_tokens_in_order(text: str) -> None:
    lines = [token.line for token in tokens_of(text)]
    assert lines == sorted(lines)
    javascript_reads(text)


PIECES = [
    "process.env.A",
    "`",
    "${",
    "}",
    "'",
    '"',
    "/",
    "//",
    "/*",
    "*/",
    "\n",
    "\\",
    "{",
    "[",
    "]",
    "(",
    ")",
    "=",
    " ",
    "a",
    "!",
]


@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_pieces_in_any_order_never_raise(pieces: list[str]) -> None:
    javascript_reads("".join(pieces))


@pytest.mark.parametrize(
    "piece",
    [
        "`${",
        "}= process.env;",
        "{",
        "'\\",
        "/a[",
        "process.env.A||",
        "(process.env[",
        "!process.env.A(",
        "/*",
        "env, ",
    ],
)
def test_no_text_takes_more_than_a_walk(piece: str) -> None:
    # Work that grew with the square of this would outlast the test's time limit.
    javascript_reads(piece * (200_000 // len(piece)))
