"""What is installed in a container: packages of the system, Python distributions, release and runtime."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from collectors._docker_facts import architecture_of, variables
from collectors._docker_files import ContainerFiles
from collectors._unseen import unseen_part
from collectors.readers.installed import apk, dpkg, os_release
from detector.errors import UnseenError
from detector.model.facts import Section, Unseen, Value
from detector.model.items import package

_OS_RELEASE: Final = ("/etc/os-release", "/usr/lib/os-release")
_DPKG: Final = "/var/lib/dpkg/status"
_DPKG_FOLDER: Final = "/var/lib/dpkg/status.d"
#: The second is where apk-tools 3 has it.
_APK: Final = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
_VERSION: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.!+_-]{0,63}")
#: What official images set -> runtime.
_RUNTIMES: Final = {
    "PYTHON_VERSION": "python",
    "NODE_VERSION": "node",
    "RUBY_VERSION": "ruby",
    "PHP_VERSION": "php",
    "GOLANG_VERSION": "go",
    "JAVA_VERSION": "java",
    "RUST_VERSION": "rust",
}


def dependencies_of(files: ContainerFiles, image: Mapping[str, Any]) -> Section:
    """Return the packages, release and architecture of the file system, and the runtime that the image names.

    Covered are the ecosystems whose database is there: of an image without one nothing is said. A database
    that is there and cannot be read is unseen.
    """
    facts: dict[str, Value] = {}
    if architecture := architecture_of(image):
        facts["os#arch"] = architecture
    known = variables(image)
    for name, runtime in _RUNTIMES.items():
        version = known.get(name, "").removeprefix("v")
        if _VERSION.fullmatch(version):
            facts[f"runtime#{runtime}"] = version
    covers: list[str] = []
    unseen: list[Unseen] = []
    namespace = ""
    try:
        namespace, release = _distribution(files)
        if namespace:
            facts["os#release"] = f"{namespace} {release}".strip()
    except UnseenError as error:
        unseen.append(unseen_part("os#release", error))
    for read, globs in (
        (partial(_debian, files, namespace), "pkg:deb/*"),
        (partial(_alpine, files, namespace), "pkg:apk/*"),
        (partial(_python, files, known), "pkg:pypi/*"),
    ):
        try:
            section = read()
        except UnseenError as error:
            unseen.append(unseen_part(globs, error))
            continue
        if section:
            facts |= section.facts
            covers += section.covers
            unseen += section.unseen
    return Section(
        basis="running",
        status="partial" if unseen else "complete",
        facts=facts,
        covers=tuple(covers),
        unseen=tuple(unseen),
    )


def _distribution(files: ContainerFiles) -> tuple[str, str]:
    for path in _OS_RELEASE:
        if (data := files.read(path, 64 * 1024)) is not None:
            return os_release.distribution(data, path)
    return "", ""


def _debian(files: ContainerFiles, namespace: str) -> Section | None:
    data = files.read(_DPKG)
    parts = files.folder(_DPKG_FOLDER)
    if data is None and not parts:
        return None
    paragraphs = [content for name, content in sorted(parts.items()) if not name.endswith(".md5sums")]
    text = b"\n\n".join([data or b"", *paragraphs])
    return dpkg.installed(text, basis="running", namespace=namespace or "debian", name=_DPKG)


def _alpine(files: ContainerFiles, namespace: str) -> Section | None:
    for path in _APK:
        if (data := files.read(path)) is not None:
            return apk.installed(data, basis="running", namespace=namespace or "alpine", name=path)
    return None


def _python(files: ContainerFiles, variables_of_image: Mapping[str, str]) -> Section | None:
    """Return the Python distributions of the first prefix on PATH that holds any, or None.

    Only the names of `*.dist-info` (recording installed projects, PyPA) and `*.egg-info` are looked at.
    """
    version = variables_of_image.get("PYTHON_VERSION", "").split(".")[:2]
    if len(version) != 2 or not all(part.isdigit() for part in version):
        return None
    for folder in variables_of_image.get("PATH", "").split(":"):
        prefix, _, last = folder.rpartition("/")
        if last != "bin" or prefix in {"", "/usr"}:
            continue
        names = files.names(f"{prefix}/lib/python{'.'.join(version)}/site-packages")
        if names is not None:
            return _named(names)
    return None


def _named(folders: set[str]) -> Section:
    found: dict[str, Value] = {}
    odd = 0
    # Where both forms name one, the dist-info is the newer.
    for folder in sorted(folders, key=lambda one: (one.endswith(".dist-info"), one)):
        stem, _, form = folder.rpartition(".")
        # What begins with ~ pip left behind: it is installed no more.
        if form not in ("dist-info", "egg-info") or stem.startswith("~"):
            continue
        name, _, version = stem.partition("-")
        if form == "egg-info":
            version = version.partition("-py")[0]
        if name and _VERSION.fullmatch(version):
            found[package("pypi", name)] = version
        else:
            odd += 1
    detail = f"{odd} installed, with a folder whose name tells no version"
    return Section(
        basis="running",
        status="partial" if odd else "complete",
        facts=found,
        covers=("pkg:pypi/*",),
        unseen=(Unseen(item="pkg:pypi/*", reason="malformed", detail=detail),) if odd else (),
    )
