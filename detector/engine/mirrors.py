"""Mirrors: one repository under several addresses is no other repository."""

from collections.abc import Iterable

from detector.engine.difference import Difference
from detector.engine.policy import Service


def without_mirrors(found: Iterable[Difference], service: Service) -> list[Difference]:
    """Return the differences but for addresses that the service's entry calls one repository."""
    if not service.repositories:
        return list(found)
    return [one for one in found if not _is_mirror(one, service.repositories)]


def _is_mirror(one: Difference, repositories: tuple[str, ...]) -> bool:
    return (
        one.place.item == "repo#url"
        and one.status == "changed"
        and one.left.value in repositories
        and one.right.value in repositories
    )
