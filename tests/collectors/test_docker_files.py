"""Files of a container: archives come from inside it and are hostile."""

import io
import tarfile
from collections.abc import Generator, Mapping

import pytest

from collectors._docker_files import ContainerFiles
from collectors._docker_packages import dependencies_of
from detector.errors import UnseenError
from tests.servers.packages import APK_PACKAGES, DEB_PACKAGES, apk_installed, dpkg_status

OS_RELEASE = b"ID=debian\nVERSION_ID=12\n"
PYTHON = {
    "Architecture": "arm64",
    "Variant": "v8",
    "Config": {
        "Env": [
            "PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin",
            "PYTHON_VERSION=3.12.7",
            "NODE_VERSION=x y",
        ]
    },
}


def _member(name: str, content: bytes | str | None) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    if content is None:
        member.type = tarfile.DIRTYPE
        return member, b""
    if isinstance(content, str):
        member.type, member.linkname = tarfile.SYMTYPE, content
        return member, b""
    member.size = len(content)
    return member, content


def _tar(*members: tuple[str, bytes | str | None]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members:
            member, data = _member(name, content)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


class Tree:
    """An engine's archive route over a table: path -> archive, or content of a file, or target of a link."""

    def __init__(
        self, entries: Mapping[str, bytes | str], archives: Mapping[str, bytes] | None = None
    ) -> None:
        self.archives = dict(archives or {})
        for path, content in entries.items():
            self.archives[path] = _tar((path.rpartition("/")[2], content))
        self.asked: list[str] = []
        self.closed = 0

    def open(self, path: str) -> Generator[bytes, None, None] | None:
        self.asked.append(path)
        data = self.archives.get(path)
        return None if data is None else self._chunks(data)

    def _chunks(self, data: bytes) -> Generator[bytes, None, None]:
        try:
            for start in range(0, len(data), 700):  # chunks end anywhere
                yield data[start : start + 700]
        finally:
            self.closed += 1


def test_a_file_is_read_whole() -> None:
    content = bytes(range(256)) * 40
    assert ContainerFiles(Tree({"/a/b": content}).open).read("/a/b") == content


def test_what_is_not_there_or_no_file_is_none() -> None:
    tree = Tree({}, {"/folder": _tar(("folder", None)), "/empty": b"\0" * 10240})
    files = ContainerFiles(tree.open)
    assert [files.read(path) for path in ("/none", "/folder", "/empty")] == [None, None, None]


@pytest.mark.parametrize(
    "link",
    [
        "../usr/lib/os-release",
        "/usr/lib/os-release",
        "../../../../../usr/lib/os-release",
        "/etc/../usr/lib/os-release",
    ],
)
def test_links_end_inside_the_container(link: str) -> None:
    tree = Tree({"/etc/os-release": link, "/usr/lib/os-release": OS_RELEASE})
    assert ContainerFiles(tree.open).read("/etc/os-release") == OS_RELEASE
    assert tree.asked == ["/etc/os-release", "/usr/lib/os-release"]
    assert tree.closed == 2


def test_links_in_a_circle_end() -> None:
    tree = Tree({"/a": "/b", "/b": "/a"})
    with pytest.raises(UnseenError, match="more than 40 links"):
        ContainerFiles(tree.open).read("/a")


def test_a_file_is_read_up_to_its_limit_and_then_let_go() -> None:
    tree = Tree({"/big": b"x" * 200_000})
    with pytest.raises(UnseenError, match="too_large"):
        ContainerFiles(tree.open).read("/big", 1000)
    assert tree.closed == 1


def test_a_sparse_file_is_not_blown_up() -> None:
    sparse = tarfile.TarInfo("a")
    sparse.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(sparse.tobuf(tarfile.GNU_FORMAT))
    header[483:495] = b"%011o\0" % (8 * 2**30 - 1)  # its real size, of which no byte follows
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + 8 * 32 + sum(header[156:512]))
    with pytest.raises(UnseenError, match="too_large: /a"):
        ContainerFiles(Tree({}, {"/a": bytes(header) + b"\0" * 1024}).open).read("/a")


def test_an_archive_without_end_is_ended() -> None:
    def endless(path: str) -> Generator[bytes, None, None]:
        yield _tar(("status.d", None))[:512]
        while True:
            yield _tar(("status.d/x", b"y" * 512))[:1024]

    with pytest.raises(UnseenError, match="too_large"):
        ContainerFiles(endless).folder("/var/lib/dpkg/status.d", 1_000_000)


def test_a_broken_archive_is_malformed() -> None:
    tree = Tree({}, {"/a": b"\x7fELF" + b"no archive" * 100, "/b": _tar(("b", b"x" * 5000))[:2000]})
    files = ContainerFiles(tree.open)
    for path in ("/a", "/b"):
        with pytest.raises(UnseenError, match=f"malformed: {path}"):
            files.read(path)


def test_debian_with_python_in_a_venv() -> None:
    site = _tar(
        ("site-packages", None),
        ("site-packages/Django-5.1.2.dist-info", None),
        ("site-packages/Django-5.1.2.dist-info/METADATA", b"Name: Django"),
        ("site-packages/typing_extensions-4.12.2.dist-info/RECORD", b""),
        ("site-packages/PyYAML-6.0.2-py3.12.egg-info/PKG-INFO", b""),
        ("site-packages/django-4.2.1-py3.12.egg-info", b""),  # what an older tool left beside the newer one
        ("site-packages/~ip-24.0.dist-info/RECORD", b""),  # pip left it behind: it is no more
        ("site-packages/django/__init__.py", b"x" * 3000),
    )
    tree = Tree(
        {"/etc/os-release": OS_RELEASE, "/var/lib/dpkg/status": dpkg_status(DEB_PACKAGES)},
        {
            "/opt/venv/lib/python3.12/site-packages": site,
            "/usr/local/lib/python3.12/site-packages": _tar(("site-packages/pip-24.0.dist-info/RECORD", b"")),
        },
    )
    section = dependencies_of(ContainerFiles(tree.open), PYTHON)
    assert section.status == "complete"
    assert section.covers == ("pkg:deb/*", "pkg:pypi/*")
    python = {item: value for item, value in section.facts.items() if not item.startswith("pkg:deb/debian/")}
    assert python == {
        "os#arch": "arm64",
        "os#release": "debian 12",
        "runtime#python": "3.12.7",  # and no node: what stands there is no version
        "pkg:pypi/django": "5.1.2",
        "pkg:pypi/pyyaml": "6.0.2",
        "pkg:pypi/typing-extensions": "4.12.2",
    }
    assert section.facts["pkg:deb/debian/openssl"] == "3.0.14-1~deb12u2"


@pytest.mark.parametrize("odd", ["odd name-.dist-info", "shop.egg-info", "-1.0.dist-info"])
def test_what_is_installed_and_tells_no_version_leaves_nothing_absent(odd: str) -> None:
    site = _tar(
        ("site-packages", None),
        ("site-packages/Django-5.1.2.dist-info/METADATA", b""),
        (f"site-packages/{odd}/RECORD", b""),
    )
    tree = Tree({"/etc/os-release": OS_RELEASE}, {"/opt/venv/lib/python3.12/site-packages": site})
    section = dependencies_of(ContainerFiles(tree.open), PYTHON)
    assert (section.status, section.facts["pkg:pypi/django"]) == ("partial", "5.1.2")
    assert [(part.item, part.reason) for part in section.unseen] == [("pkg:pypi/*", "malformed")]


def test_distroless_keeps_a_file_for_each_package() -> None:
    folder = _tar(
        ("status.d", None),
        ("status.d/tzdata", b"Package: tzdata\nVersion: 2024a-0\n"),
        ("status.d/tzdata.md5sums", b"0123  usr/share\n"),
        ("status.d/netbase", b"Package: netbase\nVersion: 6.4\n"),
    )
    tree = Tree({"/etc/os-release": OS_RELEASE}, {"/var/lib/dpkg/status.d": folder})
    section = dependencies_of(ContainerFiles(tree.open), {})
    assert section.facts == {
        "os#release": "debian 12",
        "pkg:deb/debian/tzdata": "2024a-0",
        "pkg:deb/debian/netbase": "6.4",
    }


@pytest.mark.parametrize("path", ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"])
def test_alpine_before_and_after_its_third_tools(path: str) -> None:
    tree = Tree({"/etc/os-release": b"ID=wolfi\nVERSION_ID=20230201\n", path: apk_installed(APK_PACKAGES)})
    section = dependencies_of(ContainerFiles(tree.open), {})
    assert section.facts["pkg:apk/wolfi/musl"] == "1.2.5-r0"
    assert section.covers == ("pkg:apk/*",)


def test_of_an_image_without_databases_nothing_is_said() -> None:
    section = dependencies_of(ContainerFiles(Tree({}).open), {"Architecture": "amd64"})
    assert (section.status, section.facts, section.covers) == ("complete", {"os#arch": "amd64"}, ())


def test_a_database_that_cannot_be_read_blinds_itself_alone() -> None:
    tree = Tree({"/etc/os-release": OS_RELEASE, "/var/lib/dpkg/status": b"\0\1\2"})
    section = dependencies_of(ContainerFiles(tree.open), {})
    assert section.status == "partial"
    assert [(part.item, part.reason) for part in section.unseen] == [("pkg:deb/*", "malformed")]
    assert section.facts == {"os#release": "debian 12"}


def test_a_refused_archive_says_what_to_allow() -> None:
    def refused(path: str) -> None:
        raise UnseenError("denied", "GET /containers/{id}/archive")

    section = dependencies_of(ContainerFiles(refused), {"Architecture": "amd64"})
    assert {part.item for part in section.unseen} == {"os#release", "pkg:deb/*", "pkg:apk/*"}
    assert {part.reason for part in section.unseen} == {"denied"}
