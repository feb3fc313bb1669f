"""Observations in interned ids: the one that arrives, and those that history remembers."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from detector.model.facts import NOTHING, Observation
from detector.model.items import matches
from detector.store.fold import SectionSaid, Settled
from detector.store.interning import Document, Held, Interning, ItemName, coverage_document, value_key
from detector.store.ring import Entry, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An observation that arrived, and where it belongs in the ring of its stream."""

    observation: Observation
    received_at: datetime
    entry: Entry
    where: Place


Names = Mapping[int, ItemName]


async def say(
    connection: AsyncConnection, interning: Interning, observation: Observation, lacking: Collection[int]
) -> tuple[dict[str, SectionSaid], Names]:
    """Return an observation in ids, new names and values stored, and the names of its items.

    ``lacking`` are the items that the stream is known to have: what the observation may lack.
    """
    documents = {name: coverage_document(section) for name, section in observation.sections.items()}
    items: list[ItemName] = []
    keys: dict[str, list[str | bytes]] = {}
    values: dict[str | bytes, Held] = {}
    for name, section in observation.sections.items():
        key = value_key(documents[name], None)
        values[key] = Held(documents[name], NOTHING)
        keys[name] = [key]
        if section.status == "failed":
            continue
        for item, value in section.facts.items():
            hints = section.hints.get(item)
            key = value_key(value, hints)
            keys[name].append(key)
            values[key] = Held(value, hints or NOTHING)
            items.append((name, item))
    item_ids = await interning.item_ids(connection, items)
    value_ids = await interning.value_ids(connection, values)
    names: Names = {}
    if any(document["covers"] != ["*"] or document["unseen"] for document in documents.values()):
        names = await interning.names_of(connection, lacking)
    said: dict[str, SectionSaid] = {}
    for name, section in observation.sections.items():
        coverage, *facts = (value_ids[key] for key in keys[name])
        failed = section.status == "failed"
        said[name] = SectionSaid(
            coverage=coverage,
            facts={}
            if failed
            else {item_ids[name, item]: v for item, v in zip(section.facts, facts, strict=True)},
            failed=failed,
            proves_absent=absence(documents[name], names),
        )
    return said, {id_: name for name, id_ in item_ids.items()}


def said_then(settled: Settled, documents: Mapping[int, Document], names: Names) -> dict[str, SectionSaid]:
    """Return what the last observation before a state had said. ``documents`` are coverages by id."""
    said: dict[str, SectionSaid] = {}
    for section, coverage in settled.coverage.items():
        if section not in settled.left_out:
            failed = documents[coverage]["status"] == "failed"
            said[section] = SectionSaid(
                coverage=coverage,
                facts={} if failed else settled.said(section),
                failed=failed,
                proves_absent=absence(documents[coverage], names),
            )
    return said


def absence(document: Document, names: Names) -> Callable[[int], bool]:
    """Return what tells whether an item that such a section lacks is proven absent."""
    if document["status"] != "complete":
        return lambda _: False
    covers, unseen = document["covers"], [entry["item"] for entry in document["unseen"]]
    if covers == ["*"] and not unseen:
        return lambda _: True

    def proves(item: int) -> bool:
        _, name = names[item]
        return any(matches(glob, name) for glob in covers) and not any(matches(glob, name) for glob in unseen)

    return proves
