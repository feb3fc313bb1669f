"""A part that could not be seen, from the error that says why."""

from typing import cast

from detector.errors import UnseenError
from detector.model.facts import Section, Unseen, failed_section
from detector.model.words import Basis, Reason


def unseen_part(item: str, error: UnseenError) -> Unseen:
    """Return the unseen entry of an item or glob of items."""
    return Unseen(item=item, reason=cast(Reason, error.reason), detail=error.detail)


def unseen_section(basis: Basis, error: UnseenError) -> Section:
    """Return a section of which nothing could be seen."""
    return failed_section(basis, cast(Reason, error.reason), error.detail)
