"""Merges what several replicas of one component say into what the component says."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from detector.model.canonical import value_bytes
from detector.model.facts import Section, Unseen, Value
from detector.model.words import COMPLETENESS, SectionName


def merged(replicas: Sequence[Mapping[SectionName, Section]]) -> dict[SectionName, Section]:
    """Return one section of each name. Where replicas differ, the value is a count per replica."""
    names = dict.fromkeys(name for replica in replicas for name in replica)
    return {
        name: _section(name, [replica[name] for replica in replicas if name in replica]) for name in names
    }


def _section(name: SectionName, sections: Sequence[Section]) -> Section:
    first = sections[0]
    if len(sections) == 1:
        return first
    items = dict.fromkeys(item for section in sections for item in section.facts)
    combine = _shape if name == "config" else _value
    return Section(
        basis=first.basis,
        status=max((section.status for section in sections), key=COMPLETENESS.index),
        facts={
            item: combine([section.facts[item] for section in sections if item in section.facts])
            for item in items
        },
        hints={item: hints for section in sections for item, hints in section.hints.items()},
        covers=tuple(dict.fromkeys(glob for section in sections for glob in section.covers)),
        sees=tuple(seen for seen in first.sees if all(seen in section.sees for section in sections)),
        unseen=_distinct(entry for section in sections for entry in section.unseen),
    )


def _distinct(entries: Iterable[Unseen]) -> tuple[Unseen, ...]:
    return tuple(dict.fromkeys(entries))


def _value(values: Sequence[Value]) -> Value:
    counts = Counter(_text(value) for value in values)
    return values[0] if len(counts) == 1 else {"values": dict(counts)}


def _text(value: Value) -> str:
    return value if isinstance(value, str) else value_bytes(value).decode()


def _shape(shapes: Sequence[Any]) -> Value:
    """Return what the shapes of one variable agree in: a name of the replica has no common fingerprint."""
    first = shapes[0]
    common = {key: first[key] for key in first if all(shape.get(key) == first[key] for shape in shapes)}
    return common if "type" in common else {**common, "type": "text"}
