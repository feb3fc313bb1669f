"""Lockfiles that were made to be slow or large: read in linear time, or refused."""

import pytest

from collectors.readers.lockfile import LockfileReader
from detector.errors import UnseenError
from detector.model.fingerprints import Fingerprinter

FINGERPRINTER = Fingerprinter(b"k" * 32)
MANY = 1_000_000


def read(data: bytes, name: str) -> str:
    """Return the status of what is read, or the reason for which it is not."""
    try:
        found = LockfileReader().read(data, name, FINGERPRINTER)
    except UnseenError as error:
        return error.reason
    return found.parts[0].sections["dependencies"].status


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [
        # Each of these takes hours where a pattern looks at a character again and again.
        (b"\\\n" * MANY, "requirements.txt", "partial"),
        (b"a" + b"#&" * MANY, "requirements.txt", "partial"),
        (b"git+a" + b"#&egg" * MANY, "requirements.txt", "partial"),
        (b"a" + b" " * MANY + b"b", "requirements.txt", "partial"),
        (b"a[" + b"a," * MANY, "requirements.txt", "partial"),
        (b"a==1;" + b" or" * MANY + b"\n", "requirements.txt", "complete"),
        (b"# yarn lockfile v1\n" + b'"\\' * MANY, "yarn.lock", "malformed"),
        (b"# yarn lockfile v1\na@1:\n  " + b"x " * MANY, "yarn.lock", "malformed"),
        (b'{"lockfileVersion": 1, "' + b'\\"' * MANY, "bun.lock", "malformed"),
        (b'{"lockfileVersion": 1' + b", " * MANY, "bun.lock", "malformed"),
        (b'{"lockfileVersion": 3, "packages": {"' + b"a/" * MANY, "package-lock.json", "malformed"),
        # More than any project has.
        (b"a\n" * 250_000, "requirements.txt", "too_large"),
        (b"".join(b"a%d==1\n" % number for number in range(200_001)), "requirements.txt", "too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[:30]),
)  # fmt: skip
def test_a_hostile_file_is_read_or_refused_before_anyone_waits(data: bytes, name: str, told: str) -> None:
    assert read(data, name) == told
