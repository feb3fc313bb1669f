"""What is installed in a container: packages of the system, Python distributions, release and runtime."""

import re
from collections.abc import Mapping
from typing import Any, Final

from collectors._docker_facts import architecture_of, variables
from collectors._docker_files import ContainerFiles
from collectors._unseen import unseen_part
from collectors.readers import apk, dpkg, os_release
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
    for read, globs in ((_debian, "pkg:deb/*"), (_alpine, "pkg:apk/*")):
        try:
            section = read(files, namespace)
        except UnseenError as error:
            unseen.append(unseen_part(globs, error))
            continue
        if section:
            facts |= section.facts
            covers += section.covers
            unseen += section.unseen
    try:
        distributions = _distributions(files, known)
    except UnseenError as error:
        unseen.append(unseen_part("pkg:pypi/*", error))
    else:
        if distributions is not None:
            facts |= distributions
            covers.append("pkg:pypi/*")
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


def _distributions(files: ContainerFiles, variables_of_image: Mapping[str, str]) -> dict[str, Value] | None:
    """Return the Python distributions of the first prefix on PATH that holds any, or None.

    Only the names of `*.dist-info` folders are looked at (recording installed projects, PyPA).
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


def _named(folders: set[str]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for folder in folders:
        name, _, version = folder.removesuffix(".dist-info").partition("-")
        if folder.endswith(".dist-info") and name and _VERSION.fullmatch(version):
            found[package("pypi", name)] = version
    return found
