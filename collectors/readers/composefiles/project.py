"""The services of a compose project: its files laid over each other, with what they extend and include.

Follows the Compose specification as docker compose 2 does it: each file is filled in, then takes in what it
extends and includes, then goes over the file before it. A file that leads out of the folder, is missing, or
refers to itself makes a gap where its content would have stood, never a guess.
"""

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from collectors.readers._yaml import Map, Marked, documents, is_map
from collectors.readers.composefiles.env import variables_of
from collectors.readers.composefiles.merge import MARKS, RESET, canonical, listed, merged, plain
from collectors.readers.composefiles.variables import Variables, filled_tree, is_open, open_names, written
from detector.errors import UnseenError
from detector.model.facts import Unseen

#: Hands out a file by its path from the folder of the first compose file. Raises UnseenError.
Beside = Callable[[str], bytes]
#: A file: its name for messages, and its bytes.
File = tuple[str, bytes]

SERVICE: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.)){0,127}")
_MOST_FILES: Final = 100
_DEEPEST: Final = 32
#: Paths that may stand in a message.
_NAMED: Final = re.compile(r"[A-Za-z0-9_./@+:${}~ -]{1,255}")
#: Parts of a service that name what the file declares beside its services.
DECLARED: Final = ("volumes", "networks", "secrets", "configs")


@dataclass(slots=True, kw_only=True)
class Project:
    """The services of a project, and what of them could not be seen."""

    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: What a service may refer to: `volumes`, `networks`, `secrets` and `configs` by name.
    declared: dict[str, dict[str, Any]] = field(default_factory=lambda: {kind: {} for kind in DECLARED})
    #: Of a service what makes every part of it unsure.
    gaps: dict[str, list[Unseen]] = field(default_factory=dict)
    #: Why services, or parts of them all, may be missing.
    missing: list[Unseen] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _At:
    """Where a file of the project stands: what fills it in, its folder, and the files that include it."""

    variables: Variables
    folder: str
    chain: tuple[str, ...] = ()


class Loading:
    """Takes a project together, a bounded number of files."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        self._left = _MOST_FILES

    def project(self, files: Sequence[File], variables: Variables, folder: str = ".") -> Project:
        """Return the project of several files, of which each goes over those before it.

        Raises UnseenError where one of them is no compose file.
        """
        return self._project(files, _At(variables=variables, folder=folder))

    def variables(
        self, files: Sequence[File], known: Mapping[str, str], warnings: list[str]
    ) -> dict[str, str]:
        """Return the variables of env files, a later one over those before it, what is known over all."""
        found: dict[str, str] = {}
        for name, data in files:
            read = variables_of(data, name, known, found)
            warnings += [*read.warnings, *(entry.detail for entry in read.unseen)]
            found |= {
                key: value for key, value in read.values.items() if value is not None and not is_open(value)
            }
        return found | dict(known)

    def open(self, path: str, named: str) -> bytes:
        """Return the bytes of a file; ``named`` is its path as written. Raises UnseenError."""
        self._left -= 1
        if self._left < 0:
            raise UnseenError("too_large", f"{named}: more than {_MOST_FILES} files belong to this project")
        if posixpath.isabs(path):
            raise UnseenError("denied", f"{named}: it leads out of the folder of the project")
        try:
            return self._beside(path)
        except UnseenError as error:
            # What a variable stands for is no text for a message.
            said = "it cannot be read here" if "$" in named else error.detail
            detail = said if said.startswith(path) else f"{named}: {said}"
            raise UnseenError(error.reason, detail) from None

    def _project(self, files: Sequence[File], at: _At) -> Project:
        project = Project()
        for name, data in files:
            for line, tree in documents(data, name, marks=MARKS):
                if not is_map(tree):
                    raise UnseenError(
                        "malformed", f"{name}:{line}: no map of services; is this a compose file?"
                    )
                self._lay_over(project, name, filled_tree(tree, at.variables), at)
        return project

    def _lay_over(self, project: Project, name: str, tree: dict[str, Any], at: _At) -> None:
        services = _services_of(tree, name, at.folder)
        included: set[str] = set()
        for entry in listed(plain(tree.get("include"))):
            try:
                included |= self._include(project, entry, at)
            except UnseenError as error:
                detail = f"{name}: include: {error.detail}"
                project.missing.append(Unseen(item="*", reason=error.reason, detail=detail))
        for service, stated in services.items():
            over = stated
            if not isinstance(stated, Marked):
                base = _Base(name=name, services=services, folder=at.folder)
                over, gaps = self._extended(service, base, at.variables, ())
                project.gaps.setdefault(service, []).extend(gaps)
            if service in included:
                detail = f"{name}: {service} is also in what the file includes, which compose refuses"
                project.gaps[service].append(Unseen(item="*", reason="malformed", detail=detail))
            _lay_one_over(project.services, service, over)
        for kind in DECLARED:
            declared = plain(tree.get(kind))
            project.declared[kind] |= declared if is_map(declared) else {}

    def _include(self, project: Project, entry: Any, at: _At) -> set[str]:
        """Take in what one entry of ``include`` names; return its services."""
        options = entry if is_map(entry) else {"path": entry}
        paths = [_path(path, at.folder) for path in listed(options.get("path"))]
        if not paths:
            raise UnseenError("malformed", "an entry without a path")
        first = paths[0][0]
        if first in at.chain or len(at.chain) >= _DEEPEST:
            raise UnseenError("malformed", f"{paths[0][1]} includes itself")
        home = posixpath.dirname(first) or "."
        if options.get("project_directory") is not None:
            home = _path(options["project_directory"], at.folder)[0]
        files = [(named, self.open(path, named)) for path, named in paths]
        more = self._env_files([_path(path, at.folder) for path in listed(options.get("env_file"))], home)
        variables = at.variables
        if variables is not None:
            variables = self.variables(more, variables, project.warnings)
        found = self._project(files, _At(variables=variables, folder=home, chain=(*at.chain, first)))
        for service, stated in found.services.items():
            _lay_one_over(project.services, service, stated)
        for service, gaps in found.gaps.items():
            project.gaps.setdefault(service, []).extend(gaps)
        for kind, named in found.declared.items():
            project.declared[kind] |= named
        project.missing += found.missing
        project.warnings += found.warnings
        return set(found.services)

    def _env_files(self, paths: Sequence[tuple[str, str]], home: str) -> list[File]:
        """Return the env files that are named, else ``.env`` where there is one."""
        if paths:
            return [(named, self.open(path, named)) for path, named in paths]
        usual = posixpath.normpath(posixpath.join(home, ".env"))
        try:
            return [(usual, self.open(usual, usual))]
        except UnseenError as error:
            if error.reason == "unreachable":
                return []
            raise

    def _extended(
        self, service: str, base: "_Base", variables: Variables, chain: tuple[tuple[str, str], ...]
    ) -> tuple[dict[str, Any], list[Unseen]]:
        """Return a service over what it extends, and what of that could not be seen."""
        own = {key: value for key, value in base.services[service].items() if key != "extends"}
        stated = plain(base.services[service].get("extends"))
        if stated is None:
            return own, []
        try:
            options = stated if is_map(stated) else {"service": stated}
            below, name = self._base(options, base, variables)
            if (below.name, name) in chain or len(chain) >= _DEEPEST:
                raise UnseenError("malformed", "it extends itself")
            found, gaps = self._extended(name, below, variables, (*chain, (below.name, name)))
        except UnseenError as error:
            return own, [
                Unseen(item="*", reason=error.reason, detail=f"{base.name}: extends: {error.detail}")
            ]
        return merged(plain(found), own), gaps

    def _base(self, options: Mapping[str, Any], base: "_Base", variables: Variables) -> tuple["_Base", str]:
        """Return where the service stands that is extended, and its name."""
        name = options.get("service")
        if not isinstance(name, str) or not SERVICE.fullmatch(name) or "$" in written(name):
            raise UnseenError("malformed", "the service is not named")
        if options.get("file") is not None:
            path, named = _path(options["file"], base.folder)
            trees = documents(self.open(path, named), named, marks=MARKS)
            tree = filled_tree(trees[0][1], variables) if trees else None
            if not is_map(tree):
                raise UnseenError("malformed", f"{named}: no map of services; is this a compose file?")
            folder = posixpath.dirname(path) or "."
            base = _Base(name=named, services=_services_of(tree, named, folder), folder=folder)
        if not is_map(base.services.get(name)):
            raise UnseenError("malformed", f"{base.name} has no service {name}")
        return base, name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    """The services of one file, of which one may be extended."""

    name: str
    services: dict[str, Any]
    folder: str


def _services_of(tree: dict[str, Any], name: str, folder: str) -> dict[str, Any]:
    """Return the services of one file in one form; of those laid over others some are Marked."""
    services = tree.get("services")
    services = services.tree if isinstance(services, Marked) else services
    if services is None:
        return {}
    if not is_map(services):
        raise UnseenError("malformed", f"{name}: `services` is no map; is this a compose file?")
    found: dict[str, Any] = {}
    for service, stated in services.items():
        inside = stated.tree if isinstance(stated, Marked) else stated
        if not SERVICE.fullmatch(service) or not (is_map(inside) or isinstance(stated, Marked)):
            line = f":{services.line}" if isinstance(services, Map) else ""
            raise UnseenError("malformed", f"{name}{line}: an entry of `services` that is no service")
        inside = canonical(inside, folder) if is_map(inside) else {}
        found[service] = Marked(stated.tag, inside) if isinstance(stated, Marked) else inside
    return found


def _lay_one_over(services: dict[str, dict[str, Any]], name: str, over: Any) -> None:
    if isinstance(over, Marked) and over.tag == RESET:
        services.pop(name, None)
    else:
        services[name] = merged(services[name], over) if name in services else plain(over)


def _path(stated: Any, folder: str) -> tuple[str, str]:
    """Return the path of a file from the folder of the project, and as it is written."""
    if not isinstance(stated, str) or not stated:
        raise UnseenError("malformed", "a file that is no path")
    named = written(stated)
    if is_open(stated):
        raise UnseenError("not_in_view", f"a file whose name waits for {open_names([stated])}")
    if not _NAMED.fullmatch(named):
        raise UnseenError("unsupported", "a file whose path is no plain one")
    return posixpath.normpath(posixpath.join(folder, stated)), named
