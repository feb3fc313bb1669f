"""Made-up secrets, and a search for them in whatever form they may have left the collector."""

import base64
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

#: Marks that change when text is escaped: a canary holds some of each.
_MARKS = '/+="&é'


@dataclass(kw_only=True)
class Canaries:
    """Every secret that a test planted, by the place where it was planted."""

    planted: dict[str, str] = field(default_factory=dict)

    def plain(self, place: str) -> str:
        """A new one of letters and digits: fits into addresses, keys and labels."""
        return self.known(place, f"cnry{secrets.token_hex(10)}")

    def marked(self, place: str) -> str:
        """A new one that looks otherwise in JSON, in addresses and in pages."""
        return self.known(place, f"cnry{secrets.token_hex(8)}{_MARKS}{secrets.token_hex(4)}")

    def known(self, place: str, value: str) -> str:
        """Take a secret that something else made."""
        self.planted[place] = value
        return value

    def found_in(self, searched: Mapping[str, bytes]) -> set[tuple[str, str, str]]:
        """(planted at, form, found in) of every canary in the searched bytes."""
        return {
            (place, form, where)
            for place, value in self.planted.items()
            for form, needle in forms_of(value)
            for where, data in searched.items()
            if needle in data
        }


def forms_of(value: str) -> Iterable[tuple[str, bytes]]:
    """The forms in which a secret travels: each with its name."""
    raw = value.encode()
    yield "raw", raw
    yield "hex", raw.hex().encode()
    yield "HEX", raw.hex().upper().encode()
    yield "json", json.dumps(value)[1:-1].encode()
    yield "url", quote(value, safe="").encode()
    yield "path", quote(value).encode()
    yield "form", quote_plus(value).encode()
    yield "html", value.replace("&", "&amp;").replace('"', "&#34;").encode()
    yield "utf-16", value.encode("utf-16-le")
    for shift in range(3):
        # Of base64, the letters that depend on this value alone, wherever it begins in what was encoded.
        letters = base64.b64encode(b"\0" * shift + raw)
        first, rest = -(-shift * 8 // 6), (len(raw) + shift) % 3
        inner = letters[first : len(letters.rstrip(b"=")) - (1 if rest else 0)]
        yield f"base64+{shift}", inner
        yield f"base64url+{shift}", inner.translate(bytes.maketrans(b"+/", b"-_"))


def files_below(folder: Path) -> dict[str, bytes]:
    """The content of every file of a folder: of a database also its write-ahead log."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
