"""Which paths a configuration may name: files and folders of a project, never the whole machine."""

import os
from pathlib import Path
from typing import Final

_KERNEL: Final = ("/proc", "/sys", "/dev")


def why_refused(text: str, folder: Path) -> str | None:
    """Return why a path or glob is refused, or None. Relative ones begin at ``folder``."""
    if "\0" in text:
        return "must not hold a NUL"
    # Of a glob, only the folders before its first * are fixed.
    before, star, _ = text.partition("*")
    fixed = before[: before.rfind("/") + 1] if star else text
    above = Path(os.path.normpath(folder))
    joined = Path(os.path.normpath(above / fixed))
    for path in (joined, joined.resolve()):
        if any(path.is_relative_to(each) for each in _KERNEL):
            return "must not be in /proc, /sys or /dev"
        if path in above.parents or path == path.parent:
            return "must not be a folder above the config file: name what is to be read"
    return None
