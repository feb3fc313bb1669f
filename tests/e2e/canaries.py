"""Made-up secrets, and a search for them in whatever form they may have left the collector."""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

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
        haystack = b"\n".join(searched.values())
        return {
            (place, form, where)
            for place, value in self.planted.items()
            for form, needle in forms_of(value).items()
            if needle in haystack
            for where, data in searched.items()
            if needle in data
        }


def forms_of(value: str) -> dict[str, bytes]:
    """The forms in which a secret travels, by name; forms that look alike stand here once."""
    raw = value.encode()
    forms = {
        "raw": raw,
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "json": json.dumps(value)[1:-1].encode(),
        "url": quote(value, safe="").encode(),
        "path": quote(value).encode(),
        "html": value.replace("&", "&amp;").replace('"', "&#34;").encode(),
        "utf-16": value.encode("utf-16-le"),
    }
    for shift in range(3):
        # Of base64, the letters that depend on this value alone, wherever it begins in what was encoded.
        letters = base64.b64encode(b"\0" * shift + raw).rstrip(b"=")
        inner = letters[-(-shift * 8 // 6) : len(letters) - bool((len(raw) + shift) % 3)]
        forms[f"base64+{shift}"] = inner
        forms[f"base64url+{shift}"] = inner.translate(bytes.maketrans(b"+/", b"-_"))
    return {
        form: needle for needle, form in {needle: form for form, needle in reversed(forms.items())}.items()
    }


def files_below(folder: Path) -> dict[str, bytes]:
    """The content of every file of a folder: of a database also its write-ahead log."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
