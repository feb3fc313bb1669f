"""A part that could not be seen, from the error that says why."""

from detector.errors import UnseenError
from detector.model.facts import Section, Unseen, failed_section
from detector.model.words import Basis


def unseen_part(item: str, error: UnseenError) -> Unseen:
    """Return the unseen entry of an item or glob of items."""
    return Unseen(item=item, reason=error.reason, detail=error.detail)


def unseen_section(basis: Basis, error: UnseenError) -> Section:
    """Return a section of which nothing could be seen."""
    return failed_section(basis, error.reason, error.detail)
