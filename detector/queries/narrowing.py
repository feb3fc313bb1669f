"""A part of a comparison: some sections, some severities. The counts stay those of the whole."""

from collections.abc import Collection, Mapping
from typing import Any


def narrowed(
    document: Mapping[str, Any], *, sections: Collection[str] = (), severities: Collection[str] = ()
) -> dict[str, Any]:
    """Return ``parity.diff/v1`` with the items of these sections, and drift of these severities alone."""
    items = [
        item
        for item in document["items"]
        if (not sections or item["section"] in sections)
        and (not severities or (item["verdict"] == "drift" and item["severity"] in severities))
    ]
    return {**document, "items": items}
