"""From a comparison to an answer: parity, drift, or that it cannot be told."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from detector.model.records import severity_rank
from detector.model.words import Severity
from detector.queries.rendering import finding_of, why_incomplete

#: What each answer is for whoever waits for it: exit codes of the command line.
PARITY, DRIFT, CANNOT_TELL = 0, 1, 3
#: Drift is the firmest answer; what cannot be told comes next.
FIRMNESS: Final = (DRIFT, CANNOT_TELL, PARITY)


class Answer(NamedTuple):
    """An exit code, and the line that says why."""

    code: int
    why: str


def answer_of(
    document: Mapping[str, Any], *, fail_on: Severity, allow_incomplete: bool, waits: bool = False
) -> Answer:
    """Return the answer of a comparison.

    Drift at or above ``fail_on`` is 1, also when something was not seen; what could not be told is 3. With
    ``waits`` so is drift of which all is pending for a roll-out: in a while it can be told.
    """
    grave = [
        item
        for item in document["items"]
        if item["verdict"] == "drift"
        and item["severity"] != "info"
        and severity_rank(item["severity"]) >= severity_rank(fail_on)
    ]
    if waits and grave and all(item["pending"] == "rollout" for item in grave):
        why = grave[0].get("pending_because") or "a roll-out is under way"
        return Answer(CANNOT_TELL, f"cannot tell yet: {why}; {len(grave)} at {fail_on} or above until then")
    if grave:
        worst = max(grave, key=lambda item: severity_rank(item["severity"]))
        what = finding_of(worst, document)
        return Answer(DRIFT, f"drift: {len(grave)} at {fail_on} or above, worst {worst['severity']}: {what}")
    if not document["complete"] and not allow_incomplete:
        return Answer(CANNOT_TELL, f"cannot tell: {why_incomplete(document)}")
    if document["summary"]["in_sync"] == 0 and not document["items"] and not allow_incomplete:
        return Answer(CANNOT_TELL, "cannot tell: there was nothing to compare")
    return Answer(PARITY, "parity: nothing differs at this level")
