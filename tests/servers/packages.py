"""The package databases of Debian and Alpine images, written in their real formats."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class DebPackage:
    """One stanza of a dpkg status database; `source` is the source package where it differs."""

    name: str
    version: str
    source: str | None = None
    architecture: str = "amd64"
    status: str = "install ok installed"


@dataclass(frozen=True, kw_only=True, slots=True)
class ApkPackage:
    """One record of an apk database; `origin` is the source package."""

    name: str
    version: str
    origin: str | None = None
    architecture: str = "x86_64"


DEB_PACKAGES: tuple[DebPackage, ...] = (
    DebPackage(name="base-files", version="12.4+deb12u7"),
    DebPackage(name="ca-certificates", version="20230311", architecture="all"),
    DebPackage(name="libc6", version="2.36-9+deb12u8", source="glibc"),
    DebPackage(name="libexpat1", version="2.5.0-1+deb12u1", source="expat"),
    DebPackage(name="libssl3", version="3.0.14-1~deb12u2", source="openssl"),
    # Binary rebuild: the source has the version without +b1.
    DebPackage(name="libtinfo6", version="6.4-4+b1", source="ncurses (6.4-4)"),
    DebPackage(name="openssl", version="3.0.14-1~deb12u2"),
    # Removed, its configuration kept: not installed.
    DebPackage(name="rsyslog", version="8.2302.0-1", status="deinstall ok config-files"),
    DebPackage(name="zlib1g", version="1:1.2.13.dfsg-1", source="zlib"),
)

APK_PACKAGES: tuple[ApkPackage, ...] = (
    ApkPackage(name="alpine-baselayout", version="3.6.5-r0"),
    ApkPackage(name="busybox", version="1.36.1-r29"),
    ApkPackage(name="libcrypto3", version="3.3.2-r0", origin="openssl"),
    ApkPackage(name="libssl3", version="3.3.2-r0", origin="openssl"),
    ApkPackage(name="musl", version="1.2.5-r0"),
)


def dpkg_status(packages: Sequence[DebPackage]) -> bytes:
    """The content of /var/lib/dpkg/status (deb-control(5), dpkg-query(1))."""
    return "".join(_deb_stanza(package) for package in packages).encode()


def _deb_stanza(package: DebPackage) -> str:
    lines = [f"Package: {package.name}", f"Status: {package.status}", "Priority: optional", "Section: libs"]
    lines += ["Installed-Size: 1024", "Maintainer: Packagers <packagers@lists.example>"]
    multi_arch = "foreign" if package.architecture == "all" else "same"
    lines += [f"Architecture: {package.architecture}", f"Multi-Arch: {multi_arch}"]
    if package.source is not None:
        lines.append(f"Source: {package.source}")
    lines += [f"Version: {package.version}"]
    if package.status.endswith("config-files"):
        digest = hashlib.md5(package.name.encode(), usedforsecurity=False).hexdigest()
        lines += ["Conffiles:", f" /etc/{package.name}.conf {digest}"]
    else:
        lines.append("Depends: libc6 (>= 2.34)")
    lines += [
        f"Description: {package.name} for tests",
        " Second line of the description.",
        " .",
        " Last line.",
        "",
    ]
    return "\n".join(lines) + "\n"


def apk_installed(packages: Sequence[ApkPackage]) -> bytes:
    """The content of /lib/apk/db/installed (apk-package(5)): letter, colon, value."""
    return "".join(_apk_record(package) for package in packages).encode()


def _apk_record(package: ApkPackage) -> str:
    checksum = (
        "Q1" + base64.b64encode(hashlib.sha1(package.name.encode(), usedforsecurity=False).digest()).decode()
    )
    lines = [f"C:{checksum}", f"P:{package.name}", f"V:{package.version}", f"A:{package.architecture}"]
    lines += ["S:1024", "I:4096", f"T:{package.name} for tests", "U:https://packages.example/", "L:MIT"]
    lines += [f"o:{package.origin or package.name}", "m:Packagers <packagers@lists.example>", "t:1729000000"]
    lines += [
        "D:so:libc.musl-x86_64.so.1",
        f"F:usr/share/{package.name}",
        "R:readme",
        "a:0:0:644",
        f"Z:{checksum}",
        "",
    ]
    return "\n".join(lines) + "\n"
