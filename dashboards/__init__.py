"""What people look at: templates, styles and scripts, as data of the installed package."""

from importlib.resources import files
from typing import Final

_HERE: Final = files(__name__)
#: Suffix of a static file -> its media type.
MEDIA_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def template(name: str) -> str | None:
    """Return the text of a template, or None where there is none of that name."""
    entry = _HERE / "templates" / name
    return entry.read_text(encoding="utf-8") if "/" not in name and entry.is_file() else None


def static_files() -> dict[str, bytes]:
    """Return every static file by its name."""
    entries = (_HERE / "static").iterdir()
    return {entry.name: entry.read_bytes() for entry in entries if entry.name.endswith(tuple(MEDIA_TYPES))}
