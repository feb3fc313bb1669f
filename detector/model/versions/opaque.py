"""Texts that nobody can put in order: hashes, branches, git addresses, ecosystems without a comparator."""

from detector.model.versions.distance import UNORDERED, Step


def step(left: str, right: str) -> Step | None:
    """Return None for equal texts; all others differ without distance and direction."""
    return None if left == right else UNORDERED
