"""Causes: the one thing that explains many differences of a service. A fixed table, first match.

The leading release · base image → OS packages and runtimes · OS release → OS packages · lockfile of an
ecosystem → its packages · product → version, variant, extensions, settings · version → extensions, settings.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from detector.engine.images import is_of_server
from detector.engine.pairing import product_of
from detector.engine.view import Place, View
from detector.model.records import Judged, Key, Side, severity_rank
from detector.model.words import Severity, Verdict

#: How the makers of a product write it.
_PRODUCTS: Final = {
    "postgresql": "PostgreSQL",
    "mysql": "MySQL",
    "mariadb": "MariaDB",
    "redis": "Redis",
    "valkey": "Valkey",
    "rabbitmq": "RabbitMQ",
    "mongodb": "MongoDB",
    "elasticsearch": "Elasticsearch",
    "opensearch": "OpenSearch",
}
#: What a product brings along, and what its version does.
_OF_A_VERSION: Final = ("extension/", "setting/")
_OF_A_PRODUCT: Final = ("version", "variant", *_OF_A_VERSION)
_OS_PACKAGES: Final = ("pkg:deb/", "pkg:apk/", "pkg:rpm/")
#: The verdicts whose items explain others, and are explained.
_TOLD: Final = ("drift", "expected")
#: What is inside the artefact that a release ships.
_INSIDE_A_RELEASE: Final = ("dependencies", "admin", "processes")


def product_title(product: str) -> str:
    """Return a product as its makers write it."""
    return _PRODUCTS.get(product, product)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One explanation. ``parent`` is the item that is itself a difference; a lockfile has none."""

    id: str
    kind: str
    title: str
    service: str
    parent: Key | None
    children: tuple[Key, ...]
    severity: Severity
    #: `drift` where any of it is, else `expected`; `accepted` where somebody lets be what explains it.
    verdict: Verdict
    #: The services that it explains something of, where they are several.
    affects: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the cause as ``parity.diff/v1`` shows it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "title": self.title,
            "service": self.service,
            "severity": self.severity,
            "verdict": self.verdict,
            "parent": self.parent._asdict() if self.parent is not None else None,
            "children": len(self.children),
            "affects": list(self.affects),
        }


def explain(
    items: Sequence[Judged], left: View, right: View, *, first: int
) -> tuple[list[Judged], list[Cause]]:
    """Give every explained item its cause, and return the causes, numbered from ``c<first>``."""
    found = list(items)
    causes: list[Cause] = []
    candidates = _candidates(found, left, right)
    if not candidates:
        return found, causes
    unexplained = dict.fromkeys(
        number
        for number, judged in enumerate(found)
        if judged.verdict in _TOLD and judged.key.kind in ("difference", "variant")
    )
    for kind, title, at, takes in candidates:
        children = [number for number in unexplained if takes(found[number]) and number != at]
        if not children or (at is None and len(children) < 2):
            continue
        parent = found[at] if at is not None else None
        cause = _cause(f"c{first + len(causes)}", kind, title, parent, [found[n] for n in children])
        causes.append(cause)
        leads = parent if kind == "release" else None
        for number in children:
            found[number] = replace(_following(found[number], leads), cause=cause.id)
            del unexplained[number]
        if at is not None and parent is not None and parent.verdict == "drift":
            found[at] = replace(parent, severity=cause.severity)
    return found, causes


def _following(child: Judged, leads: Judged | None) -> Judged:
    """Return a child of a leading release with verdict, direction and remedy of its release."""
    if leads is None:
        return child
    return replace(
        child,
        verdict=leads.verdict,
        direction=leads.direction if child.status == "changed" else child.direction,
        due=leads.verdict == "expected" and child.key.section == "config",
        since=leads.since,
        review_at=leads.review_at,
        rule=leads.rule,
        mend=lambda _: leads.remedy,
    )


def _cause(number: str, kind: str, title: str, parent: Judged | None, children: Sequence[Judged]) -> Cause:
    everyone = [*children, parent] if parent is not None else list(children)
    # What is expected makes nothing graver that is drift.
    grave = [judged for judged in everyone if judged.verdict == "drift"] or everyone
    worst = max(grave, key=lambda judged: severity_rank(judged.severity))
    if parent is None:
        title = f"{title}: {_line(worst)} and {len(children) - 1} more"
    return Cause(
        id=number,
        kind=kind,
        title=title,
        service=children[0].key.service,
        parent=parent.key if parent is not None else None,
        children=tuple(child.key for child in children),
        severity=worst.severity,
        verdict=worst.verdict,
    )


#: Kind, title, position of the item that explains the others, and which others those are.
_Candidate = tuple[str, str, int | None, Callable[[Judged], bool]]


def _candidates(items: Sequence[Judged], left: View, right: View) -> list[_Candidate]:
    ordered: list[tuple[int, _Candidate]] = []
    for number, judged in enumerate(items):
        key = judged.key
        if "#" not in key.item:
            continue  # no package and no key explains others
        if key.item == "image#tag" and is_of_server(left, key.component):
            continue
        if key.kind not in ("difference", "variant", "rebuilt") or judged.verdict not in _TOLD:
            continue
        if (candidate := _candidate_of(judged, left)) is not None:
            rank, kind, title, takes = candidate
            ordered.append((rank, (kind, title, number, takes)))
    for place, ours in left.found(_lockfiles):
        theirs = right.sides.get(place)
        if theirs is not None and ours.value != theirs.value:
            ordered.append((3, _lockfile(place)))
    return [candidate for _, candidate in sorted(ordered, key=lambda entry: (entry[0], entry[1][1]))]


def _lockfiles(view: View) -> list[tuple[Place, Side]]:
    return [
        (place, side)
        for place, side in view.sides.section("dependencies")
        if place.item.startswith("lockfile#")
    ]


def _candidate_of(judged: Judged, left: View) -> tuple[int, str, str, Callable[[Judged], bool]] | None:
    """Return rank, kind, title, and what it explains, of an item that may explain others."""
    key, item = judged.key, judged.key.item
    alias, _, aspect = item.partition("#")
    title = _step(judged)
    if judged.direction == "left_ahead" and item == "image#tag":
        return 0, "release", f"release {title}", lambda child: _inside_release(child, key)
    if key.kind == "rebuilt":
        if judged.direction != "left_ahead":
            return None
        return 1, "rebuilt", "image rebuilt on a newer base", lambda child: _on_base(child, judged)
    if item == "image#base":
        return 1, "base_image", f"base image {title}", lambda child: _on_base(child, judged)
    if item == "os#release":
        return 2, "os_release", f"OS release {title}", lambda child: _on_os(child, judged)
    if key.section == "backing_services" and aspect == "product":
        return 4, "product", f"{alias} {title}", _of_server(judged, left, _OF_A_PRODUCT)
    if key.section == "backing_services" and aspect == "version":
        product = product_of(left, Place(*key[1:4]))
        title = f"{product_title(product) or alias} {title}"
        return 5, "engine_upgrade", title, _of_server(judged, left, _OF_A_VERSION)
    return None


def _lockfile(place: Place) -> _Candidate:
    ecosystem = place.item.partition("#")[2]
    prefix = f"pkg:{ecosystem}/"

    def takes(child: Judged) -> bool:
        return child.key.component == place.component and child.key.item.startswith(prefix)

    return "lockfile", f"lockfile of {ecosystem}", None, takes


def _inside_release(child: Judged, release: Key) -> bool:
    if child.key.section == "processes" and child.key.item in ("process", "job"):
        return True  # a process type that the release brings has a component of its own
    if child.key.component != release.component:
        return False
    if child.key.section == "config":
        return child.status == "left_only"
    return child.key.section in _INSIDE_A_RELEASE or child.key.item == "image#base"


def _on_base(child: Judged, base: Judged) -> bool:
    inside = child.key.item.startswith((*_OS_PACKAGES, "os#", "runtime#"))
    return inside and _beside(child, base)


def _on_os(child: Judged, release: Judged) -> bool:
    return child.key.item.startswith(_OS_PACKAGES) and _beside(child, release)


def _of_server(parent: Judged, left: View, brought: tuple[str, ...]) -> Callable[[Judged], bool]:
    alias = parent.key.item.partition("#")[0]
    prefixes = tuple(f"{alias}#{name}" for name in brought)

    def takes(child: Judged) -> bool:
        item = child.key.item
        if alias == "main" and item == "image#tag":
            # The tag of a server's image says its version once more.
            return _beside(child, parent) and is_of_server(left, child.key.component)
        return item.startswith(prefixes) and _beside(child, parent)

    return takes


def _beside(child: Judged, parent: Judged) -> bool:
    """Same component, and no direction that contradicts the parent's."""
    if child.key.component != parent.key.component:
        return False
    known = {child.direction, parent.direction} & {"left_ahead", "right_ahead"}
    return len(known) < 2


def _line(judged: Judged) -> str:
    """Return ``django 4.2.26 → 5.2.8`` of a difference, without any value of a config key."""
    name = judged.key.item.rpartition("/")[2] if judged.key.item.startswith("pkg:") else judged.key.item
    if judged.key.section == "config" or judged.left is None:
        return name
    return f"{name} {_step(judged)}"


def title_of_step(what: str, judged: Judged) -> str:
    """Return ``image 1.4.2 → 1.5.0`` of a difference that is no config key's."""
    return f"{what} {_step(judged)}"


def _step(judged: Judged) -> str:
    """Return ``4.2.26 → 5.2.8`` of a difference that is no config key's."""
    return f"{_word(judged.left.value if judged.left else None)} → {_word(judged.right.value)}"


def _word(value: object) -> str:
    if value is None:
        return "absent"
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float | bool) else "…"
