"""Addresses of code and artefacts without what they may smuggle: credentials, query and fragment."""

import re
from typing import Final
from urllib.parse import urlsplit

_LONGEST: Final = 512
_HOST: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?")
#: Hosts that take a repository's name in any case.
_FOLDED_HOSTS: Final = frozenset({"github.com", "gitlab.com", "bitbucket.org"})
_PATH: Final = re.compile(r"[A-Za-z0-9._~/-]{1,256}")
_PLAIN: Final = re.compile(r"[A-Za-z0-9._~:/+@%\[\]-]+")


def without_credentials(address: str) -> str | None:
    """Return scheme, host, port and path of an address, or None where it is no plain one.

    ``git@host:path`` of SSH is understood; its user is dropped too.
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        scheme, rest = "", address
    rest = rest.partition("?")[0].partition("#")[0]
    authority, slash, path = rest.partition("/")
    bare = f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"
    return bare if len(bare) <= _LONGEST and _PLAIN.fullmatch(bare) else None


def repository_url(text: str) -> str | None:
    """Return host and path of a repository's address, such as ``github.com/acme/shop``, or None.

    User, password, port 22 and 443, query, fragment and ``.git`` are left out.
    """
    if "://" not in text and ":" in text:  # git@host:path, as ssh writes it
        host, _, path = text.rpartition("@")[2].partition(":")
        text = f"ssh://{host}/{path.lstrip('/')}"
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
    except ValueError:
        return None
    host = parts.netloc.rpartition("@")[2].lower().removesuffix(":22").removesuffix(":443")
    path = parts.path.strip("/").removesuffix(".git")
    if not _HOST.fullmatch(host) or not _PATH.fullmatch(path):
        return None
    return f"{host}/{path.lower() if host in _FOLDED_HOSTS else path}"
