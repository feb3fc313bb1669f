"""go.mod and go.sum: the build list is that of `go list -m all`."""

from pathlib import Path

import pytest

from collectors.lockfile import LockfileCollector
from detector.errors import UnseenError
from tests.collectors.lent import context
from tests.collectors.readers.pinned import FILES, grouped, pins, read, section, written
from tests.collectors.readers.projects import CANARY, go

WRITTEN = "go/go.mod"
HASHES = (FILES / "go-sum/go.sum").read_bytes()


def test_the_modules_are_those_that_go_lists(tmp_path: Path) -> None:
    shop, env = go.tidy(tmp_path)
    found = section((shop / "go.mod").read_bytes(), "go.mod")
    assert found.status == "complete"
    assert pins(found) == grouped(go.listed(shop, env))


def test_who_asks_for_a_module_is_told() -> None:
    hints = written(WRITTEN).hints
    assert hints["pkg:golang/example.com/log"] == {"direct": True}
    assert hints["pkg:golang/example.com/yaml/v3"] == {"direct": False}


def test_before_go_1_17_what_modules_need_in_turn_stands_in_go_sum_alone(tmp_path: Path) -> None:
    shop, env = go.tidy(tmp_path, go="1.16")
    listed = grouped(go.listed(shop, env))
    alone = section((shop / "go.mod").read_bytes(), "go.mod")
    assert pins(alone) == {
        item: one for item, one in listed.items() if item != "pkg:golang/example.com/yaml/v3"
    }
    both = section((shop / "go.mod").read_bytes(), "go.mod", lambda path: (shop / path).read_bytes())
    assert pins(both) == listed
    for found in (alone, both):
        assert (found.status, found.unseen[0].item, found.unseen[0].reason) == (
            "partial",
            "pkg:golang/*",
            "not_in_view",
        )


def test_hashes_alone_are_versions_without_a_claim_to_be_all() -> None:
    found = section(HASHES, "go.sum")
    assert found.status == "partial"
    assert "read the go.mod that belongs to it" in found.unseen[0].detail
    # The hash of the fork in place of the module, and none of a folder.
    here = {**pins(written(WRITTEN)), "pkg:golang/example.org/fork/of": "v1.0.1"}
    assert pins(found) == {
        item: version
        for item, version in here.items()
        if item not in {"pkg:golang/example.com/beside", "pkg:golang/example.com/forked"}
    }


def test_of_two_hashed_versions_nobody_knows_which_one_is_taken() -> None:
    lines = "example.com/log v1.0.0 h1:%s=\nexample.com/log v1.1.0 h1:%s=\n"
    assert pins(section(lines % ("A" * 43, "B" * 43), "go.sum")) == {}
    # Of the lost one there is the hash of its go.mod alone.
    lost = lines.replace("v1.0.0", "v1.0.0/go.mod") % ("A" * 43, "B" * 43)
    assert pins(section(lost, "go.sum")) == {"pkg:golang/example.com/log": "v1.1.0"}


def test_a_go_sum_is_read_as_the_go_mod_that_it_belongs_to() -> None:
    beside = {"go.mod": (FILES / WRITTEN).read_bytes(), "go.sum": HASHES}
    assert section(HASHES, "shop/go.sum", beside.__getitem__) == written(WRITTEN)
    with pytest.raises(UnseenError, match=r"shop/go\.mod:1: "):
        section(HASHES, "shop/go.sum", {"go.mod": b"require\n", "go.sum": b""}.__getitem__)


def test_a_module_without_hash_is_told_as_where_a_replacement_was_cut_off() -> None:
    data = (FILES / WRITTEN).read_bytes()
    assert read(data, "go.mod", lambda _: HASHES).warnings == ()
    told = ("1 modules without a hash in go.sum: `go mod tidy`",)
    assert (
        read(data.replace(b"replace example.com/forked", b"//"), "go.mod", lambda _: HASHES).warnings == told
    )
    without_yaml = b"".join(line for line in HASHES.splitlines(keepends=True) if b"/yaml/" not in line)
    assert read(data, "go.mod", lambda _: without_yaml).warnings == told


async def test_both_together_are_one_module_of_go(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_bytes((FILES / WRITTEN).read_bytes())
    (tmp_path / "go.sum").write_bytes(HASHES)
    options = LockfileCollector.Options.model_validate({"paths": ["go.sum", "./go.mod"]})
    seen = (await LockfileCollector().collect(options, context(folder=tmp_path))).seen[0]
    found = seen.sections["dependencies"]
    assert (found.status, pins(found)) == ("complete", pins(written(WRITTEN)))


REQUIRED = "require a.example/b v1.0.0\n"
MODULE = "module example.org/shop\n\ngo 1.22.1\n\ntoolchain go1.22.4\n\n"


@pytest.mark.parametrize(
    ("lines", "facts"),
    [
        ("require a.example/b v1.0.0", {"pkg:golang/a.example/b": "v1.0.0"}),
        ('require "a.example/b" `v1.0.0` // indirect', {"pkg:golang/a.example/b": "v1.0.0"}),
        ("require(\r\n\ta.example/b v1.0.0\r\n)\r", {"pkg:golang/a.example/b": "v1.0.0"}),
        ("require ()\ntool a.example/b/cmd\ngodebug default=go1.21\nignore ./node_modules", {}),
        # A replacement of one version leaves the others as they are.
        (
            REQUIRED + "replace a.example/b v0.9.0 => ../b",
            {"pkg:golang/a.example/b": "v1.0.0"},
        ),
        # That of the very version comes before that of all.
        (
            REQUIRED + "replace a.example/b => ../b\nreplace a.example/b v1.0.0 => a.example/b v1.0.1",
            {"pkg:golang/a.example/b": "v1.0.1"},
        ),
        (
            REQUIRED + "replace a.example/b => /C4n4ry/b",
            {"pkg:golang/a.example/b": "file:b"},
        ),
        (
            REQUIRED + "replace a.example/b => C:\\C4n4ry",
            {"pkg:golang/a.example/b": "local"},
        ),
        (
            "require a.example/b v1.0.0\nrequire a.example/b v1.1.0",
            {"pkg:golang/a.example/b": ["v1.0.0", "v1.1.0"]},
        ),
        ("replace a.example/b => a.example/b v1.0.1", {}),  # nobody requires it
        ("exclude (\n\ta.example/b v1.0.0\n)\nretract v0.1.0 // C4n4ry", {}),
    ],
)
def test_a_directive_means_what_it_means_to_go(lines: str, facts: dict[str, object]) -> None:
    found = section(f"{MODULE}{lines}\n", "go.mod")
    assert (pins(found), found.status) == (facts, "complete")
    assert CANARY not in str(found)


@pytest.mark.parametrize(
    ("lines", "item", "reason"),
    [
        ("require a.example/b master", "pkg:golang/a.example/b", "not_in_view"),  # before `go mod tidy`
        ("require a.example/b v1.0.0\nexclude a.example/b v1.0.0", "pkg:golang/a.example/b", "not_in_view"),
        ("require <C4n4ry> master", "pkg:golang/*", "not_in_view"),
        ("require (\n\ta.example/b v1.0.0", "pkg:golang/*", "malformed"),  # its end is missing
        ("requi2e a.example/b v1.0.0", "pkg:golang/*", "malformed"),
        ("require <C4n4ry> v1.0.0", "pkg:golang/*", "malformed"),
        ("require a.example/ v1.0.0", "pkg:golang/*", "malformed"),
    ],
)
def test_what_cannot_be_known_is_unseen(lines: str, item: str, reason: str) -> None:
    found = section(f"{MODULE}{lines}\n", "go.mod")
    assert found.status == "partial"
    assert (found.unseen[0].item, found.unseen[0].reason) == (item, reason)
    assert CANARY not in str(found)


@pytest.mark.parametrize(
    ("text", "name", "place"),
    [
        ("go 1.22\n", "go.mod", "no `module`"),
        (f"{MODULE}require a.example/b\n", "go.mod", "go.mod:7"),
        (f"{MODULE}require (\n\ta.example/b v1.0.0 C4n4ry\n)\n", "go.mod", "go.mod:8"),
        (f"{MODULE}replace a.example/b => b c d\n", "go.mod", "go.mod:7"),
        (f"{MODULE}replace a.example/b\n", "go.mod", "go.mod:7"),
        ("<<<<<<< HEAD\n", "go.mod", "go.mod:1"),
        (
            "a.example/b v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nC4n4ry\n",
            "go.sum",
            "go.sum:2",
        ),
    ],
)
def test_what_go_would_refuse_is_refused_with_its_line(text: str, name: str, place: str) -> None:
    with pytest.raises(UnseenError) as caught:
        section(text, name)
    assert place in str(caught.value)
    assert CANARY not in str(caught.value)
