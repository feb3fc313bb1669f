"""Packages of Maven repositories: lockfiles of Gradle, and what ``mvn dependency:list`` prints."""

import re
from typing import Final

from collectors.readers.lockfiles.lock import Lock
from collectors.readers.lockfiles.pins import Pin, read_of
from detector.errors import UnseenError
from detector.model.facts import Unseen
from detector.reader import Read

_LOCKED: Final = re.compile(r"([^\s:=]+:[^\s:=]+):([^\s:=]+)(?:=([A-Za-z0-9_.,-]*))?")
_EMPTY: Final = "empty="
_RESOLVED: Final = "The following files have been resolved:"
_NONE: Final = "none"
_LOG_LEVEL: Final = "[INFO]"
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]{0,16}m")
#: Group, artefact, type, classifier where there is one, version and scope.
_LISTED: Final = re.compile(
    r"([^\s:]+:[^\s:]+):[^\s:]+(?::([^\s:]+))?:([^\s:]+):"
    r"(compile|provided|runtime|test|system|import)( \(optional\))?(?: .*)?"
)


def read_gradle(lock: Lock) -> Read:
    """Return the pins of a ``gradle.lockfile``, or of one configuration's file of Gradle before 7."""
    pins, ended, grouped = [], False, False
    for number, line in enumerate(lock.text().splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith(_EMPTY):
            ended = True
            continue
        match = _LOCKED.fullmatch(text)
        if match is None:
            raise _malformed(lock, number)
        grouped |= match[3] is not None
        names = (match[3] or "").split(",")
        scope = ("dev",) if all(name.lower().startswith("test") for name in names) else ()
        pins.append(Pin(name=match[1], version=match[2], scope=scope))
    unseen = lock.cut_off("maven")
    if not ended and (grouped or not pins):
        detail = f"{lock.name}: no line `empty=` at its end; it may be cut off"
        unseen.append(Unseen(item="pkg:maven/*", reason="malformed", detail=detail))
    return read_of(lock, "maven", pins, unseen)


def read_maven(lock: Lock) -> Read:
    """Return what ``mvn dependency:list`` printed, also with the marks of a log. Raises UnseenError."""
    pins: list[Pin] = []
    begun = False
    for number, line in enumerate(_COLOUR.sub("", lock.text()).splitlines(), start=1):
        text = line.removeprefix(_LOG_LEVEL).strip()
        if text == _RESOLVED:
            begun = True
        elif (
            not begun or not text or text == _NONE or text.startswith(("-", "BUILD ", "Total ", "Finished "))
        ):
            continue
        elif (match := _LISTED.fullmatch(text)) is None:
            raise _malformed(lock, number)
        else:
            scope = ("dev",) if match[4] == "test" else ("optional",) if match[5] else ()
            pins.append(Pin(name=match[1], version=match[3], scope=scope, platform=match[2]))
    if not begun:
        raise UnseenError("malformed", f"{lock.name}: nothing that `mvn dependency:list` printed")
    return read_of(lock, "maven", pins, lock.cut_off("maven"))


def _malformed(lock: Lock, number: int) -> UnseenError:
    return UnseenError(
        "malformed", f"{lock.name}:{number}: no package, as GROUP:NAME:VERSION; is it cut off?"
    )
