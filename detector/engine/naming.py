"""Which item a person means: by its whole name, in any case, or by the part that people say."""

from collections.abc import Iterable
from urllib.parse import unquote

from detector.engine.values import IMAGE_IDENTITY


def meant(asked: str, known: Iterable[str]) -> list[str]:
    """Return the items that a text names, of the strictest reading that names any: ``django``, ``main#TLS``.

    Whole name, whole name in any case, then what is said of it: a package without its ecosystem or its
    namespace, a fact of a server without ``main#``, of an image without ``image#``.
    """
    names = sorted(set(known))
    if asked in names:
        return [asked]
    folded = asked.casefold()
    for reading in (_itself, _without_ecosystem, _last_part):
        found = [name for name in names if reading(name).casefold() == folded]
        if found:
            return found
    return []


def near(known: Iterable[str]) -> list[str]:
    """Return what a person may have meant instead: every name, and what people say of it."""
    return sorted({said for name in known for said in (name, _without_ecosystem(name), _last_part(name))})


def _itself(name: str) -> str:
    return name


def _without_ecosystem(name: str) -> str:
    if name.startswith("pkg:"):
        return unquote(name.partition("/")[2])
    return name.removeprefix("main#")


def _last_part(name: str) -> str:
    if name in IMAGE_IDENTITY:
        return name  # "id" alone means nothing to anybody
    said = _without_ecosystem(name)
    return said.rpartition("/")[2] if name.startswith("pkg:") else said.rpartition("#")[2]
