"""What other tools print of an app's config, as it comes over standard input."""

import pytest

from collectors.readers.names import NamesReader
from collectors.readers.snapshot import SnapshotReader
from detector.errors import UnseenError
from detector.model.facts import Section
from detector.model.fingerprints import Fingerprinter
from detector.reader import Read

FINGERPRINTER = Fingerprinter(b"k" * 32)
OBSERVATION = (
    b'{"schema": "parity.observation/v1", "environment": "prod", "service": "shop", "source": "ci",'
    b' "observed_at": "2026-11-22T09:28:14Z", "traffic": "TRAFFIC", "sections":'
    b' {"release": {"basis": "built", "status": "complete", "facts": {"image#tag": "1.4.2"}}}}'
)


def read(text: bytes) -> Read:
    return NamesReader().read(text, "-", FINGERPRINTER)


def config(text: bytes) -> Section:
    return read(text).parts[0].sections["config"]


@pytest.mark.parametrize(
    "text",
    [
        b'{"A": "12 34", "URL": "redis://h"}',  # heroku config --json
        b"=== shop Config Vars\n\nA:   12 34\nURL: redis://h\n",  # heroku config
        b"A='12 34'\nURL=redis://h\n",  # heroku config --shell
        b"A 12 34\nURL redis://h\n",
        b"# comment\nexport A='12 34'\nURL=redis://h",
        b'\xef\xbb\xbf{"A": "12 34", "URL": "redis://h"}',
    ],
)
def test_every_way_to_print_a_config_says_the_same(text: bytes) -> None:
    section = config(text)
    assert list(section.facts) == ["A", "URL"]
    assert section.facts["A"]["fingerprint"] == FINGERPRINTER.of("A", "12 34")  # type: ignore[index, call-overload]
    assert section.status == "complete"


def test_numbers_and_flags_of_a_flat_object_are_their_text() -> None:
    facts = config(b'{"PORT": 8080, "DEBUG": true, "EMPTY": null}').facts
    assert [shape["type"] for shape in facts.values()] == ["int", "bool", "empty"]  # type: ignore[index, call-overload]


def test_what_is_not_flat_or_no_name_hides_absence() -> None:
    section = config(b'{"A": "1", "B": {"C": "C4n4ry"}, "sk_live_4eC39HqLyjWDarjtT1zdp7dc": "1"}')
    assert list(section.facts) == ["A"]
    assert [(entry.item, entry.reason) for entry in section.unseen] == [
        ("*", "unsupported"),
        ("*", "malformed"),
    ]
    lines = config(b"A 12\n1bad C4n4ry\n")
    assert (list(lines.facts), lines.status) == (["A"], "partial")
    assert "C4n4ry" not in str(read(b"A 12\n1bad C4n4ry\n"))


def test_an_observation_is_known_by_its_shape() -> None:
    part = read(OBSERVATION.replace(b"TRAFFIC", b"live")).parts[0]
    assert (part.environment, part.service, part.observed_at) == ("prod", "shop", "2026-11-22T09:28:14Z")
    assert part.sections["release"].facts == {"image#tag": "1.4.2"}


@pytest.mark.parametrize(
    "data", [b"{", b"C4n4ry\n!!\n", b"\xff\xfe", b'{"A": 1, "A": 2}', b"[]", b"x" * 3_000_000, b"{" * 100_000]
)
def test_what_is_none_of_these_is_unseen(data: bytes) -> None:
    with pytest.raises(UnseenError) as caught:
        read(data)
    assert "C4n4ry" not in str(caught.value)


def test_idle_traffic_is_not_compared_and_that_is_told() -> None:
    found = SnapshotReader().read(OBSERVATION.replace(b"TRAFFIC", b"idle"), "a.json", FINGERPRINTER)
    assert found.parts == ()
    assert "1 observations of idle" in found.warnings[0]


@pytest.mark.parametrize(
    ("data", "reason", "place"),
    [
        (OBSERVATION.replace(b"TRAFFIC", b"C4n4ry!"), "malformed", "a.json/traffic"),
        (
            OBSERVATION.replace(b'"source"', b'"sorce"'),
            "malformed",
            "a.json/sorce: an unknown field (did you mean source?)",
        ),
        (b"[" * 100_000, "too_large", "a.json"),
        (OBSERVATION[:-9], "malformed", "a.json: no JSON at line 1"),
    ],
)
def test_a_file_that_is_refused_names_the_place(data: bytes, reason: str, place: str) -> None:
    with pytest.raises(UnseenError) as caught:
        SnapshotReader().read(data, "a.json", FINGERPRINTER)
    assert caught.value.reason == reason
    assert place in caught.value.detail
    assert "C4n4ry" not in caught.value.detail


@pytest.mark.parametrize("cut", range(1, len(OBSERVATION) - len("TRAFFIC"), 3))
def test_a_file_that_was_cut_is_refused(cut: int) -> None:
    with pytest.raises(UnseenError):
        SnapshotReader().read(OBSERVATION.replace(b"TRAFFIC", b"live")[:cut], "a.json", FINGERPRINTER)
