"""Names that people give: which services and items there are, and what is said of one that is not."""

from collections.abc import Collection

from detector.config.policy import Policy
from detector.engine.naming import meant, near
from detector.errors import NotFoundError, UsageError, did_you_mean
from detector.store.store import Store


async def known_services(store: Store, policy: Policy) -> list[str]:
    """Return the services that are configured or were ever seen, by name."""
    return sorted({*policy.services, *dict(await store.services())})


async def require_services(store: Store, policy: Policy, names: Collection[str]) -> None:
    """Raise NotFoundError for a service that is neither configured nor was ever seen."""
    for name in names:
        unknown = await unknown_service(store, policy, name)
        if unknown is not None:
            raise NotFoundError(unknown)


async def unknown_service(store: Store, policy: Policy, name: str) -> str | None:
    """Return what to say of a service that is neither configured nor was ever seen; None of one that is."""
    if name in policy.services:
        return None
    known = await known_services(store, policy)
    return None if name in known else f"no service {name}{did_you_mean(name, known)}"


async def item_meant(store: Store, asked: str, service: str | None) -> str:
    """Return the item that a text names, whole or in short, of one service or of all.

    Raises NotFoundError for a name that nothing ever had, UsageError where it means several items.
    """
    known = await store.item_names(service=service)
    found = meant(asked, known)
    if not found:
        of = f" of {service}" if service else ""
        hint = did_you_mean(asked, near(known)) or ": nothing was seen yet, collect once: parity once"
        raise NotFoundError(f"no item {asked}{of} was ever seen{hint}")
    if len(found) > 1:
        raise UsageError(f"{asked} means {len(found)} items: {', '.join(found[:6])}; name one")
    return found[0]


async def warnings_of_announcing(store: Store, policy: Policy, service: str) -> list[str]:
    """Return what to warn of of a deployment that is announced: of a service that nobody knows."""
    unknown = await unknown_service(store, policy, service)
    return [f"{unknown}; kept all the same, and no alert waits for it until it is seen"] if unknown else []
