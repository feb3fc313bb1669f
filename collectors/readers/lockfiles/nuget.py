"""``packages.lock.json`` of NuGet, versions 1 and 2 (Microsoft Learn, "Lock dependencies")."""

from collectors.readers.lockfiles.lock import Lock, table, text_at
from collectors.readers.lockfiles.pins import LOCAL, Pin, read_of
from detector.errors import UnseenError
from detector.model.facts import Unseen
from detector.reader import Read


def read(lock: Lock) -> Read:
    """Return the pins of all frameworks. Raises UnseenError."""
    document = lock.json()
    version = document.get("version") if isinstance(document, dict) else None
    if version not in (1, 2) or isinstance(version, bool):
        raise UnseenError("unsupported", f"{lock.name}: no version 1 or 2 of packages.lock.json")
    if not isinstance(document.get("dependencies"), dict):
        raise UnseenError("malformed", f"{lock.name}: no `dependencies` in it")
    frameworks = table(document, "dependencies")
    pins = []
    missing = False
    for framework in frameworks:
        packages = table(frameworks, framework)
        # `net8.0/linux-x64` holds what is another there than in `net8.0`.
        base, _, platform = framework.partition("/")
        needed: set[str] = set()
        for name in packages:
            found = table(packages, name)
            kind = text_at(found, "type")
            version = LOCAL if kind == "Project" else text_at(found, "resolved")
            pins.append(Pin(name=name, version=version, direct=kind == "Direct", platform=platform or None))
            needed |= {other.lower() for other in table(found, "dependencies")}
        missing |= not needed <= {name.lower() for name in (*packages, *table(frameworks, base))}
    unseen = []
    if missing:
        detail = f"{lock.name}: it refers to packages that are not in it"
        unseen.append(Unseen(item="pkg:nuget/*", reason="malformed", detail=detail))
    return read_of(lock, "nuget", pins, unseen)
