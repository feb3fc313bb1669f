"""Search: which services run an item, in which versions, now or at an earlier time."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from detector.config.policy import Policy
from detector.engine.naming import meant, near
from detector.engine.searching import Found, search
from detector.errors import NotFoundError, UsageError, did_you_mean
from detector.model.clock import print_time
from detector.model.items import from_purl
from detector.model.versions.ranges import Range, range_of
from detector.queries.views import Views
from detector.store.store import Store

SCHEMA = "parity.search/v1"
_MOST_NAMES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Answers who runs what."""

    store: Store
    views: Views
    policy: Callable[[], Policy]

    async def search(
        self,
        item: str,
        version: str | None,
        *,
        now: datetime,
        as_of: datetime | None = None,
        environments: Collection[str] = (),
    ) -> dict[str, Any]:
        """Return ``parity.search/v1``: where the item runs in a range of versions, and where nobody can tell.

        ``item`` is a whole name, a package URL with or without a version, or what people say: then it is
        every item of that name. Raises NotFoundError for a name that nothing ever had, or an environment that
        is not there, UsageError for what is no range.
        """
        policy = self.policy()
        for name in environments:
            policy.environment(name)
        item, wanted = _asked(item, version)
        names = await self._items(item)
        every = {name for some in names.values() for name in some}
        found: list[Found] = []
        looked, never = 0, []
        for name in [one for one in policy.environments if not environments or one in environments]:
            views = await self.views.of(name, now=now, as_of=as_of, items=every)
            looked += len(views)
            for view in views.values():
                for section, items in names.items():
                    found += search(view, section, items, wanted)
            never += [
                (service.name, name)
                for service in policy.services.values()
                if service.name not in views and service.sources.get(name) and service.expected_in(name)
            ]
        order = list(policy.environments)
        owners = {name: service.owner for name, service in policy.services.items()}
        return {
            "schema": SCHEMA,
            "as_of": print_time(as_of or now),
            "item": item,
            "version": wanted.text if wanted is not None else None,
            "meant": sorted(every),
            "items": _sorted(order, (_row(one, owners) for one in found if one.outcome == "in")),
            "unordered": _sorted(order, (_row(one, owners) for one in found if one.outcome == "unordered")),
            "unknown": _sorted(
                order,
                (
                    *(_blind(one, owners) for one in found if one.outcome == "unknown"),
                    *(_unseen(service, name, owners) for service, name in never),
                ),
            ),
            "looked_at": looked,
            "other_versions": sum(1 for one in found if one.outcome == "out"),
        }

    async def _items(self, asked: str) -> dict[Any, list[str]]:
        """Return section -> the items that are meant."""
        if asked.startswith("pkg:"):
            return {"dependencies": [asked]}  # also one that was never seen: that nobody runs it is an answer
        known = await self.store.item_names()
        names = meant(asked, known)
        if not names:
            hint = did_you_mean(asked, near(known)) or ": nothing was seen yet, collect once: parity once"
            raise NotFoundError(f"no item {asked} was ever seen{hint}")
        if len(names) > _MOST_NAMES:
            raise UsageError(f"{asked} means {len(names)} items: {', '.join(names[:6])}, …; name one")
        found: dict[Any, list[str]] = {}
        for section, name in await self.store.items_named(names):
            found.setdefault(section, []).append(name)
        return found


def _asked(item: str, version: str | None) -> tuple[str, Range | None]:
    """Return what is asked for: the version may stand in the package URL."""
    if item.startswith("pkg:"):
        item, own = from_purl(item)
        if own is not None and version is not None:
            raise UsageError(f"{item} is asked for with two versions: in its name, and as version")
        version = version if own is None else f"=={own}"
    return item, range_of(version) if version is not None else None


def _sorted(order: Sequence[str], rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows by service, and each as its version is promoted."""
    return sorted(
        rows,
        key=lambda row: (row["service"], order.index(row["environment"]), row["component"], row["item"]),
    )


def _row(found: Found, owners: Mapping[str, str | None]) -> dict[str, Any]:
    side = found.side
    return {
        **_where(found, owners),
        "value": side.value,
        "basis": side.basis,
        "source": side.source,
        "observed_at": print_time(side.observed_at) if side.observed_at else None,
    }


def _blind(found: Found, owners: Mapping[str, str | None]) -> dict[str, Any]:
    unmeasured = found.side.source in ("not_measured", "not_compared")
    return {
        **_where(found, owners),
        "reason": found.side.unknown,
        "detail": f"no source of it looks at such {found.place.section}" if unmeasured else "",
        "last": found.side.last,
    }


def _unseen(service: str, environment: str, owners: Mapping[str, str | None]) -> dict[str, Any]:
    return {
        "service": service,
        "owner": owners.get(service),
        "environment": environment,
        "component": "main",
        "section": None,
        "item": "*",
        "reason": "not_collected",
        "detail": "none of its sources has seen it",
        "last": None,
    }


def _where(found: Found, owners: Mapping[str, str | None]) -> dict[str, Any]:
    return {
        "service": found.view.service,
        "owner": owners.get(found.view.service),
        "environment": found.view.environment,
        "component": found.place.component,
        "section": found.place.section,
        "item": found.place.item,
    }
