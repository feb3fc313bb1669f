"""``parity.observation/v1``: observations as JSON, for pushes and for files alike.

Strict on purpose: an unknown field is refused with its place and a suggestion, for a typo in a push would
otherwise be silence in a comparison. Every fault of a document is named at once; no value is repeated.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from detector.errors import did_you_mean
from detector.model.facts import EVERYTHING, Observation, Section, Unseen
from detector.model.items import is_config_key
from detector.model.key_names import looks_like_a_value
from detector.model.stand_ins import STAND_INS_OF_CODE
from detector.model.wire_facts import facts_from, is_item
from detector.model.wire_json import Fault, WireError, json_document, pointer, shown
from detector.model.words import (
    BASES,
    COMPLETENESS,
    COMPONENT_KINDS,
    MAIN,
    REASONS,
    SECTIONS,
    SOURCE_CLASSES,
    TRAFFIC,
    SectionName,
)

__all__ = ["SCHEMA", "Fault", "WireError", "json_document", "observations_from", "time_from"]

SCHEMA: Final = "parity.observation/v1"
MOST_FACTS: Final = 100_000
_MOST_ENTRIES: Final = 10_000
_LONGEST_DETAIL: Final = 1_024

_NEEDED: Final = ("schema", "environment", "service", "source", "observed_at", "sections")
_FIELDS: Final = (*_NEEDED, "component", "component_kind", "traffic")
_SECTION_FIELDS: Final = ("basis", "status", "facts", "covers", "sees", "unseen", "reads")
_READ_FIELDS: Final = ("at", "default", "declared", "stand_in")
_UNSEEN_FIELDS: Final = ("item", "reason", "detail")

_ENVIRONMENT: Final = re.compile(r"[a-z][a-z0-9-]{0,62}")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
#: A clock may be wrong by hours; a year ahead it is no clock but another unit.
_FURTHEST_AHEAD: Final = timedelta(days=365)

Path = tuple[str | int, ...]


def observations_from(document: Any, *, now: datetime | None = None) -> tuple[Observation, ...]:
    """Return the observations of a document that `json_document` read: one object, or a list of them.

    ``now`` is when it was received; without it no time is too far ahead. Packages are named canonically, and
    two spellings of one package are one item. Addresses lose their credentials. Raises WireError.
    """
    reading = _Reading(now)
    entries = document if isinstance(document, list) else [document]
    if not entries:
        reading.fault((), "validation-failed", "a list without any observation")
    found = [
        reading.observation(entry, (position,) if isinstance(document, list) else ())
        for position, entry in enumerate(entries[:_MOST_ENTRIES])
    ]
    if len(entries) > _MOST_ENTRIES:
        reading.fault((), "too-many-items", f"more than {_MOST_ENTRIES} observations")
    observations = [observation for observation in found if observation is not None]
    _check_distinct(observations, reading)
    if reading.faults:
        raise WireError(reading.faults)
    return tuple(observations)


def _check_distinct(observations: Sequence[Observation], reading: "_Reading") -> None:
    seen = set()
    for o in observations:
        stream = (o.environment, o.service, o.component, o.component_kind, o.traffic, o.source, o.observed_at)
        if stream in seen:
            reading.fault((), "conflicting-item", "two observations of one stream with the same time")
        seen.add(stream)


class _Reading:
    """Reads one document and gathers every fault in it."""

    def __init__(self, now: datetime | None) -> None:
        self._now = now
        self.faults: list[Fault] = []

    def fault(self, path: Path, code: str, message: str) -> None:
        self.faults.append(Fault(pointer=pointer(*path), code=code, message=message))

    def observation(self, document: Any, path: Path) -> Observation | None:
        before = len(self.faults)
        if not self._is_object(document, path, _FIELDS, _NEEDED):
            return None
        schema = document.get("schema", SCHEMA)
        if schema != SCHEMA:
            self.fault((*path, "schema"), "unsupported-schema", f"this version reads {SCHEMA}")
        observed_at = self._time(document.get("observed_at"), (*path, "observed_at"))
        named = {
            field: self._name(document.get(field), (*path, field), pattern)
            for field, pattern in (("environment", _ENVIRONMENT), ("service", _NAME), ("source", _NAME))
        }
        named["component"] = self._name(document.get("component", MAIN), (*path, "component"), _NAME)
        kind = self._word(
            document.get("component_kind", "process"), (*path, "component_kind"), COMPONENT_KINDS
        )
        traffic = self._word(document.get("traffic", "live"), (*path, "traffic"), TRAFFIC)
        sections = self._sections(document.get("sections"), (*path, "sections"))
        if len(self.faults) > before or observed_at is None:
            return None
        return Observation(
            **named, component_kind=kind, traffic=traffic, observed_at=observed_at, sections=sections
        )

    def _sections(self, document: Any, path: Path) -> dict[SectionName, Section]:
        if not self._is_object(document, path, SECTIONS, ()):
            return {}
        sections = {
            cast("SectionName", name): self._section(cast("SectionName", name), document[name], (*path, name))
            for name in document
            if name in SECTIONS
        }
        if sum(len(section.facts) for section in sections.values()) > MOST_FACTS:
            self.fault(path, "too-many-items", f"more than {MOST_FACTS} facts")
        return sections

    def _section(self, name: SectionName, document: Any, path: Path) -> Section:
        if not self._is_object(document, path, _SECTION_FIELDS, ("basis", "status")):
            return Section(basis="declared")
        written = document.get("facts", {})
        if not isinstance(written, dict):
            self.fault((*path, "facts"), "validation-failed", "an object of item and value")
            written = {}
        facts, hints = facts_from(
            name, written, lambda steps, code, message: self.fault((*path, "facts", *steps), code, message)
        )
        return Section(
            basis=self._word(document.get("basis"), (*path, "basis"), BASES),
            status=self._word(document.get("status"), (*path, "status"), COMPLETENESS),
            facts=facts,
            hints=hints,
            covers=self._covers(document.get("covers", list(EVERYTHING)), (*path, "covers")),
            sees=tuple(
                self._word(word, (*path, "sees", position), SOURCE_CLASSES)
                for position, word in enumerate(
                    self._list(document.get("sees", list(SOURCE_CLASSES)), (*path, "sees"))
                )
            ),
            unseen=self._unseen(document.get("unseen", []), (*path, "unseen")),
            reads=self._reads(document.get("reads", {}), (*path, "reads")),
        )

    def _covers(self, document: Any, path: Path) -> tuple[str, ...]:
        globs = self._list(document, path)
        for position, glob in enumerate(globs):
            if not is_item(glob):
                self.fault((*path, position), "validation-failed", "a glob of items, such as pkg:pypi/*")
        return tuple(globs)

    def _unseen(self, document: Any, path: Path) -> tuple[Unseen, ...]:
        entries = []
        for position, entry in enumerate(self._list(document, path)):
            place = (*path, position)
            if not self._is_object(entry, place, _UNSEEN_FIELDS, ("item", "reason")):
                continue
            item, detail = entry.get("item"), entry.get("detail", "")
            if not is_item(item):
                self.fault((*place, "item"), "validation-failed", "an item or a glob of items")
            elif not isinstance(detail, str) or len(detail) > _LONGEST_DETAIL or not detail.isprintable():
                message = f"one line of at most {_LONGEST_DETAIL} characters"
                self.fault((*place, "detail"), "validation-failed", message)
            else:
                reason = self._word(entry.get("reason"), (*place, "reason"), REASONS)
                entries.append(Unseen(item=item, reason=reason, detail=detail))
        return tuple(entries)

    def _reads(self, document: Any, path: Path) -> dict[str, list[dict[str, Any]]]:
        if not isinstance(document, dict):
            self.fault(path, "validation-failed", "an object of key and places")
            return {}
        reads = {}
        for key, places in document.items():
            if not is_config_key(key) or looks_like_a_value(key):
                self.fault(path, "suspicious-key-name", "a key that is no name; it is not repeated here")
                continue
            for position, place in enumerate(self._list(places, (*path, key))):
                step = (*path, key, position)
                if self._is_object(place, step, _READ_FIELDS, ("at",)) and not (
                    is_item(place["at"])
                    and all(isinstance(place.get(name, False), bool) for name in ("default", "declared"))
                    and place.get("stand_in", STAND_INS_OF_CODE[0]) in STAND_INS_OF_CODE
                ):
                    self.fault(step, "validation-failed", '{"at": "file.py:14", "default": false}')
            reads[key] = places
        return reads

    def _is_object(self, document: Any, path: Path, known: Sequence[str], needed: Sequence[str]) -> bool:
        """Tell whether it is an object; unknown and missing fields of it are faults."""
        if not isinstance(document, Mapping):
            self.fault(path, "validation-failed", "an object")
            return False
        for field in document:
            if field not in known:
                message = f"an unknown field{did_you_mean(field, known)}"
                self.fault((*path, *shown(field)), "validation-failed", message)
        for field in needed:
            if field not in document:
                self.fault((*path, field), "validation-failed", "a field that is needed")
        return all(field in document for field in needed)

    def _list(self, document: Any, path: Path) -> list[Any]:
        if not isinstance(document, list):
            self.fault(path, "validation-failed", "a list")
            return []
        if len(document) > _MOST_ENTRIES:
            self.fault(path, "too-many-items", f"more than {_MOST_ENTRIES} entries")
            return []
        return document

    def _word(self, value: Any, path: Path, words: Sequence[str]) -> Any:
        if value in words:
            return value
        hint = did_you_mean(value, words) if isinstance(value, str) else f" (known: {', '.join(words)})"
        self.fault(path, "validation-failed", f"an unknown word{hint}")
        return words[0]

    def _name(self, value: Any, path: Path, pattern: re.Pattern[str]) -> str:
        if isinstance(value, str) and pattern.fullmatch(value) and ".." not in value:
            return value
        what = (
            "lower-case letters, digits and dashes" if pattern is _ENVIRONMENT else "letters, digits and ._-"
        )
        self.fault(path, "validation-failed", f"a name of {what}")
        return ""

    def _time(self, value: Any, path: Path) -> datetime | None:
        try:
            return time_from(value, now=self._now)
        except WireError as error:
            (fault,) = error.faults
            self.fault(path, fault.code, fault.message)
            return None


def time_from(value: Any, *, now: datetime | None) -> datetime:
    """Return the time that a text says (RFC 3339), in UTC. Raises WireError.

    ``now`` is when it was received; without it no time is too far ahead.
    """
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        message = "a time with its zone, such as 2026-11-22T09:28:14Z (RFC 3339)"
        raise WireError([Fault(pointer="", code="validation-failed", message=message)])
    try:
        at = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise WireError(
            [Fault(pointer="", code="validation-failed", message="no time of the calendar")]
        ) from None
    if now is not None and at - now > _FURTHEST_AHEAD:
        message = "more than a year ahead; is the clock right?"
        raise WireError([Fault(pointer="", code="out-of-range", message=message)])
    return at
