"""Observations in interned ids: the one that arrives, and those that history remembers."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Final, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from detector.model.facts import NOTHING, Observation, Section, Value
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
_TEXTS: Final = frozenset({str})


async def intern(
    connection: AsyncConnection, interning: Interning, observations: Collection[Observation]
) -> None:
    """Store the names and values of observations that are new, whatever their number, in a few statements."""
    items: list[ItemName] = []
    values: dict[str | bytes, Held] = {}
    for observation in observations:
        for name, section in observation.sections.items():
            document = coverage_document(section)
            keys = _keys(section)
            unknown = interning.unknown_values((value_key(document, None), *keys))
            if unknown:
                held = {value_key(document, None): Held(document, NOTHING)}
                for key, (item, value) in zip(keys, _said(section).items(), strict=True):
                    if key in unknown:
                        held[key] = Held(value, section.hints.get(item) or NOTHING)
                values |= {key: held[key] for key in unknown}
            items += interning.unknown_items(name, _said(section))
    await interning.add_items(connection, items)
    await interning.add_values(connection, values)


async def say(
    connection: AsyncConnection,
    interning: Interning,
    observation: Observation,
    lacking: Iterable[Iterable[int]],
) -> dict[str, SectionSaid]:
    """Return an observation in ids, after `intern`.

    ``lacking`` are the items that the stream is known to have, in parts: what the observation may lack.
    """
    documents = {name: coverage_document(section) for name, section in observation.sections.items()}
    names: Names = {}
    if any(document["covers"] != ["*"] or document["unseen"] for document in documents.values()):
        names = await interning.names_of(connection, list(chain.from_iterable(lacking)))
    said: dict[str, SectionSaid] = {}
    for name, section in observation.sections.items():
        (coverage,) = interning.value_ids([value_key(documents[name], None)])
        items = interning.item_ids(name, _said(section))
        values = interning.value_ids(_keys(section))
        said[name] = SectionSaid(
            coverage=coverage,
            facts=dict(zip(items, values, strict=True)),
            failed=section.status == "failed",
            proves_absent=absence(documents[name], names),
        )
    return said


def names_said(interning: Interning, observation: Observation) -> Names:
    """Return the names of the items of an observation, after `intern`."""
    return {
        id_: (name, item)
        for name, section in observation.sections.items()
        for id_, item in zip(interning.item_ids(name, _said(section)), _said(section), strict=True)
    }


def _said(section: Section) -> Mapping[str, Value]:
    """Return the facts of a section: one that failed says none."""
    return {} if section.status == "failed" else section.facts


def _keys(section: Section) -> Collection[str | bytes]:
    """Return the `value_key` of each fact that a section says."""
    facts = _said(section)
    if not section.hints and _TEXTS.issuperset(map(type, facts.values())):
        return cast("Collection[str]", facts.values())
    return [value_key(value, section.hints.get(item)) for item, value in facts.items()]


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
