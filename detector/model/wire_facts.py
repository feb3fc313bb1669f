"""Facts as they come over the wire: which items and values each section takes."""

import re
from collections.abc import Mapping
from typing import Any, Final

from detector.errors import UsageError, did_you_mean
from detector.model.addresses import repository_url, without_credentials
from detector.model.canonical import value_bytes
from detector.model.facts import HINTS, Value
from detector.model.items import from_purl, is_config_key
from detector.model.key_names import looks_like_a_value
from detector.model.wire_json import shown
from detector.model.wire_shapes import Report, are_fine, shape_from
from detector.model.words import SECTIONS, SectionName

LONGEST_ITEM: Final = 512
_LONGEST_TEXT: Final = 4_096
_LONGEST_VERSION: Final = 1_024
_MOST_MEMBERS: Final = 10_000

#: Types of packages (package-url specification) whose names and versions Parity understands or keeps as text.
ECOSYSTEMS: Final = (
    "pypi", "npm", "deb", "rpm", "apk", "cargo", "golang", "gem", "maven", "composer", "nuget",
    "oci", "docker",
    "github", "bitbucket", "gitlab", "generic", "hex", "pub", "swift", "cocoapods", "conan", "conda", "cran",
    "hackage", "alpm", "bitnami", "huggingface", "mlflow", "qpkg", "swid", "julia", "luarocks", "otp",
)  # fmt: skip
#: Names that people use for an ecosystem and that no prefix brings near.
_NICKNAMES: Final = {
    "pip": "pypi", "pip3": "pypi", "python": "pypi", "node": "npm", "yarn": "npm", "pnpm": "npm",
    "dpkg": "deb",
    "apt": "deb", "debian": "deb", "alpine": "apk", "go": "golang", "gomod": "golang", "crates": "cargo",
    "rust": "cargo", "ruby": "gem", "rubygems": "gem", "java": "maven", "php": "composer",
}  # fmt: skip
_OTHER_DEPENDENCIES: Final = re.compile(r"os#(?:release|arch)|(?:runtime|lockfile)#[a-z][a-z0-9.-]{0,31}")
_BACKING_ITEM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}#[a-z][a-z_]{0,63}(?:/[^\s#]{1,256})?")

#: Section -> names that were read before and are items as they stand: a name is looked at once in its life.
_AS_WRITTEN: Final[Mapping[SectionName, set[str]]] = {section: set() for section in SECTIONS}
_MOST_NAMES: Final = 262_144
_TEXTS: Final = frozenset({str})

_HINT_TYPES: Final[Mapping[str, type]] = {
    "scope": list,
    "direct": bool,
    "platform": str,
    "managed": bool,
    "auto_minor_upgrade": bool,
    "expected_by": str,
    "ancestry": str,
}


def facts_from(
    section: SectionName, document: Mapping[str, Any], report: Report
) -> tuple[dict[str, Value], dict[str, dict[str, Any]]]:
    """Return (facts, hints) by canonical item; whatever is wrong goes to ``report`` and is left out."""
    if section == "config":
        return _shapes(document, report), {}
    if _are_plain(section, document):
        return dict(document), {}
    plain = {name: value for name, value in document.items() if type(value) is str}
    if not _are_plain(section, plain):
        plain = {}
    facts: dict[str, Value] = {**plain}
    hints: dict[str, dict[str, Any]] = {}
    for name, written in document.items():
        if name in plain:
            continue
        read = _fact(section, name, written, report)
        if read is None:
            continue
        item, value, own_hints = read
        facts[item] = _united(facts[item], value) if item in facts else value
        if item == name:
            _remember(section, name)
        if own_hints:
            hints[item] = own_hints
    return facts, hints


def _fact(
    section: SectionName, name: str, written: Any, report: Report
) -> tuple[str, Value, dict[str, Any]] | None:
    """Return (item, value, hints) of one fact, or None after what is wrong with it went to ``report``."""
    item = _item(section, name, report)
    if item is None:
        return None
    value, hints = _with_hints(name, written, report)
    if not _is_value(value, (name,), report):
        return None
    if section == "dependencies" and not _are_versions(name, value, report):
        return None
    value = _without_credentials(value)
    if item == "repo#url" and isinstance(value, str):
        value = repository_url(value)
        if value is None:
            report((name,), "validation-failed", "the address of a repository: host and path")
            return None
    return item, value, hints


def _shapes(document: Mapping[str, Any], report: Report) -> dict[str, Value]:
    known = _AS_WRITTEN["config"]
    if document.keys() <= known:
        named = dict(document)
    else:
        named = {name: shape for name, shape in document.items() if name in known or _is_key(name, report)}
        for name in named.keys() - known:
            _remember("config", name)
    if are_fine(named.values()):
        return named
    shapes = {name: shape_from(name, written, report) for name, written in named.items()}
    return {name: shape for name, shape in shapes.items() if shape is not None}


def _are_plain(section: SectionName, facts: Mapping[str, Any]) -> bool:
    """Tell of many facts at once that there is nothing to say against any, and nothing to change."""
    texts = facts.values()
    if not facts or not _TEXTS.issuperset(map(type, texts)) or "repo#url" in facts:
        return False
    together, lengths = "".join(texts), set(map(len, texts))
    return (
        facts.keys() <= _AS_WRITTEN[section]
        and together.isprintable()
        and not ("@" in together and "://" in together)
        and 0 not in lengths
        and max(lengths) <= _LONGEST_VERSION
    )


def _remember(section: SectionName, name: str) -> None:
    known = _AS_WRITTEN[section]
    if len(known) >= _MOST_NAMES:
        known.clear()
    known.add(name)


def is_item(text: object) -> bool:
    """Tell whether something may stand as an item or a glob of items."""
    return (
        isinstance(text, str)
        and 0 < len(text) <= LONGEST_ITEM
        and text.isprintable()
        and text == text.strip()
    )


def _is_key(name: str, report: Report) -> bool:
    if is_config_key(name) and not looks_like_a_value(name):
        return True
    report((), "suspicious-key-name", "a key that is no name, or looks like a value; it is not repeated here")
    return False


def _item(section: SectionName, name: str, report: Report) -> str | None:
    if not is_item(name):
        report((), "validation-failed", f"an item is printable text of 1 to {LONGEST_ITEM} characters")
        return None
    if section == "dependencies":
        return _dependency(name, report)
    if section == "backing_services" and not _BACKING_ITEM.fullmatch(name):
        report(
            shown(name), "validation-failed", "an item of backing_services is NAME#ATTRIBUTE, as main#version"
        )
        return None
    return name


def _dependency(name: str, report: Report) -> str | None:
    if not name.startswith("pkg:"):
        if _OTHER_DEPENDENCIES.fullmatch(name):
            return name
        report(
            shown(name),
            "validation-failed",
            "an item of dependencies is a package URL without version (pkg:pypi/django),"
            " os#release, os#arch, runtime#NAME or lockfile#TYPE",
        )
        return None
    ecosystem = name[4:].partition("/")[0].lower()
    if ecosystem not in ECOSYSTEMS:
        known = _NICKNAMES.get(ecosystem)
        hint = f" (did you mean {known}?)" if known else did_you_mean(ecosystem, ECOSYSTEMS)
        report((name[:64],), "validation-failed", f"an unknown type of package{hint}")
        return None
    try:
        item, version = from_purl(name)
    except UsageError:
        report((name[:64],), "validation-failed", "not a package URL (pkg:type/namespace/name)")
        return None
    if version is not None:
        report((name[:64],), "validation-failed", "a version inside the item; write it as the value")
        return None
    return item


def _with_hints(name: str, written: Any, report: Report) -> tuple[Any, dict[str, Any]]:
    """Split ``{"value": …, "scope": …}``; a nested document without ``value`` is a value itself."""
    if not isinstance(written, dict) or "value" not in written:
        return written, {}
    hints = {}
    for hint, setting in written.items():
        if hint == "value":
            continue
        if hint not in HINTS:
            message = f"an unknown hint{did_you_mean(hint, HINTS)}"
            report((name, *shown(hint)), "validation-failed", message)
        elif type(setting) is not _HINT_TYPES[hint] or not _is_hint(setting):
            report((name, hint), "validation-failed", f"`{hint}` is {_HINT_TYPES[hint].__name__}")
        else:
            hints[hint] = setting
    return written["value"], hints


def _is_hint(setting: Any) -> bool:
    texts = setting if isinstance(setting, list) else [setting]
    return len(texts) <= 32 and all(
        isinstance(text, bool) or (isinstance(text, str) and len(text) <= 128 and text.isprintable())
        for text in texts
    )


def _is_value(value: Any, path: tuple[str | int, ...], report: Report) -> bool:
    if value is None or isinstance(value, (bool, int, float)):
        return True
    if isinstance(value, str):
        if len(value) <= _LONGEST_TEXT:
            return True
        report(path, "validation-failed", f"a text of more than {_LONGEST_TEXT} characters")
        return False
    if len(value) > _MOST_MEMBERS:
        report(path, "too-many-items", f"more than {_MOST_MEMBERS} members")
        return False
    if isinstance(value, list):
        return all(_is_value(member, (*path, position), report) for position, member in enumerate(value))
    if value.keys() == {"values"}:
        return _is_count(value["values"], (*path, "values"), report)
    if any(len(key) > 256 or not key.isprintable() for key in value):
        report(path, "validation-failed", "a key that is no printable text of at most 256 characters")
        return False
    return all(_is_value(member, (*path, *shown(key)), report) for key, member in value.items())


def _is_count(counts: Any, path: tuple[str | int, ...], report: Report) -> bool:
    if isinstance(counts, dict) and all(type(n) is int and n > 0 for n in counts.values()):
        return True
    report(path, "validation-failed", "`values` maps each value to the number of replicas that have it")
    return False


def _are_versions(name: str, value: Any, report: Report) -> bool:
    """Check versions of packages: words as ``latest`` are kept as opaque text, nothing is guessed of them."""
    if isinstance(value, dict) and value.keys() == {"values"}:
        versions: list[Any] = list(value["values"])
    else:
        versions = value if isinstance(value, list) else [value]
    for version in versions:
        if version is None:
            continue
        if not isinstance(version, str) or not version:
            report((name,), "invalid-version", "a version is a text that is not empty")
            return False
        if not version.isprintable() or len(version) > _LONGEST_VERSION:
            report(
                (name,), "invalid-version", f"a version is one line of at most {_LONGEST_VERSION} characters"
            )
            return False
    return True


def _without_credentials(value: Any) -> Any:
    """Return the value with every address in it that carries credentials cut down to where it points."""
    if isinstance(value, str):
        if "://" in value and "@" in value:
            return without_credentials(value) or "an address"
        return value
    if isinstance(value, list):
        return [_without_credentials(member) for member in value]
    if isinstance(value, dict):
        return {_without_credentials(key): _without_credentials(member) for key, member in value.items()}
    return value


def _united(one: Any, other: Any) -> Any:
    """Return the versions of two spellings of one package: nothing is last-wins, whichever is read first."""
    members = [*(one if isinstance(one, list) else [one]), *(other if isinstance(other, list) else [other])]
    distinct = sorted({value_bytes(member): member for member in members}.items())
    return distinct[0][1] if len(distinct) == 1 else [member for _, member in distinct]
