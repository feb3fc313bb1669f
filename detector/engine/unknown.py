"""What would make an unknown known: one line for each reason why something could not be seen."""

from collections.abc import Mapping
from typing import Final

from detector.errors import Reason

_REMEDIES: Final[Mapping[Reason, str]] = {
    "not_collected": "it has not run yet: parity snapshot {environment}",
    "denied": "give {source} the right to read it{detail}, then: parity snapshot {environment}",
    "unreachable": "make {source} reachable from here{detail}; parity check --online tries it",
    "timeout": "{source} took too long: give it a longer timeout, or fewer things to read",
    "crashed": "{source} failed{detail}: its log says where",
    "unsupported": "{source} cannot read this kind{detail}: add a source that can",
    "malformed": "mend what {source} reads{detail}",
    "too_large": "{source} reads no more than its limit{detail}: split it",
    "stale": "{source} has been silent for longer than it is valid: parity snapshot {environment}",
    "held": "{source} lost more than half of a section at once: its next look confirms or brings it back",
    "not_in_view": "{source} does not see this place{detail}: add a source for {environment} that does",
    "not_comparable": "what is kept of both cannot be compared: let one kind of source see both sides",
    "key_rotated": "both sides need fingerprints of one key: collect both again with the same key",
}


def what_would_tell(reason: Reason, *, environment: str, source: str | None, detail: str = "") -> str:
    """Return what a person can do so that an item is known the next time."""
    return _REMEDIES[reason].format(
        environment=environment, source=source or "the source", detail=f" ({detail})" if detail else ""
    )
