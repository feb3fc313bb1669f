"""What a bill of materials lists, gathered from whichever format it is written in."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from collectors._containers import ImageReference, image_reference
from collectors.readers._backing_images import product_of
from collectors.readers.sbom.purls import PurlError, checked_version, read_purl
from detector.errors import Reason
from detector.model.facts import Section, Unseen, Value
from detector.model.words import SectionName

#: Components that a bill may list; more of them are no bill of one service.
MOST_COMPONENTS: Final = 200_000
#: Gaps that are named one by one; beyond them it is the bill itself that is in doubt.
_MOST_GAPS: Final = 100
_MOST_NAME: Final = 200
#: What only a package URL can name: without one it could be any package of that name.
_PACKAGES: Final = frozenset({"library", "framework"})
_WORD: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_RUNTIME: Final = re.compile(r"[a-z][a-z0-9.-]{0,31}")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9._-]+")


class Use(NamedTuple):
    """What a bill says of a package beside its version."""

    #: Empty: it runs in production; else ``dev`` or ``optional``.
    scope: tuple[str, ...] = ()
    #: Whether the project itself asks for it; None where the bill does not say.
    direct: bool | None = None
    platform: str | None = None


NOTHING: Final = Use()


@dataclass(slots=True, kw_only=True)
class Inventory:
    """Gathers what one bill says of one service."""

    #: Path of the bill, for messages.
    name: str
    #: Most packages are mentioned once: no list is made for each, for a bill may name very many.
    _versions: dict[str, str] = field(default_factory=dict)
    _uses: dict[str, Use] = field(default_factory=dict)
    #: Item -> version and use of each further mention.
    _further: dict[str, list[tuple[str, Use]]] = field(default_factory=dict)
    _others: dict[str, set[str]] = field(default_factory=dict)
    _backing: dict[str, set[str]] = field(default_factory=dict)
    _image: dict[str, Value] = field(default_factory=dict)
    _ecosystems: set[str] = field(default_factory=set)
    _unseen: list[Unseen] = field(default_factory=list)
    #: Gaps beyond those that are named.
    _unnamed: int = 0
    _gaps: Counter[str] = field(default_factory=Counter)
    _left_out: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)

    def add(
        self,
        kind: str,
        name: str,
        version: str,
        purl: str,
        place: str,
        *,
        group: str = "",
        use: Use = NOTHING,
    ) -> None:
        """Take down one component. ``kind`` is a type of CycloneDX, ``place`` where it stands."""
        if kind == "operating-system":
            self._system(name, version, place)
        elif purl:
            try:
                item, ecosystem, written, platform = read_purl(purl)
                written = written or checked_version(version)
            except PurlError as error:
                self._gap("invalid-purl", _any(name, group), error.reason, f"{place}: {error}")
                return
            self._ecosystems.add(ecosystem)
            if written:
                if platform is not None:
                    use = use._replace(platform=platform)
                if item in self._versions:
                    self._further.setdefault(item, []).append((written, use))
                else:
                    self._versions[item], self._uses[item] = written, use
            else:
                self._gap("no-version", item, "not_in_view", f"{place}: no version")
        elif kind == "platform" and _RUNTIME.fullmatch(runtime := name.lower()) and _WORD.fullmatch(version):
            self._others.setdefault(f"runtime#{runtime}", set()).add(version)
        elif kind in _PACKAGES or (kind == "application" and version):
            self._gap("no-purl", _any(name, group), "not_comparable", f"{place}: no package URL")
        else:
            self._left_out[kind] += 1

    def add_service(self, name: str, version: str) -> None:
        """Take down a service that is called: what is behind it, and in which version."""
        instance = _NO_NAME.sub("-", name.lower()).strip("-._")[:128]
        if not instance:
            self._left_out["service"] += 1
            return
        product = product_of(ImageReference(repository=instance)) or instance
        self.add_server(instance, product, version)

    def add_server(self, instance: str, product: str, version: str) -> None:
        """Take down a server under the name that it is attached as."""
        self._backing.setdefault(f"{instance}#product", set()).add(product)
        if version and version.isprintable() and len(version) <= _MOST_NAME and "://" not in version:
            self._backing.setdefault(f"{instance}#version", set()).add(version)

    def add_image(self, name: str, tag: str, digest: str = "") -> None:
        """Take down the image that the bill is of, as its reference names it."""
        image = image_reference(f"{name}:{tag}" if _TAG.fullmatch(tag) else name)
        if image is None:
            return
        self._image = {"image#repository": image.repository}
        if image.tag is not None and (":" in name or _TAG.fullmatch(tag)):
            self._image["image#tag"] = image.tag
        if _DIGEST.fullmatch(digest):
            self._image["image#digest"] = digest

    def incomplete(self, detail: str) -> None:
        """Say that the bill is not the whole truth."""
        self._unseen.append(Unseen(item="*", reason="not_in_view", detail=f"{self.name}: {detail}"))

    def sections(self) -> dict[SectionName, Section]:
        """Return what was gathered as sections of what was built."""
        facts: dict[str, Value] = {**self._versions}
        uses = {**self._uses}
        for item, mentions in self._further.items():
            facts[item] = _one_or_all({self._versions[item], *(version for version, _ in mentions)})
            uses[item] = _together([self._uses[item], *(use for _, use in mentions)])
        hints = {item: _hints(use) for item, use in uses.items() if use is not NOTHING and use != NOTHING}
        facts |= {item: _one_or_all(values) for item, values in self._others.items()}
        unseen = tuple(self._all_unseen())
        dependencies = Section(
            basis="built",
            status="partial" if unseen else "complete",
            facts=facts,
            hints=hints,
            covers=(*(f"pkg:{name}/*" for name in sorted(self._ecosystems)), *sorted(self._others)),
            unseen=unseen,
        )
        found: dict[SectionName, Section] = {"dependencies": dependencies}
        if self._backing:
            found["backing_services"] = Section(
                basis="built",
                facts={item: _one_or_all(values) for item, values in self._backing.items()},
                covers=tuple(dict.fromkeys(f"{item.partition('#')[0]}#*" for item in self._backing)),
            )
        if self._image:
            found["release"] = Section(basis="built", facts=self._image, covers=tuple(self._image))
        return found

    def all_warnings(self) -> tuple[str, ...]:
        """Return what should be looked at, without names out of the bill."""
        told = [f"{code}: {_GAPS[code]}: {count}" for code, count in sorted(self._gaps.items())]
        if self._left_out:
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self._left_out.items()))
            told.append(f"not-compared: components that are no packages: {kinds}")
        return (*self.warnings, *told)

    def _system(self, name: str, version: str, place: str) -> None:
        if _WORD.fullmatch(name) and (not version or _WORD.fullmatch(version)):
            self._others.setdefault("os#release", set()).add(f"{name.lower()} {version}".strip())
        else:
            self._gap("no-purl", "os#release", "malformed", f"{place}: no name and version of a system")

    def _gap(self, code: str, item: str, reason: Reason, detail: str) -> None:
        self._gaps[code] += 1
        if len(self._unseen) >= _MOST_GAPS:
            self._unnamed += 1
            return
        self._unseen.append(Unseen(item=item, reason=reason, detail=f"{self.name}{detail}"))

    def _all_unseen(self) -> Iterable[Unseen]:
        yield from self._unseen
        if self._unnamed:
            detail = f"{self.name}: {self._unnamed} more"
            yield Unseen(item="*", reason=self._unseen[-1].reason, detail=detail)


#: Code of a warning -> what is counted. All of these are unknown, and none is missing.
_GAPS: Final = {
    "invalid-purl": "components whose package URL is none",
    "no-purl": "components without a package URL",
    "no-version": "components without a version",
}


def _any(name: str, group: str) -> str:
    """Return the glob of every package of this name, of whatever ecosystem."""
    if not name.strip():
        return "pkg:*"
    path = "/".join(quote(part, safe="-._~:") for part in f"{group}/{name}".split("/") if part)
    return f"pkg:*/{path}" if len(path) <= _MOST_NAME else f"pkg:*/{path[:_MOST_NAME]}*"


def _one_or_all(values: set[str]) -> Value:
    return next(iter(values)) if len(values) == 1 else sorted(values)


def _together(uses: Collection[Use]) -> Use:
    """Return what is true of a package that is listed several times: needed anywhere is needed."""
    scopes = [use.scope for use in uses]
    told = [use.direct for use in uses if use.direct is not None]
    platforms = {use.platform for use in uses}
    return Use(
        scope=tuple(sorted({word for scope in scopes for word in scope})) if all(scopes) else (),
        direct=any(told) if told else None,
        platform=platforms.pop() if len(platforms) == 1 else None,
    )


@lru_cache(maxsize=1_024)
def _hints(use: Use) -> Mapping[str, Any]:
    return {
        name: list(told) if isinstance(told, tuple) else told
        for name, told in use._asdict().items()
        if told not in {None, ()}
    }
