"""Numbers with a pre-release word: what tags, servers and runtimes call their versions.

There is no specification; this reads what the official images and servers write, and nothing that could be a
hash, a branch or a word.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

from detector.model.versions.distance import LONGEST, Version
from detector.model.versions.families import by_position

#: Pre-release words in the order in which they follow each other.
_STAGES: Final = {
    word: rank
    for rank, words in enumerate(
        (
            ("dev", "devel", "snapshot"),
            ("a", "alpha"),
            ("b", "beta"),
            ("m", "milestone", "dmr"),  # MySQL's development milestone release
            ("pre", "preview"),
            ("rc",),
        )
    )
    for word in words
}
_ENDS: Final = r"(?![A-Za-z0-9])"
_PLAIN: Final = re.compile(
    r"[vV]?([0-9]+(?:[._][0-9]+)*)"  # `_`: the update number of Java, 1.8.0_412
    rf"(?:([a-z]|p[0-9]+){_ENDS})?"
    # Whole words anywhere, one letter only where nothing else can be meant: 3.13.0a1, 3.0.0-M1.
    rf"(?:[-._~]?((?i:alpha|beta|rc|preview|pre|snapshot|dmr|milestone|devel|dev))[-.]?([0-9]*){_ENDS}"
    rf"|([ab])([0-9]+){_ENDS}|[-.]([mM])([0-9]+){_ENDS})?"
)
_DATE: Final = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]*")
#: A longer number on its own is a date, or may be a hash that happens to have no letter.
_LONGEST_LONE_NUMBER: Final = 6

#: Stage and number of a pre-release; a release comes after all of them.
_RELEASE: Final = (len(_STAGES), 0)
_NO_LETTERS: Final = ("", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """A version made of numbers, and the rest of the text, which starts with no letter or digit."""

    text: str
    numbers: tuple[int, ...]
    letters: tuple[str, int]
    #: (stage, number); one stage is the release itself.
    prerelease: tuple[int, int]
    rest: str

    @property
    def is_prerelease(self) -> bool:
        """Tell whether it comes before the release with these numbers."""
        return self.prerelease != _RELEASE

    def cut(self, length: int) -> "Plain":
        """Return what the first numbers say, without anything behind them."""
        return replace(self, numbers=self.numbers[:length], letters=_NO_LETTERS, prerelease=_RELEASE, rest="")

    def version(self, product: str | None, *, revision: int = 0, build: str | None = None) -> Version:
        """Return the version, its numbers in the positions that the product gives them."""
        end = len(self.numbers)
        while end and not self.numbers[end - 1]:
            end -= 1  # missing numbers count as zero
        return Version(
            order=(self.numbers[:end], self.letters, self.prerelease, revision),
            numbers=by_position(self.numbers, product),
            letters=self.letters,
            prerelease=self.prerelease,
            revision=revision,
            build=build,
        )


def read(text: str) -> Plain | None:
    """Read the version at the start of a text; None where there is none, or what looks like a hash."""
    match = _PLAIN.match(text) if len(text) <= LONGEST else None
    if match is None:
        return None
    digits, letter, word, number, short, short_number, m, m_number = match.groups()
    rest = text[match.end() :]
    if rest[:1].isalnum() or _may_be_hash(digits):
        return None
    stage = (word or short or m or "").lower()
    if stage == "dev" and not number and text[match.start(3) - 1] == "-":
        # `3.12-dev` is an image with a shell as often as a version before 3.12.
        stage, rest = "", text[match.start(3) - 1 :]
    return Plain(
        text=text[match.start(1) : len(text) - len(rest)],
        numbers=tuple(map(int, digits.replace("_", ".").split("."))),
        letters=(letter[0], int(letter[1:] or 0)) if letter else _NO_LETTERS,
        prerelease=(_STAGES[stage], int(number or short_number or m_number or 0)) if stage else _RELEASE,
        rest=rest,
    )


def _may_be_hash(digits: str) -> bool:
    return digits.isdigit() and len(digits) > _LONGEST_LONE_NUMBER and not _DATE.fullmatch(digits)
