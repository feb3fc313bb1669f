"""dpkg, apk and os-release: what a file system says of itself."""

import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from collectors.readers.installed import apk, dpkg, os_release
from detector.errors import UnseenError
from detector.model.facts import Section
from detector.model.items import package
from tests.collectors.readers.cuts import OF_A_HUNDRED_OR_ALL, Cuts, Record
from tests.servers.packages import APK_PACKAGES, DEB_PACKAGES, apk_installed, dpkg_status


def _stanza(name: str, version: str, architecture: str) -> str:
    lines = [f"Package: {name}", f"Architecture: {architecture}", "Status: install ok installed"]
    return "\n".join([*lines, f"Version: {version}", "", ""])


def test_dpkg_names_what_is_installed_and_only_that() -> None:
    section = dpkg.installed(dpkg_status(DEB_PACKAGES), basis="built", namespace="debian")
    assert section.facts["pkg:deb/debian/openssl"] == "3.0.14-1~deb12u2"
    assert section.facts["pkg:deb/debian/zlib1g"] == "1:1.2.13.dfsg-1"
    assert "pkg:deb/debian/rsyslog" not in section.facts  # removed, its configuration kept
    assert len(section.facts) == len(DEB_PACKAGES) - 1
    assert (section.status, section.covers, section.unseen) == ("complete", ("pkg:deb/*",), ())


def test_the_packages_of_this_machine_are_those_that_dpkg_lists() -> None:
    form = "${Package} ${Version} ${db:Status-Status}\n"
    listed = subprocess.run(["dpkg-query", "-W", "-f", form], capture_output=True, text=True, check=True)
    theirs: dict[str, set[str]] = {}
    for name, version, status in map(str.split, listed.stdout.splitlines()):
        if status == "installed":
            theirs.setdefault(package("deb", name, "debian"), set()).add(version)
    status_file = Path("/var/lib/dpkg/status").read_bytes()
    section = dpkg.installed(status_file, basis="running", namespace="debian")
    ours = {item: set(value if isinstance(value, list) else [value]) for item, value in section.facts.items()}
    assert ours == theirs
    assert (section.status, len(ours) > 50) == ("complete", True)


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        # distroless: status.d without Status
        ("Package: tzdata\nVersion: 2024a-0\n", {"pkg:deb/ubuntu/tzdata": "2024a-0"}),
        # two architectures, two versions: a set; equal versions: one
        (
            _stanza("libc6", "2.36-9", "amd64") + _stanza("libc6", "2.36-8", "i386"),
            {"pkg:deb/ubuntu/libc6": ["2.36-8", "2.36-9"]},
        ),
        # a folded field is no field
        (
            "Package: a1\nStatus: hold ok installed\nDescription: x\n Version: 9\n .\nVersion: 1\n\n\n\n",
            {"pkg:deb/ubuntu/a1": "1"},
        ),
        ("Package: bc\r\nStatus: install ok half-installed\r\nVersion: 1\r\n", {}),
        ("", {}),  # a base that keeps all in status.d
    ],
)
def test_dpkg_odd_files(text: str, facts: dict[str, object]) -> None:
    assert dpkg.installed(text.encode(), basis="built", namespace="ubuntu").facts == facts


def test_one_bad_paragraph_is_one_unseen_line_without_its_text() -> None:
    text = "Package: good\nVersion: 1\n\nPackage: CANARY hunter2\nVersion: 1\n"
    section = dpkg.installed(text.encode(), basis="built", namespace="debian", name="var/lib/dpkg/status")
    assert section.facts == {"pkg:deb/debian/good": "1"}
    assert section.status == "partial"
    assert section.unseen[0].reason == "malformed"
    assert "var/lib/dpkg/status:4:" in section.unseen[0].detail
    assert "CANARY" not in repr(section)


@pytest.mark.parametrize("read", [dpkg.installed, apk.installed])
@pytest.mark.parametrize("data", [b"\x7fELF\x00\x01", b"<html>\n\n</html>", b"A=b\nC=d\n"])
def test_a_file_of_another_kind_is_malformed(read: Callable[..., Section], data: bytes) -> None:
    with pytest.raises(UnseenError) as caught:
        read(data, basis="built", namespace="x", name="some/file")
    assert caught.value.reason == "malformed"
    assert "some/file" in caught.value.detail


def test_apk_names_what_is_installed() -> None:
    section = apk.installed(apk_installed(APK_PACKAGES), basis="built", namespace="alpine")
    assert section.facts["pkg:apk/alpine/busybox"] == "1.36.1-r29"
    assert len(section.facts) == len(APK_PACKAGES)
    assert (section.status, section.covers) == ("complete", ("pkg:apk/*",))


@pytest.mark.parametrize(
    ("read", "data"),
    [(dpkg.installed, dpkg_status(DEB_PACKAGES)), (apk.installed, apk_installed(APK_PACKAGES))],
)
@pytest.mark.parametrize("broken", OF_A_HUNDRED_OR_ALL)
def test_a_database_that_ends_within_a_line_leaves_nothing_absent(
    read: Callable[..., Section], data: bytes, broken: Cuts, record_property: Record
) -> None:
    for cut in broken(data, record_property):
        if cut and not cut.endswith(b"\n"):
            with suppress(UnseenError):  # of the first package nothing is left
                section = read(cut, basis="built", namespace="x")
                assert (section.status, section.unseen[0].reason) == ("partial", "malformed")


def test_virtual_packages_of_apk_are_no_packages() -> None:
    data = b"P:.build-deps\nV:20240101.101010\n\nP:musl\nV:1.2.5-r0\n\n"
    section = apk.installed(data, basis="built", namespace="alpine")
    assert section.facts == {"pkg:apk/alpine/musl": "1.2.5-r0"}
    assert section.status == "complete"


def test_a_bad_paragraph_of_apk_is_unseen_with_its_line() -> None:
    section = apk.installed(b"P:musl\nV:1\n\nP:a b\nV:1\n", basis="built", namespace="alpine")
    assert section.status == "partial"
    assert section.unseen[0].detail.startswith("installed:4:")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n', ("debian", "12")),
        ("ID='alpine'\nVERSION_ID=3.20.3\n", ("alpine", "3.20.3")),
        ("ID=debian\nVERSION_CODENAME=sid\n", ("debian", "sid")),  # testing and unstable have no number
        ("ID=arch\nBUILD_ID=rolling\n", ("arch", "")),
        ("# ID=no\nID_LIKE=debian\nID=Ubuntu\r\nVERSION_ID=24.04\r\n", ("ubuntu", "24.04")),
    ],
)
def test_os_release(text: str, expected: tuple[str, str]) -> None:
    assert os_release.distribution(text.encode()) == expected


def test_a_file_without_an_id_is_malformed() -> None:
    with pytest.raises(UnseenError, match="malformed: etc/os-release"):
        os_release.distribution(b"ID=$(id)\n", "etc/os-release")
