"""Names of config keys that could be values themselves: a slipped line of a private key, a pasted token.

Such a text must be refused by its place and never be stored, logged or printed.
"""

from itertools import pairwise
from typing import Final

#: How the tokens of widely used services begin; their makers chose the prefixes so that scanners find them.
_TOKEN_PREFIXES: Final = (
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "rk_test_",
    "whsec_",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xapp-",
    "npm_",
    "pypi-AgE",
    "AKIA",
    "ASIA",
    "AIza",
    "SG.",
    "dop_v1_",
    "eyJ",
)
#: Characters after a token's prefix from which on it is one; ``npm_config_cache`` is an honest name.
_SHORTEST_TOKEN: Final = 16
#: Letters and digits in a row without a separator: no person names a key so, every encoder writes so.
_LONGEST_WORD: Final = 40
_LONGEST_MIXED_WORD: Final = 24
_SEPARATORS: Final = str.maketrans("-./", "___")


def looks_like_a_value(name: str) -> bool:
    """Tell whether a text that stands as a key is more likely a secret than a name."""
    if len(name) <= _SHORTEST_TOKEN:
        return False
    if name.startswith(_TOKEN_PREFIXES):
        for prefix in _TOKEN_PREFIXES:
            if name.startswith(prefix) and _is_mixed(name[len(prefix) :], _SHORTEST_TOKEN):
                return True
    return any(
        len(word) > _LONGEST_WORD or _is_mixed(word, _LONGEST_MIXED_WORD)
        for word in name.translate(_SEPARATORS).split("_")
        if len(word) >= _LONGEST_MIXED_WORD
    )


def _is_mixed(word: str, shortest: int) -> bool:
    """Tell whether a text is long and holds digits beside letters of both cases, or of one case in turns."""
    if len(word) < shortest or not any(character.isdigit() for character in word):
        return False
    if any(c.islower() for c in word) and any(c.isupper() for c in word):
        return True
    turns = sum(a.isdigit() != b.isdigit() for a, b in pairwise(word))
    return turns * 4 >= len(word)
