"""Build contexts for small images that look like the official ones, made without a network.

Each maker returns the files of a build context, for `DockerEngine.build`. A static busybox is their only
program; package databases, environment and labels have the formats that real images carry.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.servers.packages import (
    APK_PACKAGES,
    DEB_PACKAGES,
    ApkPackage,
    DebPackage,
    apk_installed,
    dpkg_status,
)
from tests.servers.process import required

#: What `python:3-slim` images set in their environment.
PYTHON_PATH = "/usr/local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PYTHON_GPG_KEY = "7169605F62C751356D054A26A821E680E5FA6305"

_SERVE = b"#!/bin/sh\nexec /bin/busybox httpd -f -p 8000 -h /srv/www\n"


def scratch(
    *,
    env: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    files: Mapping[str, bytes] | None = None,
    command: Sequence[str] = ("/bin/busybox", "sleep", "3600"),
) -> dict[str, bytes]:
    """`FROM scratch` with busybox as /bin/busybox and /bin/sh."""
    root = {**_programs(), **(files or {})}
    return _context("scratch", root, [*_env(env), *_labels(labels), f"CMD {json.dumps(list(command))}"])


def python_base(
    *, version: str = "3.12.7", debian: str = "12", packages: Sequence[DebPackage] = DEB_PACKAGES
) -> dict[str, bytes]:
    """An official-style Python image on Debian: its environment, os-release and dpkg database."""
    codename = {"11": "bullseye", "12": "bookworm", "13": "trixie"}[debian]
    release = {
        "PRETTY_NAME": f"Debian GNU/Linux {debian} ({codename})",
        "NAME": "Debian GNU/Linux",
        "VERSION_ID": debian,
        "VERSION": f"{debian} ({codename})",
        "VERSION_CODENAME": codename,
        "ID": "debian",
    }
    root = {
        **_programs(),
        "etc/os-release": _os_release(release),
        "etc/debian_version": f"{debian}.7\n".encode(),
        "var/lib/dpkg/status": dpkg_status(packages),
        "usr/local/bin/python3": b"#!/bin/sh\nexec /bin/busybox sleep 3600\n",
    }
    env = {
        "PATH": PYTHON_PATH,
        "LANG": "C.UTF-8",
        "GPG_KEY": PYTHON_GPG_KEY,
        "PYTHON_VERSION": version,
        "PYTHON_SHA256": hashlib.sha256(version.encode()).hexdigest(),
    }
    return _context("scratch", root, [*_env(env), 'CMD ["python3"]'])


def alpine_base(
    *, version: str = "3.20.3", packages: Sequence[ApkPackage] = APK_PACKAGES
) -> dict[str, bytes]:
    """An Alpine-style image: os-release and the apk database."""
    release = {
        "NAME": "Alpine Linux",
        "ID": "alpine",
        "VERSION_ID": version,
        "PRETTY_NAME": f"Alpine Linux v{version.rpartition('.')[0]}",
    }
    root = {
        **_programs(),
        "etc/os-release": _os_release(release),
        "etc/alpine-release": f"{version}\n".encode(),
        "etc/apk/world": "".join(f"{package.name}\n" for package in packages).encode(),
        "lib/apk/db/installed": apk_installed(packages),
    }
    return _context("scratch", root, ['CMD ["/bin/sh"]'])


def app(
    base: str,
    *,
    title: str = "shop",
    version: str = "1.4.2",
    revision: str = "4f1d0a9c2be87f36a5c4e0d19b3a7f5c8e2d6b10",
    source: str = "https://git.example/acme/shop",
    env: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    files: Mapping[str, bytes] | None = None,
    distributions: Mapping[str, str] | None = None,
    python: str = "3.12",
    command: Sequence[str] = ("gunicorn", "--workers", "4", "--bind", "0.0.0.0:8000", "shop.wsgi"),
    user: str = "10001",
) -> dict[str, bytes]:
    """An application layer on `base`: OCI labels, distributions, a command that serves /srv/www on 8000."""
    root = {
        f"usr/local/bin/{command[0]}": _SERVE,
        "srv/www/version.json": json.dumps({"version": version, "commit": revision}).encode(),
    }
    for name, release in (distributions or {"gunicorn": "23.0.0", "Django": "5.1.2"}).items():
        root |= _installed(name, release, f"usr/local/lib/python{python}/site-packages")
    root |= files or {}
    oci = {"title": title, "version": version, "revision": revision, "source": source}
    all_labels = {f"org.opencontainers.image.{key}": value for key, value in oci.items()} | dict(labels or {})
    lines = [*_env(env), *_labels(all_labels), "WORKDIR /srv", "EXPOSE 8000", f"USER {user}"]
    return _context(base, root, [*lines, "STOPSIGNAL SIGTERM", f"CMD {json.dumps(list(command))}"])


def _context(base: str, root: Mapping[str, bytes], instructions: Sequence[str]) -> dict[str, bytes]:
    dockerfile = "\n".join([f"FROM {base}", "COPY root/ /", *instructions, ""])
    return {"Dockerfile": dockerfile.encode(), **{f"root/{path}": content for path, content in root.items()}}


def _programs() -> dict[str, bytes]:
    busybox = Path(required("busybox", "static busybox", "apt-get install busybox-static")).read_bytes()
    return {"bin/busybox": busybox, "bin/sh": busybox}


def _env(env: Mapping[str, str] | None) -> list[str]:
    return [f"ENV {name}={_quoted(value)}" for name, value in (env or {}).items()]


def _labels(labels: Mapping[str, str] | None) -> list[str]:
    return [f"LABEL {_quoted(name)}={_quoted(value)}" for name, value in (labels or {}).items()]


def _quoted(text: str) -> str:
    """Text as one word of a Dockerfile, its `$` kept."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") + '"'


def _os_release(fields: Mapping[str, str]) -> bytes:
    return "".join(f'{name}="{value}"\n' for name, value in fields.items()).encode()


def _installed(name: str, version: str, folder: str) -> dict[str, bytes]:
    """Files that pip leaves for an installed distribution."""
    info = f"{folder}/{name.replace('-', '_')}-{version}.dist-info"
    return {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n{name}.\n".encode(),
        f"{info}/INSTALLER": b"pip\n",
        f"{info}/RECORD": b"",
    }
