"""Python packages that are installed in a prefix: what really runs, beside what a lockfile declares.

Core metadata, ``direct_url.json`` and the layout of a prefix follow the PyPA specifications. Only names,
versions and origins are read; no code of the prefix runs.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Final

from collectors.readers.installed.python import project_of
from collectors.readers.installed.runtimes import python_of
from detector.errors import UnseenError
from detector.model.facts import Section, Unseen, Value
from detector.model.fingerprints import Fingerprinter
from detector.model.items import package
from detector.reader import API, Part, Read

_LARGEST_METADATA: Final = 64 * 1024
_MOST_DISTRIBUTIONS: Final = 20_000
_RUNTIME: Final = "runtime#python"


class PythonReader:
    """Reads an environment of Python: a prefix, or the ``site-packages`` folder itself."""

    API: ClassVar[int] = API
    name: ClassVar[str] = "python"

    def matches(self, name: str) -> bool:
        return False

    def read(self, data: bytes, name: str, fingerprinter: Fingerprinter) -> Read:
        raise UnseenError("unsupported", f"{name}: python: takes the folder of an environment, no file")

    def installed(self, prefix: str | Path) -> Read:
        """Return the distributions of a prefix and the version of its Python. Raises UnseenError.

        An editable installation is own code, not a dependency.
        """
        prefix = Path(prefix)
        folders = list(_site_packages(prefix))
        if not folders:
            raise UnseenError("not_in_view", f"{prefix}: no lib/pythonX.Y/site-packages in it")
        facts: dict[str, Value] = {}
        unseen: list[Unseen] = []
        versions: dict[str, set[str]] = {}
        broken = 0
        for folder in folders:
            for info in _infos(folder):
                found = _distribution(info)
                if found is None:
                    broken += 1
                elif found[1]:
                    versions.setdefault(package("pypi", found[0]), set()).add(found[1])
        for item, found_versions in versions.items():
            facts[item] = found_versions.pop() if len(found_versions) == 1 else sorted(found_versions)
        if broken:
            detail = f"{broken} distributions without readable METADATA"
            unseen.append(Unseen(item="pkg:pypi/*", reason="malformed", detail=detail))
        if (version := python_of(_start_of(prefix / "pyvenv.cfg"))) is not None:
            facts[_RUNTIME] = version
        else:
            detail = "no pyvenv.cfg with a version in it"
            unseen.append(Unseen(item=_RUNTIME, reason="not_in_view", detail=detail))
        section = Section(
            basis="running",
            status="partial" if unseen else "complete",
            facts=facts,
            covers=("pkg:pypi/*", _RUNTIME),
            unseen=tuple(unseen),
        )
        return Read(parts=(Part(sections={"dependencies": section}),))


def _site_packages(prefix: Path) -> Iterator[Path]:
    if prefix.name in ("site-packages", "dist-packages"):
        yield prefix
        return
    seen: set[Path] = set()
    for pattern in ("lib*/python3*/site-packages", "lib/python3*/dist-packages", "Lib/site-packages"):
        for folder in sorted(prefix.glob(pattern)):
            real = folder.resolve()
            if folder.is_dir() and real not in seen:
                seen.add(real)
                yield folder


def _infos(folder: Path) -> Iterator[Path]:
    try:
        entries = sorted(entry.name for entry in os.scandir(folder))
    except PermissionError:
        raise UnseenError("denied", f"{folder} may not be read by this user") from None
    except OSError:
        raise UnseenError("unreachable", f"{folder} cannot be read") from None
    infos = [entry for entry in entries if entry.endswith((".dist-info", ".egg-info"))]
    if len(infos) > _MOST_DISTRIBUTIONS:
        raise UnseenError("too_large", f"{folder}: more than {_MOST_DISTRIBUTIONS} distributions")
    yield from (folder / entry for entry in infos)


def _distribution(info: Path) -> tuple[str, str | None] | None:
    """Return (name, version), no version for own code, or None where it does not say."""
    inside = "METADATA" if info.suffix == ".dist-info" else "PKG-INFO"
    if not info.is_dir():
        return project_of(_start_of(info), b"")
    return project_of(_start_of(info / inside), _start_of(info / "direct_url.json"))


def _start_of(file: Path) -> bytes:
    """Return the first part of a file, enough for its headers; nothing where it cannot be read."""
    if not file.is_file():
        return b""
    try:
        with file.open("rb") as opened:
            return opened.read(_LARGEST_METADATA)
    except OSError:
        return b""
