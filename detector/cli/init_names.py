"""What names of files and folders say: of which environment a file is, and of which service."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from detector.model.words import Tier

#: Word -> the environment that it means, where that has another name.
_SAME: Final = {
    **dict.fromkeys(("development", "develop", "local"), "dev"),
    **dict.fromkeys(("stage", "stag", "stg"), "staging"),
    **dict.fromkeys(("production", "live"), "prod"),
    "preproduction": "preprod",
    "nonproduction": "nonprod",
}
_TIERS: Final[dict[str, Tier]] = {
    **dict.fromkeys(("dev",), "development"),
    **dict.fromkeys(("staging", "preprod", "nonprod", "uat", "qa", "integration", "sandbox"), "staging"),
    **dict.fromkeys(("prod",), "production"),
}
#: Words too common to make a folder one of an environment.
_NOT_OF_FOLDERS: Final = frozenset({"live", "sandbox", "integration", "develop"})
#: Files of automated tests and patterns to copy are of no environment.
_TRIALS: Final = frozenset({"test", "tests", "testing", "ci", "e2e"})
_PATTERNS: Final = frozenset({"example", "sample", "template", "dist", "defaults", "tpl"})
#: Folders that say how something is kept, not what it is.
_HOLDERS: Final = frozenset(
    {
        "apps", "base", "compose", "conf", "config", "configs", "deploy", "deployment", "deployments",
        "docker", "env", "environments", "envs", "infra", "infrastructure", "k8s", "kubernetes",
        "kustomize", "main", "manifests", "ops", "overlays", "packages", "requirements", "resources", "sbom",
        "services", "src",
    }
)  # fmt: skip
_WORDS: Final = re.compile(r"[A-Za-z0-9]+")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
#: What may follow the word of an environment, as in prod-eu or prod-us-east-1.
_REGIONS: Final = frozenset(
    {
        "eu", "us", "ap", "sa", "af", "cn", "asia", "europe", "emea", "apac", "uk", "de", "fr", "nl", "ch",
        "jp", "br", "au", "ca", "pl", "east", "west", "north", "south", "central", "northeast", "southeast",
        "blue", "green", "a", "b", "1", "2", "3", "4",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Of which environment a file is, None where its name says nothing, or why it is of none."""

    environment: str | None = None
    none_because: str = ""
    #: Folders that say what it belongs to.
    folders: tuple[str, ...] = ()
    #: Words of its own name, and those of them that name no environment.
    words: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()


def place_of(path: str, *, of_settings: bool) -> Place:
    """Return what a path says.

    ``of_settings`` says that its format holds settings: then the words dev and test of its own name mean an
    environment, and not packages for developers.
    """
    *folders, name = path.split("/")
    words = _words(name)
    environment = _in_words(words)
    if not of_settings:
        environment = environment if environment and tier_of(environment) != "development" else None
    else:
        if any(word in _PATTERNS for word in words):
            return Place(none_because="a pattern to copy, of no environment")
        if environment is None and any(word in _TRIALS for word in words):
            return Place(none_because="by its name for automated tests")
    of_folder = [_of_folder(folder) for folder in folders]
    named = [found for found in of_folder if found]
    rest = [
        folder
        for folder, found in zip(folders, of_folder, strict=True)
        if not found and folder.lstrip(".") not in _HOLDERS
    ]
    if environment is None and named:
        environment = named[-1]
    kind = tuple(word for word in words if _SAME.get(word, word) not in _TIERS and word not in _REGIONS)
    return Place(environment=environment, folders=tuple(rest), words=words, kind=kind)


def tier_of(environment: str) -> Tier:
    """Return the tier of an environment by the first word of its name."""
    return _TIERS.get(environment.partition("-")[0], "unknown")


def service_named(words: Collection[str], known: Collection[str]) -> str | None:
    """Return the one service that a file's own name speaks of."""
    named = [name for name in known if set(_words(name)) <= set(words)]
    return max(named, key=len) if named else None


def service_name(text: str) -> str:
    """Return a text as the name of a service."""
    plain = re.sub(r"[^A-Za-z0-9._-]+|\.\.+", "-", text).strip("-._")
    return plain if _NAME.fullmatch(plain) else "app"


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORDS.findall(text))


def _in_words(words: Sequence[str]) -> str | None:
    """Return the environment that words name, with the region behind it."""
    for number, word in enumerate(words):
        if word == "non" and words[number + 1 : number + 2] in (("prod",), ("production",)):
            return "nonprod"
        name = _SAME.get(word, word)
        if name in _TIERS:
            region = takewhile(_REGIONS.__contains__, words[number + 1 :])
            return "-".join((name, *region))
    return None


def _of_folder(folder: str) -> str | None:
    """Return the environment that a folder is of by all of its name: prod-eu, not dev-tools or prod-data."""
    words = _words(folder)
    found = _in_words(words)
    whole = found is not None and len(found.split("-")) == len(words)
    return found if whole and words[0] not in _NOT_OF_FOLDERS else None
