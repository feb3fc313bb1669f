"""YAML as plain data, and each way in which a document can be more than that."""

import pytest

from collectors.readers import _yaml
from detector.errors import UnseenError

BOMB = b"a: &a [1,1,1,1,1,1,1,1,1,1]\n" + b"".join(
    b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 10)) for c in range(98, 110)
)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        (b"a: 1.10", {"a": "1.10"}),
        (b"on: [no, 22:22, 2026-01-01, 0o7]", {"on": ["no", "22:22", "2026-01-01", "0o7"]}),
        (b"a: ~\nb:\nc: null\nd: 'null'\ne: ''", {"a": None, "b": None, "c": None, "d": "null", "e": ""}),
        (b"x: &x {p: 1, q: 2}\ny:\n  <<: *x\n  q: 3", {"x": {"p": "1", "q": "2"}, "y": {"q": "3", "p": "1"}}),
        (
            b"x: &x {p: 1}\ny: &y {q: 2}\nz: {<<: [*x, *y]}",
            {"x": {"p": "1"}, "y": {"q": "2"}, "z": {"p": "1", "q": "2"}},
        ),
        (b"a: &s text\nb: *s", {"a": "text", "b": "text"}),
        (b"a: !!int '1'", {"a": "1"}),
        (b"", None),
    ],
)
def test_scalars_stay_the_text_that_was_written(text: bytes, tree: object) -> None:
    assert _yaml.document(text, "f.yml") == tree


@pytest.mark.parametrize(
    ("text", "reason", "place"),
    [
        (b"a: 1\na: 2", "malformed", "f.yml:2:1"),
        (b"a: !!python/object/apply:os.system ['id']", "malformed", "f.yml:1:4"),
        (b"a: b: c", "malformed", "f.yml:1:5"),
        (b"\ta: 1", "malformed", "f.yml:1:1"),
        (b'a: "open', "malformed", "f.yml:1"),
        (b"---\na\n---\nb", "malformed", "f.yml:3"),
        (b"&a [*a]", "malformed", "f.yml:1:5"),  # an anchor that holds itself
        (b"[a]: b", "malformed", "f.yml:1"),
        (b"a: {<<: text}", "malformed", "f.yml:1"),
        (b"\xff\xfea", "malformed", "f.yml"),
        (b"a: \x00", "malformed", "f.yml"),
        (b"[" * 100_000, "too_large", "f.yml:1:65"),
        (b"a: !reset null", "malformed", "f.yml:1:4"),  # a tag that only compose files know
        (BOMB, "too_large", "f.yml:6"),
        (b"a: 1\n" * 1_000_000, "too_large", "f.yml"),
    ],
)
def test_what_is_no_plain_data_is_refused_with_its_place(text: bytes, reason: str, place: str) -> None:
    with pytest.raises(UnseenError) as caught:
        _yaml.document(text, "f.yml")
    assert caught.value.reason == reason
    assert caught.value.detail.startswith(place)


def test_documents_know_their_lines_and_keep_their_anchors_to_themselves() -> None:
    found = _yaml.documents(b"a: &x 1\n---\n# said of it\nb:\n  c: 2\n---\n", "f.yml")
    assert found == [(1, {"a": "1"}), (2, {"b": {"c": "2"}}), (6, None)]
    tree = found[1][1]
    assert isinstance(tree, _yaml.Map)
    assert (tree.line, tree["b"].line) == (4, 5)
    with pytest.raises(UnseenError, match=r"f\.yml:3:4"):
        _yaml.documents(b"a: &x 1\n---\nb: *x", "f.yml")


def test_a_tag_with_a_meaning_is_told_with_what_it_marks() -> None:
    ((_, tree),) = _yaml.documents(
        b"a: !reset null\nb: !override [x]", "f.yml", marks=frozenset({"!reset", "!override"})
    )
    assert tree == {"a": _yaml.Marked("!reset", None), "b": _yaml.Marked("!override", ["x"])}
