"""Layers over each other: the odd cases. The oracle for whole images is an engine, in `test_image`."""

import io
import tarfile

import pytest

from collectors._layers import Budget, Layer, laid_over, read_layer
from collectors.readers.installed import Tree
from detector.errors import UnseenError
from tests.collectors.archives import Made, file, folder, hard_link, link, special, tar

STATUS = "var/lib/dpkg/status"
OS = "etc/os-release"


def _read(data: bytes, budget: Budget) -> Layer:
    stream: io.BufferedReader = io.BufferedReader(io.BytesIO(data))
    return read_layer(stream, budget)


def _layer(*made: Made) -> Layer:
    return _read(tar(*made), Budget())


def _tree(*layers: tuple[Made, ...]) -> Tree:
    return laid_over(_layer(*made) for made in layers)


def _all(tree: Tree) -> set[str]:
    return {f"{folder.rstrip('/')}/{name}" for folder in tree.folders() for name in tree.names(folder)}


def test_an_upper_layer_replaces_and_adds() -> None:
    tree = _tree((file(OS, "ID=debian"), file("a")), (file(OS, "ID=alpine"), file("b")))
    assert tree.read("/etc/os-release") == b"ID=alpine"
    assert _all(tree) == {"/etc", "/etc/os-release", "/a", "/b"}


@pytest.mark.parametrize(
    ("upper", "left"),
    [
        ((file("app/.wh.a"),), {"/app", "/app/d", "/app/d/c"}),
        ((file("app/.wh.d"),), {"/app", "/app/a"}),
        ((file(".wh.app"),), set()),
        ((file("app/.wh..wh..opq"),), {"/app"}),
        ((file(".wh..wh..opq"),), set()),
        ((file("app/.wh.none"),), {"/app", "/app/a", "/app/d", "/app/d/c"}),
        ((file("none/.wh.a"),), {"/app", "/app/a", "/app/d", "/app/d/c"}),
        # A whiteout is for what is below, wherever in its own layer it stands.
        ((file("app/a", b"new"), file("app/.wh.a")), {"/app", "/app/a", "/app/d", "/app/d/c"}),
        ((file("app/new"), file("app/.wh..wh..opq")), {"/app", "/app/new"}),
        ((file("app/.wh..wh.plnk"), file("app/.wh..wh.aufs")), {"/app", "/app/a", "/app/d", "/app/d/c"}),
        # A file where a folder was, a folder where a file was, a link where a folder was.
        ((file("app"),), {"/app"}),
        ((folder("app/a"), file("app/a/x")), {"/app", "/app/a", "/app/a/x", "/app/d", "/app/d/c"}),
        ((link("app/d", "/etc"),), {"/app", "/app/a", "/app/d"}),
        ((folder("app"),), {"/app", "/app/a", "/app/d", "/app/d/c"}),
    ],
)
def test_whiteouts_take_away_what_is_below(upper: tuple[Made, ...], left: set[str]) -> None:
    tree = _tree((file("app/a"), file("app/d/c")), upper)
    assert _all(tree) == left
    assert tree.unseen == {}


def test_what_an_upper_layer_takes_away_is_read_no_more() -> None:
    tree = _tree((file(OS, "ID=debian"), file(STATUS, "Package: a")), (file("var/.wh.lib"),))
    assert tree.read("/var/lib/dpkg/status") is None
    assert tree.read("/etc/os-release") == b"ID=debian"


def test_links_of_folders_are_followed_as_unpacking_does() -> None:
    # Debian merged /lib into /usr/lib; tools still write packages below /lib.
    base = (folder("usr/lib"), link("lib", "usr/lib"), link("srv/www", "/var/www"), folder("var/www"))
    tree = _tree(base, (file("lib/apk/db/installed", "P:musl"), file("srv/www/x")), (file("lib/apk/.wh.db"),))
    assert tree.names("/")["lib"].kind == "link"
    assert {"/usr/lib/apk", "/var/www/x"} <= _all(tree)
    assert tree.read("/lib/apk/db/installed") is None
    again = _tree(base, (file("lib/apk/db/installed", "P:musl"),))
    assert again.read("/usr/lib/apk/db/installed") == again.read("/lib/apk/db/installed") == b"P:musl"


def test_a_hard_link_keeps_the_content_when_its_other_name_goes() -> None:
    first = (file("usr/lib/os-release", "ID=debian"), hard_link(OS, "usr/lib/os-release"))
    for upper in ((file("usr/.wh.lib"),), (file("usr/lib/os-release", "ID=other"),)):
        assert _tree(first, upper).read("/etc/os-release") == b"ID=debian"


def test_a_hard_link_to_a_lower_layer() -> None:
    upper = (hard_link(OS, "./usr/lib/os-release"), file("usr/lib/.wh.os-release"))
    tree = _tree((file("usr/lib/os-release", "ID=debian"),), upper[:1], upper[1:])
    assert tree.read("/etc/os-release") == b"ID=debian"
    assert tree.read("/usr/lib/os-release") is None


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ((hard_link(OS, "nothing"),), "malformed"),
        ((hard_link(OS, "../../etc/passwd"),), "malformed"),
        # Kept is what is asked for by its name: this content went by under another.
        ((file("cache/blob", "ID=debian"), hard_link(OS, "cache/blob")), "not_in_view"),
    ],
)
def test_a_hard_link_whose_content_is_not_there_is_unseen(made: tuple[Made, ...], reason: str) -> None:
    tree = _tree(made)
    with pytest.raises(UnseenError) as caught:
        tree.read("/etc/os-release")
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "name", ["../../etc/os-release", "etc/../../x", "..", "a/../../../b", "etc/.wh..", "etc/.wh...", ".wh."]
)
def test_a_name_that_leads_out_is_left_out_and_told(name: str) -> None:
    tree = _tree((file(OS, "ID=debian"),), (file(name, "ID=evil"),))
    assert tree.read("/etc/os-release") == b"ID=debian"
    assert tree.unseen["/"].reason == "malformed"
    assert _all(tree) == {"/etc", "/etc/os-release"}


@pytest.mark.parametrize(
    "name", ["/etc/os-release", "./etc/os-release", "etc//os-release", "x/../etc/os-release"]
)
def test_names_are_written_in_many_ways(name: str) -> None:
    tree = _tree((file(name, "ID=debian"),))
    assert tree.read("/etc/os-release") == b"ID=debian"
    assert tree.unseen == {}


def test_the_last_of_several_members_of_one_name_counts() -> None:
    assert _tree((file(OS, "ID=a"), file(OS, "ID=b"))).read("/etc/os-release") == b"ID=b"
    assert _tree((file(OS, "ID=a"), link(OS, "../x"), file("x", "no"))).read("/etc/os-release") is None


def test_links_out_of_the_image_and_in_circles_end_inside() -> None:
    tree = _tree((link(OS, "../../../../../usr/lib/os-release"), file("usr/lib/os-release", "ID=debian")))
    assert tree.read("/etc/os-release") == b"ID=debian"
    circle = _tree((link("etc", "/b"), link("b", "/etc"), file("etc/os-release/x")))
    assert circle.unseen["/"].reason == "malformed"


@pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_devices_are_names_alone(kind: bytes) -> None:
    tree = _tree((special(OS, kind),))
    assert tree.read("/etc/os-release") is None
    assert tree.names("/etc")["os-release"].kind == "other"


def test_a_sparse_database_is_unseen() -> None:
    member, _ = file(STATUS)
    member.pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.realsize": "1099511627776",
    }
    tree = _tree(((member, b""),))
    with pytest.raises(UnseenError, match="a sparse file"):
        tree.read("/var/lib/dpkg/status")


def test_a_database_without_end_is_unseen() -> None:
    tree = _tree((file(STATUS, b"x" * (33 * 2**20)),))
    with pytest.raises(UnseenError, match="too_large"):
        tree.read("/var/lib/dpkg/status")


def test_names_of_all_layers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = tar(*(file(f"a{number}") for number in range(30)))
    budget = Budget(names=50)
    _read(data, budget)
    with pytest.raises(UnseenError, match="too_large"):
        _read(data, budget)


def test_what_is_kept_of_all_layers_is_bounded() -> None:
    data = tar(file(OS, b"x" * 600), file(STATUS, b"y" * 600))
    layer = _read(data, Budget(kept=1000))
    tree = laid_over([layer])
    assert tree.read("/etc/os-release") == b"x" * 600
    with pytest.raises(UnseenError, match="too_large"):
        tree.read("/var/lib/dpkg/status")


def test_thousands_of_whiteouts_take_no_time() -> None:
    names = [f"deep/{number % 97}/n{number}" for number in range(5_000)]
    upper = [file(f"{name.rpartition('/')[0]}/.wh.{name.rpartition('/')[2]}") for name in names]
    tree = _tree(tuple(file(name) for name in names), tuple(upper))
    assert not any(name.startswith("n") for folder in tree.folders() for name in tree.names(folder))
