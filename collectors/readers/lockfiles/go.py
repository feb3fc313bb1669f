"""``go.mod`` and ``go.sum`` (Go Modules Reference).

A ``go.mod`` of Go 1.17 or later holds the whole build list. A ``go.sum`` holds hashes, also of versions that
were needed once or lost: what it adds to its ``go.mod`` is little.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from posixpath import dirname, join
from typing import Final, NamedTuple

from collectors.readers.lockfiles.lock import Lock
from collectors.readers.lockfiles.pins import LOCAL, Pin, from_git, from_path, item_of, read_of
from detector.errors import UnseenError
from detector.model.facts import Unseen
from detector.model.versions.golang import parse
from detector.reader import Read

_WORD: Final = re.compile(r'"[^"]*"|`[^`]*`|=>|[()\[\],]|[^\s()\[\],"`]+')
_INDIRECT: Final = re.compile(r"\s*indirect\s*(?:;|\Z)")
_GO: Final = re.compile(r"1\.([0-9]{1,4})(?:[.rb][0-9a-z.]*)?")
#: The first version whose go.mod names all modules that a build needs.
_FIRST_WHOLE: Final = 17
_OTHERS: Final = frozenset({"module", "go", "toolchain", "godebug", "exclude", "retract", "tool", "ignore"})
_HASH: Final = re.compile(r"(\S+) ([^\s/]+)(/go\.mod)? h1:[A-Za-z0-9+/=]{20,100}")
#: Versions by module, and whether there is a hash of the content.
_Hashes = dict[str, dict[str, bool]]


class _Line(NamedTuple):
    number: int
    directive: str
    words: list[str]
    comment: str


class _Replacement(NamedTuple):
    path: str
    version: str


@dataclass(slots=True)
class _Module:
    """What a go.mod says."""

    #: Path and version of each module, and whether the project itself asks for it.
    required: list[tuple[str, str, bool]] = field(default_factory=list)
    #: By path and version; without a version for all of them.
    replaced: dict[tuple[str, str], _Replacement] = field(default_factory=dict)
    excluded: set[tuple[str, str]] = field(default_factory=set)
    #: The minor version of Go 1 that it is written for; without `go` Go itself takes it for 1.16.
    go: int = 16

    def replacement(self, path: str, version: str) -> _Replacement | None:
        return self.replaced.get((path, version)) or self.replaced.get((path, ""))


def read_mod(lock: Lock) -> Read:
    """Return the build list of a ``go.mod``. Raises UnseenError with the line of what Go would refuse."""
    unseen = lock.cut_off("golang")
    module = _module(lock, unseen)
    hashes = _hashes_beside(lock)
    pins = []
    without_hash = 0
    for path, version, direct in module.required:
        replacement = module.replacement(path, version)
        if replacement is None and (parse(version) is None or (path, version) in module.excluded):
            detail = f"{lock.name}: the version that it asks for is not the one that is taken: `go mod tidy`"
            unseen.append(Unseen(item=item_of("golang", path), reason="not_in_view", detail=detail))
            continue
        other, own = replacement or (path, version)
        without_hash += bool(own) and hashes is not None and own not in hashes.get(other, ())
        pins.append(Pin(name=path, version=version_of_replaced(path, other, own), direct=direct))
    if module.go < _FIRST_WHOLE:
        detail = f"{lock.name}: before `go 1.17` it does not name what its modules need in turn"
        unseen.append(Unseen(item="pkg:golang/*", reason="not_in_view", detail=detail))
        known = {path for path, _, _ in module.required} | {other.path for other in module.replaced.values()}
        pins += [pin for pin in _only_versions(hashes or {}) if pin.name not in known]
    warnings = [f"{without_hash} modules without a hash in go.sum: `go mod tidy`"] if without_hash else []
    return read_of(lock, "golang", pins, unseen, warnings)


def _module(lock: Lock, unseen: list[Unseen]) -> _Module:
    module, is_module = _Module(), False
    for number, directive, words, comment in _lines(lock, unseen):
        place = f"{lock.name}:{number}"
        if directive == "require":
            path, version = _of(words, 2, place)
            module.required.append((path, version, not _INDIRECT.match(comment)))
        elif directive == "replace":
            module.replaced |= [_replacement(words, place)]
        elif directive == "exclude":
            path, version = _of(words, 2, place)
            module.excluded.add((path, version))
        elif directive == "module":
            is_module = True
        elif directive == "go":
            match = _GO.fullmatch(_of(words, 1, place)[0])
            module.go = int(match[1]) if match else module.go
        elif directive not in _OTHERS:
            unseen.append(_gap(f"{place}: a directive that this does not know"))
    if not is_module:
        raise UnseenError("malformed", f"{lock.name}: no `module` in it; is it a go.mod?")
    return module


def _lines(lock: Lock, unseen: list[Unseen]) -> Iterator[_Line]:
    """Yield each directive with its words; of a block each line."""
    block, opened = "", 0
    for number, line in enumerate(lock.text().split("\n"), start=1):
        code, _, comment = line.partition("//")
        words = [word.strip('"`') for word in _WORD.findall(code)]
        if not words:
            continue
        if words == [")"] and block:
            block = ""
        elif block:
            yield _Line(number, block, words, comment)
        elif words[1:] == ["("]:
            block, opened = words[0], number
        elif words[1:] != ["(", ")"]:
            yield _Line(number, words[0], words[1:], comment)
    if block:
        unseen.append(_gap(f"{lock.name}:{opened}: the block is not closed; the file may be cut off"))


def _of(words: list[str], count: int, place: str) -> list[str]:
    if len(words) != count:
        raise UnseenError("malformed", f"{place}: not {count} words behind the directive")
    return words


def _replacement(words: list[str], place: str) -> tuple[tuple[str, str], _Replacement]:
    at = words.index("=>") if "=>" in words else 0
    old, new = words[:at], words[at + 1 :]
    if not (1 <= len(old) <= 2 and 1 <= len(new) <= 2):
        raise UnseenError("malformed", f"{place}: no replacement, as `a => b v1.0.0`")
    return (old[0], old[1] if len(old) > 1 else ""), _Replacement(new[0], new[1] if len(new) > 1 else "")


def version_of_replaced(path: str, other: str, version: str) -> str:
    """Return the version of a module that another may stand in for; empty where it is not plain.

    That is a version of the module itself, address and version of another one, or the path of a folder.
    """
    if other == path:
        return version
    if not version or other.startswith((".", "/")):  # Go asks for a version of all that is no folder
        return from_path(other) or LOCAL
    return from_git(other, version) or ""


def _gap(detail: str) -> Unseen:
    return Unseen(item="pkg:golang/*", reason="malformed", detail=detail)


def read_sum(lock: Lock) -> Read:
    """Return what the ``go.mod`` beside a ``go.sum`` says, or alone the modules that it knows one version of.

    Raises UnseenError with the line.
    """
    try:
        data = lock.beside("go.mod")
    except UnseenError:
        detail = f"{lock.name}: hashes are no build list; read the go.mod that belongs to it"
        unseen = Unseen(item="pkg:golang/*", reason="not_in_view", detail=detail)
        return read_of(lock, "golang", _only_versions(_hashes(lock)), [unseen])
    return read_mod(Lock(data, join(dirname(lock.name), "go.mod"), lock.beside))


def _hashes_beside(lock: Lock) -> _Hashes | None:
    try:
        return _hashes(Lock(lock.beside("go.sum"), join(dirname(lock.name), "go.sum")))
    except UnseenError:
        return None  # a go.mod says all of its own that it can


def _hashes(lock: Lock) -> _Hashes:
    """Return the versions by module; True for those that have a hash of more than their go.mod."""
    hashes: _Hashes = {}
    for number, line in enumerate(lock.text().splitlines(), start=1):
        if not line.strip():
            continue
        match = _HASH.fullmatch(line.rstrip())
        if match is None:
            raise UnseenError(
                "malformed", f"{lock.name}:{number}: not module, version and hash; is it cut off?"
            )
        known = hashes.setdefault(match[1], {})
        known[match[2]] = known.get(match[2], False) or not match[3]
    return hashes


def _only_versions(hashes: _Hashes) -> list[Pin]:
    """Return the modules of which one version alone has such a hash: of several nothing says which wins."""
    taken = {path: [version for version, whole in known.items() if whole] for path, known in hashes.items()}
    return [Pin(name=path, version=versions[0]) for path, versions in taken.items() if len(versions) == 1]
