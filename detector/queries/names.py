"""Names that people give: which services there are, and what is said of one that is not."""

from collections.abc import Collection

from detector.config.policy import Policy
from detector.errors import NotFoundError, did_you_mean
from detector.store.store import Store


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
    known = sorted({*policy.services, *dict(await store.services())})
    return None if name in known else f"no service {name}{did_you_mean(name, known)}"


async def warnings_of_announcing(store: Store, policy: Policy, service: str) -> list[str]:
    """Return what to warn of before a deployment is kept: one of a service that nobody knows holds nothing."""
    unknown = await unknown_service(store, policy, service)
    return [f"{unknown}; kept all the same, and no alert waits for it until it is seen"] if unknown else []
