"""Config keys of one source on their way to shapes: named, told apart, bounded.

Every source of config names its keys in its own way; the same few steps make one name of them, so that
``/prod/app/db-url`` here and ``DB_URL`` there are one key. A fingerprint is bound to the name that comes out.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Final

from collectors.readers._config import SEEN_IN_A_FILE, config_section, is_variable
from detector.errors import UnseenError
from detector.model.facts import Section, Unseen
from detector.model.fingerprints import Fingerprinter
from detector.model.items import matches
from detector.model.key_names import looks_like_a_value
from detector.model.shapes import shape_of
from detector.model.words import Basis, SourceClass

MOST_KEYS: Final = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """How the names of a source become keys, in this order: strip, replace, upper, prefix; then only."""

    #: The first of these that a name begins with is cut off.
    strip: tuple[str, ...] = ()
    replace: tuple[tuple[str, str], ...] = ()
    upper: bool = False
    prefix: str = ""
    #: Globs of the keys that are taken; none takes all.
    only: tuple[str, ...] = ()

    def key(self, name: str) -> str:
        """Return the key that a name becomes."""
        if self is AS_IT_IS:
            return name
        name = name[len(next((front for front in self.strip if name.startswith(front)), "")) :]
        for old, new in self.replace:
            name = name.replace(old, new)
        return self.prefix + (name.upper() if self.upper else name)

    def takes(self, key: str) -> bool:
        """Tell whether a key was asked for."""
        return not self.only or any(matches(glob, key) for glob in self.only)

    @property
    def covers(self) -> tuple[str, ...]:
        """Globs of the keys whose absence such a source can tell."""
        return self.only or (f"{self.prefix}*",)


AS_IT_IS: Final = Naming()


@dataclass(slots=True, kw_only=True)
class Keys:
    """Collects the keys of one source. A name that was set before is set anew; two names never share a key.

    Whoever sets a name has asked `allows` before.
    """

    fingerprinter: Fingerprinter
    naming: Naming = AS_IT_IS
    compare: Collection[str] = ()
    #: Tells whether a text may be kept and printed as a key.
    valid: Callable[[str], bool] = is_variable
    source_class: SourceClass = "literal"
    unseen: list[Unseen] = field(default_factory=list)
    _shapes: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: Key -> the name that became it.
    _names: dict[str, str] = field(default_factory=dict)
    _shared: dict[str, str] = field(default_factory=dict)

    def allows(self, name: str) -> bool:
        """Tell whether a name can be a key. One that cannot may be a value: it is never kept or printed."""
        return self.valid(self.naming.key(name))

    def set(self, name: str, value: str, source_class: SourceClass | None = None) -> None:
        """Set a key to the shape of a value. Raises UnseenError beyond the bound."""
        if key := self._key(name):
            self._shapes[key] = shape_of(
                key,
                value,
                self.fingerprinter,
                source_class=source_class or self.source_class,
                compare=key in self.compare,
            )

    def shaped(self, name: str, shape: dict[str, Any]) -> None:
        """Set a key to a shape."""
        if key := self._key(name):
            self._shapes[key] = shape

    def hide(self, name: str, detail: str) -> None:
        """Say that a key may be there, and why nobody knows."""
        if key := self._key(name):
            self._shapes.pop(key, None)
            self.unseen.append(Unseen(item=key, reason="not_in_view", detail=detail))

    @property
    def shapes(self) -> dict[str, dict[str, Any]]:
        """Key -> shape; not of keys that two names would share."""
        return {key: shape for key, shape in self._shapes.items() if key not in self._shared}

    def section(self, basis: Basis = "declared", sees: tuple[SourceClass, ...] = SEEN_IN_A_FILE) -> Section:
        """Return the config that was collected."""
        return config_section(self.shapes, self.gaps, basis=basis, covers=self.naming.covers, sees=sees)

    @property
    def gaps(self) -> tuple[Unseen, ...]:
        """What could not be read, with the keys that two names would share."""
        shared = (
            Unseen(item=key, reason="not_comparable", detail=_both(self._names[key], other, key))
            for key, other in self._shared.items()
        )
        return (*self.unseen, *shared)

    def _key(self, name: str) -> str | None:
        """Return the key of a name that can be one, or None where it was not asked for."""
        key = self.naming.key(name)
        if not self.naming.takes(key):
            return None
        if self._names.setdefault(key, name) != name:
            self._shared[key] = name
        if len(self._names) > MOST_KEYS:
            raise UnseenError("too_large", f"more than {MOST_KEYS} keys")
        return key


def _both(one: str, other: str, key: str) -> str:
    plain = all(
        len(name) <= 256 and name.isprintable() and not looks_like_a_value(name) for name in (one, other)
    )
    return f"{one} and {other} both become {key}" if plain else f"two names become {key}"
