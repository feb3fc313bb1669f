"""The names below a root: sources are hostile, and nothing outside the root is ever seen."""

import io
import os
from pathlib import Path

import pytest

from collectors.readers.installed import Entry, Tree, tree, wanted
from collectors.readers.installed.folder import folder_tree
from collectors.readers.installed.tree import head, shown, whole
from detector.errors import UnseenError
from tests.collectors.readers.installed.trees import Files, Link, folder_of, tree_of

RELEASE = b"ID=debian\n"


@pytest.mark.parametrize(
    "target",
    [
        "../usr/lib/os-release",
        "/usr/lib/os-release",
        "../../../../../usr/lib/os-release",  # `..` ends at the root
        "/etc/../usr/./lib//os-release",
        "/lib/os-release",  # through a folder that is a link
    ],
)
def test_links_end_inside_the_root(target: str) -> None:
    found = tree_of({"etc/os-release": Link(target), "lib": Link("usr/lib"), "./usr/lib/os-release": RELEASE})
    assert found.read("/etc/os-release") == RELEASE
    assert found.real("/etc/os-release") == "/usr/lib/os-release"
    assert list(found.names("/lib")) == ["os-release"]
    assert list(found.files()) == ["/usr/lib/os-release"]


def test_links_in_a_circle_end() -> None:
    found = tree_of({"/a": Link("b"), "/b": Link("/a"), "/etc/os-release": Link("/a/c")})
    with pytest.raises(UnseenError, match="malformed: /etc/os-release: more than 40 links"):
        found.read("/etc/os-release")


def test_forty_links_are_followed_and_no_more() -> None:
    chain: Files = {f"/l{n}": Link(f"l{n + 1}") for n in range(41)}
    found = tree_of({**chain, "/l41": Link("/etc/os-release"), "/etc/os-release": RELEASE})
    assert found.real("/l2") == "/etc/os-release"
    with pytest.raises(UnseenError):
        found.real("/l1")


def test_what_is_not_there_is_nothing() -> None:
    found = tree_of({"/etc/os-release": Link("nowhere"), "/etc/passwd": b"root", "/srv/": b""})
    for path in ("/etc/os-release", "/none", "/srv", "/etc/os-release/below"):
        assert found.read(path) is None
    assert found.read("/etc/passwd") is None  # no reader asks for it, so that it is not kept
    assert dict(found.names("/none")) == {}


def test_a_later_layer_replaces_and_takes_away() -> None:
    found = tree_of({"/var/lib/dpkg/status": b"1", "/var/lib/dpkg/status.d/tzdata": b"2"})
    found.put("/var/lib/dpkg/status", Entry("file", size=1), io.BytesIO(b"3"))
    assert found.read("/var/lib/dpkg/status") == b"3"
    found.drop("/var/lib/dpkg/status.d")
    assert (list(found.files()), dict(found.names("/var/lib/dpkg/status.d"))) == (
        ["/var/lib/dpkg/status"],
        {},
    )
    found.put("/var/lib/dpkg", Entry("link", target="/srv"))  # a folder becomes a link
    assert (list(found.files()), found.read("/var/lib/dpkg/status")) == ([], None)
    found.put("/var/lib/dpkg/status", Entry("file", size=1), io.BytesIO(b"4"))  # and one again
    assert found.read("/var/lib/dpkg/status") == b"4"
    found.drop("/nothing/there")


@pytest.mark.parametrize("path", ["../../etc/os-release", "/a/../etc/os-release", "..", "/", "", "."])
def test_a_name_that_climbs_is_no_name(path: str) -> None:
    found = tree_of({path: RELEASE})
    assert (list(found.files()), list(found.folders())) == ([], ["/"])


def test_more_names_than_the_limit_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MOST_NAMES", 3)
    found = tree_of({"/a/b": b"", "/a/c": b"", "/d/e/os-release": b"", "/a/b/": b""})
    assert sorted(found.names("/a")) == ["b", "c"]
    assert list(found.folders()) == ["/", "/a", "/a/b"]  # what is there may still change
    assert {path: error.reason for path, error in found.unseen.items()} == {"/": "too_large"}


def test_a_path_without_end_is_told() -> None:
    found = tree_of({"/a" * 200: b"", "/" + "a" * 5000: b""})
    assert (list(found.folders()), found.unseen["/"].reason) == (["/"], "too_large")


def test_content_beyond_the_limit_of_all_is_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MOST_KEPT", 10)
    found = tree_of({"/etc/os-release": b"x" * 8, "/usr/lib/os-release": b"y" * 8})
    assert found.read("/etc/os-release") == b"x" * 8
    for _ in range(2):
        with pytest.raises(UnseenError, match="too_large: /usr/lib/os-release"):
            found.read("/usr/lib/os-release")
    found.drop("/etc/os-release")
    found.put("/usr/lib/os-release", Entry("file"), io.BytesIO(b"y" * 8))
    assert found.read("/usr/lib/os-release") == b"y" * 8


def test_a_file_is_kept_whole_or_not_at_all_and_a_head_as_far_as_it_goes() -> None:
    assert whole(1024)(io.BytesIO(b"x" * 1024), "/a") == b"x" * 1024
    with pytest.raises(UnseenError, match="too_large: /a: more than 1 KiB"):
        whole(1024)(io.BytesIO(b"x" * 1025), "/a")
    assert head(3)(io.BytesIO(b"abcdef"), "/a") == b"abc"


@pytest.mark.parametrize(("path", "expected"), [("/a\x1b[2J\n", r"/a\x1b[2J\n"), ("/\ud800", r"/\ud800")])
def test_a_hostile_name_is_shown_inert(path: str, expected: str) -> None:
    assert shown(path) == expected
    assert len(shown(path * 1000)) < 200


def test_a_folder_is_the_same_tree(tmp_path: Path) -> None:
    link = Link("../usr/lib/os-release")
    files: Files = {"/etc/os-release": link, "/usr/lib/os-release": RELEASE, "/srv/": b""}
    found = folder_tree(folder_of(tmp_path, files), wanted)
    assert sorted(found.folders()) == sorted(tree_of(files).folders())
    assert found.read("/etc/os-release") == RELEASE
    assert found.unseen == {}


def test_a_link_out_of_a_folder_ends_inside_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("C4n4ry")
    root = folder_of(tmp_path / "root", {"/etc/os-release": Link("../../secret")})
    assert folder_tree(root, wanted).read("/etc/os-release") is None


def test_a_file_that_becomes_a_link_meanwhile_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("C4n4ry")
    root = folder_of(tmp_path / "root", {"/etc/os-release": RELEASE, "/usr/lib/os-release": RELEASE})
    found = folder_tree(root, wanted)
    (root / "etc" / "os-release").unlink()
    (root / "etc" / "os-release").symlink_to(tmp_path / "secret")
    (root / "usr" / "lib").rename(tmp_path / "lib")
    (root / "usr" / "lib").symlink_to(tmp_path / "lib")
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        with pytest.raises(UnseenError) as caught:
            found.read(path)
        assert caught.value.reason in {"unreachable", "unsupported"}


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    root = folder_of(tmp_path, {"/etc/": b""})
    os.mkfifo(root / "etc" / "os-release")
    found = folder_tree(root, wanted)
    assert found.names("/etc")["os-release"].kind == "other"
    assert found.read("/etc/os-release") is None


def test_excluded_folders_are_not_looked_into(tmp_path: Path) -> None:
    root = folder_of(tmp_path, {"/users/me/a": b"", "/srv/a": b"", "/.git/a": b"", "/var/lib/docker/a": b""})
    found = folder_tree(root, wanted, ["/users/*"])
    assert [folder for folder in found.folders() if found.names(folder)] == [
        "/",
        *sorted(["/users", "/srv", "/var", "/var/lib"], key=list(found.folders()).index),
    ]


def test_a_folder_that_may_not_be_listed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folder_of(tmp_path, {"/cl\udcff\n/a": b"", "/gone/a": b"", "/srv/a": b""})
    errors = {
        "cl\udcff\n": PermissionError,
        "gone": FileNotFoundError,
    }  # the latter: removed since it was listed
    scandir = os.scandir

    def refusing(path: str) -> object:  # nothing is denied to root
        if (name := Path(path).name) in errors:
            raise errors[name]
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = folder_tree(root, wanted)
    (error,) = found.unseen.values()
    # A name that is no text becomes one.
    assert (error.reason, error.detail) == ("denied", r"/cl\udcff\n may not be read by this user")
    assert list(found.names("/srv")) == ["a"]


def test_a_root_that_cannot_be_listed_raises(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for root, reason in ((tmp_path / "gone", "unreachable"), (tmp_path / "file", "unsupported")):
        with pytest.raises(UnseenError) as caught:
            folder_tree(root, wanted)
        assert caught.value.reason == reason


def test_without_content_a_wanted_file_is_unseen() -> None:
    found = Tree(wanted)
    found.put("/etc/os-release", Entry("file"))
    with pytest.raises(UnseenError, match="not_in_view"):
        found.read("/etc/os-release")


def test_what_is_put_below_a_link_stands_where_it_leads() -> None:
    # Debian merged /lib into /usr/lib; layers still bring files of /lib.
    tree = tree_of({"/usr/lib/": "", "/lib": Link("usr/lib"), "/lib/apk/db/installed": "P:musl\n"})
    assert tree.names("/")["lib"].kind == "link"
    assert tree.read("/usr/lib/apk/db/installed") == tree.read("/lib/apk/db/installed") == b"P:musl\n"
    circle = tree_of({"/a": Link("b"), "/b": Link("a"), "/a/x": "y"})
    assert circle.unseen["/"].reason == "malformed"
