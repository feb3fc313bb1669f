"""What services of a project refer to: a reference to nothing is how a file that was cut off shows."""

import re
from typing import Any, Final

from collectors.readers._yaml import is_map
from collectors.readers.composefiles.merge import listed
from collectors.readers.composefiles.project import DECLARED, Project
from collectors.readers.composefiles.variables import is_open
from detector.model.facts import Unseen

_VOLUME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]+")
_MOST_TOLD: Final = 10


def dangling(project: Project, name: str) -> list[Unseen]:
    """Return what services refer to and no file declares. Compose refuses such a project."""
    found = []
    for service, stated in project.services.items():
        whats = [
            f"one of `{kind}`" for kind in DECLARED if _references(stated, kind) - {*project.declared[kind]}
        ]
        if _after(stated) - {*project.services}:
            whats.append("a service")
        found += [_dangling(name, service, what) for what in whats]
    return found[:_MOST_TOLD]


def _after(service: dict[str, Any]) -> set[str]:
    """Return the services that one waits for and cannot do without."""
    after = service.get("depends_on")
    if is_map(after):
        return {other for other, how in after.items() if not (is_map(how) and how.get("required") == "false")}
    return {other for other in listed(after) if isinstance(other, str)}


def _dangling(name: str, service: str, what: str) -> Unseen:
    detail = f"{name}: {service} refers to {what} that no file declares; is the file cut off?"
    return Unseen(item="*", reason="malformed", detail=detail)


def _references(service: dict[str, Any], kind: str) -> set[str]:
    """Return the names of one kind that a service uses."""
    stated = service.get(kind)
    if kind == "networks":
        names = [*stated] if is_map(stated) else listed(stated)
        return {name for name in names if isinstance(name, str)} - {"default"}
    sources = (_source(entry, kind) for entry in listed(stated))
    return {source for source in sources if isinstance(source, str) and not is_open(source)}


def _source(entry: Any, kind: str) -> Any:
    if kind != "volumes":
        return entry.get("source") if is_map(entry) else entry
    if is_map(entry):
        return entry.get("source") if entry.get("type", "volume") == "volume" else None
    source, colon, _ = entry.partition(":") if isinstance(entry, str) else ("", "", "")
    # Of one character it could be a drive of Windows.
    return source if colon and _VOLUME.fullmatch(source) else None
