"""Files of settings, flattened to keys: YAML, JSON, TOML, INI and Java's properties.

A key is the way to its value, joined by a separator; the place in a list is `[n]`, counted from 0. An empty
map or list is a key with an empty value, and so is null. Names are taken as they are written: that Spring
reads `SPRING_DATASOURCE_URL` and `spring.datasource.url` as one is a matter of Spring.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, ClassVar, Final, Literal

from collectors.readers._keys import Keys
from collectors.readers.settingsfiles import documents, exports, ini, properties, spring
from detector.errors import UnseenError
from detector.model.facts import Unseen
from detector.model.fingerprints import Fingerprinter
from detector.model.items import is_config_key
from detector.model.key_names import looks_like_a_value
from detector.model.shapes import reference_shape
from detector.reader import API, Part, Read

Format = Literal["yaml", "json", "toml", "ini", "properties"]
Separator = Literal[".", "/", "_", "__", "-"]
#: All but YAML, which may hold several documents.
_TREES: Final[Mapping[Format, Callable[[bytes, str], Any]]] = {
    "json": documents.json_tree,
    "toml": documents.toml_tree,
    "ini": ini.tree,
    "properties": properties.tree,
}
FORMATS: Final[Mapping[str, Format]] = {
    ".yaml": "yaml", ".yml": "yaml", ".json": "json", ".toml": "toml", ".ini": "ini", ".cfg": "ini",
    ".properties": "properties",
}  # fmt: skip
#: Formats with one key to a line, in which a line that slipped could pass for a key.
_OF_LINES: Final = frozenset({"ini", "properties"})
#: Names that frameworks give to settings and nothing else; other files of these formats may be anything.
_STEMS: Final = ("application", "bootstrap", "appsettings")
_LARGEST: Final = 8 * 1024 * 1024
_DEEPEST: Final = 64
_MOST_PLACES: Final = 100


def is_setting(name: str) -> bool:
    """Tell whether a text may stand, be kept and be printed as the key of a setting."""
    return is_config_key(name) and not looks_like_a_value(name)


class SettingsReader:
    """Reads files of settings: every value is a config key of class literal."""

    API: ClassVar[int] = API
    name: ClassVar[str] = "settings"

    def matches(self, name: str) -> bool:
        own = name.rpartition("/")[2]
        stem, dot, extension = own.rpartition(".")
        known = FORMATS.get(dot + extension)
        if known in ("ini", "properties"):
            return extension != "cfg"
        return known in ("yaml", "json") and any(
            stem == own_stem or stem.startswith((f"{own_stem}-", f"{own_stem}.")) for own_stem in _STEMS
        )

    def read(self, data: bytes, name: str, fingerprinter: Fingerprinter) -> Read:
        keys = Keys(fingerprinter=fingerprinter, valid=is_setting)
        warnings = fill(keys, data, name)
        return Read(parts=(Part(sections={"config": keys.section()}),), warnings=warnings)


def fill(
    keys: Keys,
    data: bytes,
    name: str,
    *,
    format: Format | None = None,
    separator: Separator = ".",
    profiles: Collection[str] = (),
) -> tuple[str, ...]:
    """Set the keys of a file and return warnings. Raises UnseenError where all of it is unread.

    Without a format the file's own name tells it. Of several documents those for other Spring profiles are
    left out, and a later one wins.
    """
    known = format or _format_of(name)
    if len(data) > _LARGEST:
        raise UnseenError("too_large", f"{name}: more than {_LARGEST // 1024 // 1024} MB of settings")
    trees = documents.yaml_trees(data, name) if known == "yaml" else [(1, _TREES[known](data, name))]
    exported = exports.flat(trees[0][1]) if known == "json" else None
    maps = [(1, exported)] if exported else [(line, tree) for line, tree in trees if isinstance(tree, dict)]
    if not maps:
        raise UnseenError("unsupported", f"{name}: no map of settings, but {_kind(trees)}")
    taken, unseen = spring.active(maps, name, profiles)
    keys.unseen += unseen
    for tree in taken:
        _fill_from(keys, tree, name, separator, of_lines=known in _OF_LINES)
    return tuple(
        f"lines {first} and {second} set the same key; the last one wins"
        for tree in taken
        if isinstance(tree, properties.Properties)
        for first, second in tree.repeated[:10]
    )


def _fill_from(keys: Keys, tree: dict[str, Any], name: str, separator: Separator, *, of_lines: bool) -> None:
    refused: dict[str, int] = {}
    for parent, key, value in _leaves(tree, separator):
        if (of_lines and "/" in key) or not keys.allows(key):
            place = _nearest(parent, keys, separator)
            refused[place] = refused.get(place, 0) + 1
        else:
            _set(keys, key, value)
    for place, count in list(refused.items())[:_MOST_PLACES]:
        below = f" below {place}" if place else ""
        detail = f"{name}: {count} names{below} that can be no keys"
        item = f"{keys.naming.key(place)}{separator}*" if place else "*"
        keys.unseen.append(Unseen(item=item, reason="unsupported", detail=detail))
    if len(refused) > _MOST_PLACES:
        detail = f"{name}: names that can be no keys, in {len(refused)} places"
        keys.unseen.append(Unseen(item="*", reason="unsupported", detail=detail))


def _format_of(name: str) -> Format:
    known = FORMATS.get("." + name.rpartition(".")[2])
    if known is None:
        raise UnseenError("unsupported", f"{name}: its name does not tell the format; give `format`")
    return known


def _leaves(tree: dict[str, Any], separator: str) -> Iterator[tuple[str, str, Any]]:
    """Yield (key of the map or list, key, value) of all that is no filled map or list, in order."""
    levels: list[tuple[str, Iterator[tuple[str, Any]]]] = [("", _named("", tree, separator))]
    while levels:
        parent, members = levels[-1]
        for key, value in members:
            if isinstance(value, (dict, list)) and value:
                if len(levels) >= _DEEPEST:
                    raise UnseenError("too_large", f"nested deeper than {_DEEPEST} levels")
                levels.append((key, _named(key, value, separator)))
                break
            yield parent, key, value
        else:
            levels.pop()


def _named(parent: str, container: dict[str, Any] | list[Any], separator: str) -> Iterator[tuple[str, Any]]:
    if isinstance(container, list):
        return ((f"{parent}[{position}]", member) for position, member in enumerate(container))
    front = f"{parent}{separator}" if parent else ""
    return ((f"{front}{key}", member) for key, member in container.items())


def _nearest(parent: str, keys: Keys, separator: str) -> str:
    """Return the nearest map around a name that can itself be named; empty for the whole file."""
    while parent and not keys.allows(parent):
        parent = parent.rpartition(separator)[0]
    return parent


def _set(keys: Keys, key: str, value: Any) -> None:
    if value is exports.HIDDEN:
        keys.shaped(key, reference_shape(keys.source_class))
    else:
        keys.set(key, _text(value))


def _text(value: Any) -> str:
    """Return a scalar as it would be written; null and what is empty are empty."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (dict, list)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    # Of TOML: dates and times, as RFC 3339 writes them.
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def _kind(trees: list[tuple[int, Any]]) -> str:
    if not trees or trees[0][1] is None:
        return "nothing"
    return "a list" if isinstance(trees[0][1], list) else "a single value"
