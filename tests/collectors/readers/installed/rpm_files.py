"""Databases of rpm: made by rpm itself, and written after its format where Debian's rpm writes none."""

import struct
import subprocess
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

SPEC = """Name: shop-kit
Version: 1.2.0
Release: 3.el9
Epoch: 2
Summary: x
License: MIT
BuildArch: noarch
%description
x
%package -n fast_2d
Summary: x
Version: 0.3~rc1
Epoch: 0
%description -n fast_2d
x
%install
mkdir -p %{buildroot}/usr/lib/python3.9/site-packages/kit-1.0.dist-info
touch %{buildroot}/usr/lib/python3.9/site-packages/kit-1.0.dist-info/METADATA
touch %{buildroot}/usr/lib/python3.9/site-packages/old-2.egg-info
%files
/usr/lib/python3.9/site-packages
%files -n fast_2d
"""


def made_by_rpm(folder: Path) -> tuple[bytes, list[str]]:
    """Build two packages, put them into a database of its own, and return it with what rpm lists."""

    def run(*words: str) -> str:
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8"}
        done = subprocess.run(words, env=environment, cwd=folder, capture_output=True, text=True, check=True)
        return done.stdout

    (folder / "x.spec").write_text(SPEC)
    database = ["--dbpath", str(folder / "db"), "--define", "_db_backend sqlite"]
    tops = ["--define", f"_topdir {folder}/top", "--define", f"_rpmdir {folder}/out"]
    run("rpmbuild", "-bb", *tops, "x.spec")
    packages = [str(path) for path in (folder / "out").rglob("*.rpm")]
    run("rpm", *database, "-i", "--justdb", "--nodeps", "--force", "--ignorearch", *packages)
    listed = run("rpm", *database, "-qa", "--qf", "%{NAME} %|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\n")
    return (folder / "db" / "rpmdb.sqlite").read_bytes(), listed.splitlines()


def header(strings: Mapping[int, str], numbers: Mapping[int, int] | None = None) -> bytes:
    """Return a header of texts and numbers by their tags."""
    entries, data = b"", b""
    for tag, text in strings.items():
        entries += struct.pack(">IIII", tag, 6, len(data), 1)
        data += text.encode() + b"\0"
    data += b"\0" * (-len(data) % 4)
    for tag, number in (numbers or {}).items():
        entries += struct.pack(">IIII", tag, 4, len(data), 1)
        data += struct.pack(">I", number)
    return struct.pack(">II", len(entries) // 16, len(data)) + entries + data


def package(name: str, version: str, release: str = "1", epoch: int | None = None) -> bytes:
    """Return the header of a package."""
    return header({1000: name, 1001: version, 1002: release}, {} if epoch is None else {1003: epoch})


def ndb(headers: Sequence[bytes]) -> bytes:
    """Return an ndb database of these headers (`lib/backend/ndb/rpmpkg.c` of rpm)."""
    # A page holds 256 slots; two of the first are the header.
    pages = -(-(len(headers) + 2) // 256)
    slots, blobs, block = b"", b"", pages * 256
    for index, blob in enumerate(headers, 1):
        padded = blob + b"\0" * (-(len(blob) + 28) % 16)
        body = struct.pack("<4sIII", b"BlbS", index, 1_700_000_000, len(blob)) + padded
        body += struct.pack("<II4s", zlib.adler32(body), len(blob), b"BlbE")
        slots += struct.pack("<4sIII", b"Slot", index, block + len(blobs) // 16, len(body) // 16)
        blobs += body
    slots += struct.pack("<4s12x", b"Slot") * (pages * 256 - 2 - len(headers))
    return struct.pack("<4sIIII12x", b"RpmP", 0, 1, pages, len(headers) + 1) + slots + blobs
