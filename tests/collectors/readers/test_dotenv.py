"""Files of environment variables: the dialect of python-dotenv, and what must never come out of one."""

import io
import json
from contextlib import suppress
from pathlib import Path

import pytest
from dotenv.parser import parse_stream
from hypothesis import example, given
from hypothesis import strategies as st

from collectors.readers._env_lines import Binding, Unparsed
from collectors.readers.dotenv import DotenvReader, entries
from detector.errors import UnseenError
from detector.model.facts import Section
from detector.model.fingerprints import Fingerprinter
from tests.collectors.readers.cuts import OF_A_HUNDRED_OR_ALL, Cuts, Record

FINGERPRINTER = Fingerprinter(b"k" * 32)
FILES = sorted((Path(__file__).parents[3] / "examples/quickstart").rglob(".env.*"))
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq0\nzz9==\n-----END RSA PRIVATE KEY-----"


def config(text: str | bytes) -> Section:
    data = text if isinstance(text, bytes) else text.encode()
    return DotenvReader().read(data, ".env", FINGERPRINTER).parts[0].sections["config"]


def tag(name: str, value: str) -> str:
    return FINGERPRINTER.of(name, value)


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("A=one two", "A", "one two"),
        ("export A=one two", "A", "one two"),
        ("A = one two", "A", "one two"),
        ("'A'=one two", "A", "one two"),
        ("A-B=12345", "A-B", "12345"),
        ("a.b=12345", "a.b", "12345"),
        ("A=v1 # comment", "A", "v1"),
        ('A="v1 # no comment" # comment', "A", "v1 # no comment"),
        ("A='v1 # no comment'", "A", "v1 # no comment"),
        ("A=v1#no-comment", "A", "v1#no-comment"),
        ('A="two\nlines"', "A", "two\nlines"),
        (r'A="two\nlines"', "A", "two\nlines"),
        (r"A='two\nlines'", "A", r"two\nlines"),  # single quotes keep the backslash
        ('A="it\\"s 1"', "A", 'it"s 1'),
        ("A=$(curl evil 1)", "A", "$(curl evil 1)"),  # text, never run
        ("A=`id 1`", "A", "`id 1`"),
        ("A=${B}", "A", "${B}"),  # the text enters the fingerprint unexpanded
        ("\ufeffA=12345", "A", "12345"),
        ("A=12345\r\n", "A", "12345"),
        ("#x\rA=12345\rB=2", "A", "12345"),  # line ends of old Macs
    ],
)
def test_a_line_has_the_fingerprint_of_what_a_loader_would_set(line: str, name: str, value: str) -> None:
    section = config(line)
    assert section.facts[name]["fingerprint"] == tag(name, value)  # type: ignore[index, call-overload]
    assert section.status == "complete"


@pytest.mark.parametrize(
    "line",
    [
        "=x",
        "1A=x",
        "A[0]=x",
        "A B=x",
        "a/b=x",
        'A="x" y',
        "MIIEpAIBAAKCAQEA7bq0Zk2uJw8Qx=",
        "sk_live_4eC39HqLyjWDarjtT1=1",
    ],
)
def test_what_is_no_variable_is_named_by_line_and_hides_absence(line: str) -> None:
    read = DotenvReader().read(f"OK=1\n{line}\n".encode(), "prod.env", FINGERPRINTER)
    section = read.parts[0].sections["config"]
    assert list(section.facts) == ["OK"]
    assert section.status == "partial"
    assert [(entry.item, entry.reason) for entry in section.unseen] == [("*", "malformed")]
    assert "line 2" in section.unseen[0].detail
    assert "line 2" in read.warnings[0]
    assert line not in str(read)


def test_empty_and_absent_are_two_states() -> None:
    assert config("A=\nB=\"\"\nC=''\n").facts == {
        name: {"type": "empty", "source_class": "literal"} for name in "ABC"
    }


def test_a_name_alone_sets_nothing_and_says_so() -> None:
    read = DotenvReader().read(b"A\nB=1\n", ".env", FINGERPRINTER)
    assert list(read.parts[0].sections["config"].facts) == ["B"]
    assert read.warnings == ("line 1: a name without = sets nothing",)


def test_a_name_alone_at_the_end_may_be_half_a_line_that_was_cut() -> None:
    section = config("B=1\nA")
    assert list(section.facts) == ["B"]
    assert [(entry.item, entry.detail) for entry in section.unseen] == [("*", ".env: line 2: not NAME=value")]


def test_the_last_of_two_equal_keys_wins_with_a_warning() -> None:
    read = DotenvReader().read(b"A=11\nA=22\n", ".env", FINGERPRINTER)
    facts = read.parts[0].sections["config"].facts
    assert facts["A"]["fingerprint"] == tag("A", "22")  # type: ignore[index, call-overload]
    assert read.warnings == ("line 2: the key was set before; the last one wins",)


def test_an_unquoted_key_block_is_one_value_and_its_lines_are_no_keys() -> None:
    read = DotenvReader().read(f"A=1\nKEY={PEM}\nB=2\n".encode(), ".env", FINGERPRINTER)
    section = read.parts[0].sections["config"]
    assert list(section.facts) == ["A", "KEY", "B"]
    assert section.facts["KEY"]["type"] == "pem"  # type: ignore[index, call-overload]
    assert section.facts["KEY"]["fingerprint"] == tag("KEY", PEM)  # type: ignore[index, call-overload]
    assert section.status == "complete"
    assert "lines 2 to 5" in read.warnings[0]


@pytest.mark.parametrize(
    ("data", "reason", "place"),
    [
        (b'A=1\nB="open\nC=3\n', "malformed", ".env:2"),
        (b"A=1\nB='open\n", "malformed", ".env:2"),
        (b"A=1\nB=-----BEGIN KEY-----\nAAAA\n", "malformed", ".env:2"),
        (b"A=1\nB=\0\n", "malformed", ".env:2"),
        ("A=1".encode("utf-16"), "malformed", "UTF-16"),
        ("A=1\nB=é".encode("latin-1"), "malformed", ".env:2"),
        (b"A=" + b"x" * 10_000_000, "too_large", ".env"),
        (b"A=1\n" * 1_000_000, "too_large", ".env"),
        (b"\n" * 1_000_000, "too_large", ".env"),
    ],
)
def test_a_file_that_is_not_understood_is_unseen_with_its_place(data: bytes, reason: str, place: str) -> None:
    with pytest.raises(UnseenError) as caught:
        config(data)
    assert caught.value.reason == reason
    assert place in caught.value.detail
    assert "open" not in caught.value.detail


def test_a_file_does_not_see_what_an_image_brings_along() -> None:
    assert "image_default" not in config("A=1").sees


@pytest.mark.parametrize("name", [".env", ".env.prod", "deploy/prod.env", "a/.env.local"])
def test_it_knows_its_files_by_name(name: str) -> None:
    assert DotenvReader().matches(name)


def test_a_short_word_carries_a_fingerprint_only_when_asked() -> None:
    reader = DotenvReader()
    plain = reader.read(b"MODE=blue\n", ".env", FINGERPRINTER)
    asked = reader.read_comparing(b"MODE=blue\n", ".env", FINGERPRINTER, ["MODE"])
    assert "fingerprint" not in plain.parts[0].sections["config"].facts["MODE"]  # type: ignore[operator]
    assert "fingerprint" in asked.parts[0].sections["config"].facts["MODE"]  # type: ignore[operator]


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "",
                "#x",
                "A=1",
                "export B = 2 # c",
                "C='a # b'",
                'D="a\\n\\"b"',
                "E",
                "F= #x",
                "=x",
                "'G'=1",
                "H=\t",
                "I=a\\nb",
            ]
        ),
        st.text(alphabet="AB_1 =#'\"\\\t$n", max_size=12),
    ),
    max_size=8,
)


@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]))
@example(["A= # x"], "\n")
@example(["export #x", "export", "export=1"], "\n")
def test_bindings_are_those_of_the_reference_dialect(lines: list[str], line_end: str) -> None:
    text = line_end.join(lines)
    try:
        ours = [(e.name, e.value) for e in entries(text, ".env") if isinstance(e, Binding)]
    except UnseenError:
        return  # a quote that is never closed: the reference goes on with the next line, we refuse the file
    theirs = [(b.key, b.value) for b in parse_stream(io.StringIO(text, newline="")) if b.key and not b.error]
    assert ours == theirs


@given(st.text(max_size=200))
def test_no_text_ends_in_a_traceback(text: str) -> None:
    with suppress(UnseenError):
        config(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("cuts", OF_A_HUNDRED_OR_ALL)
def test_a_file_that_was_cut_has_every_key_before_the_cut_and_no_other(
    cuts: Cuts, record_property: Record
) -> None:
    assert len(FILES) == 6
    for whole in (path.read_bytes() for path in FILES):
        keys = list(config(whole).facts)
        assert len(keys) == whole.count(b"\n")
        for data in cuts(whole, record_property):
            found = config(data).facts
            complete = data.count(b"\n")
            assert keys[:complete] == list(found)[:complete]
            assert list(found)[complete:] in ([], [keys[complete]])
            for key in keys[:complete]:
                assert found[key] == config(whole).facts[key]


def test_no_text_of_a_file_comes_out() -> None:
    canary = "C4n4ry-7f3a"
    text = (
        f"A={canary}\nB='{canary}'\nURL=postgres://u:{canary}@db/{canary}\nP=-----BEGIN KEY-----\n{canary}\n"
        f'-----END KEY-----\n{canary}!\n1{canary}={canary}\nQ="{canary}" {canary}\n'
    )
    read = DotenvReader().read(text.encode(), ".env", FINGERPRINTER)
    assert canary not in str(read)
    assert canary not in json.dumps(dict(read.parts[0].sections["config"].facts))
    assert all(canary not in repr(entry) for entry in entries(text, ".env"))
    with pytest.raises(UnseenError) as caught:
        config(text + f'X="{canary}')
    assert canary not in str(caught.value)


def test_line_numbers_count_through_values_of_several_lines() -> None:
    found = list(entries('A="1\n2\r\n3"\n\n# c\nB\n=x\n', ".env"))
    assert [entry.line for entry in found] == [1, 6, 7]
    assert isinstance(found[2], Unparsed)
