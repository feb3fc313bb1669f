"""``mix.lock`` of Mix: a map of Elixir with one package a line."""

import re
from typing import Final

from collectors.readers.lockfiles.lock import Lock
from collectors.readers.lockfiles.pins import Pin, from_git, read_of
from detector.errors import UnseenError
from detector.model.facts import Unseen
from detector.reader import Read

_NAME: Final = "[a-z][a-z0-9_]{0,127}"
_ENTRY: Final = re.compile(rf'"?({_NAME})"?: \{{:(?:hex, :({_NAME})|git, "([^"]*)"), "([^"]*)".*\}}')


def read(lock: Lock) -> Read:
    """Return the pins. Raises UnseenError with the line that is no package of Hex or git."""
    pins = []
    text = lock.text()
    for number, line in enumerate(text.splitlines(), start=1):
        if number == 1 and not line.startswith("%{"):
            raise UnseenError("malformed", f"{lock.name}:1: no map of Elixir")
        entry = line.removeprefix("%{").strip().removesuffix(",")
        if entry in ("", "}"):
            continue
        match = _ENTRY.fullmatch(entry)
        if match is None:
            raise UnseenError("malformed", f"{lock.name}:{number}: no package of Hex or git; is it cut off?")
        name, package, address, version = match.groups()
        pins.append(
            Pin(name=package or name, version=version if package else from_git(address, version) or "")
        )
    unseen = lock.cut_off("hex")
    if not text.rstrip().endswith(("\n}", "}}", "%{}")):
        detail = f"{lock.name}: no brace at its end; it may be cut off"
        unseen.append(Unseen(item="pkg:hex/*", reason="malformed", detail=detail))
    return read_of(lock, "hex", pins, unseen)
