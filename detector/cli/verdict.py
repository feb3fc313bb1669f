"""From a comparison to an exit code and its reason."""

from collections.abc import Mapping
from typing import Any

from detector.cli.output import CANNOT_TELL, DRIFT, PARITY
from detector.cli.table import finding_of, without_name
from detector.model.records import severity_rank
from detector.model.words import Severity


def exit_of(
    document: Mapping[str, Any], *, fail_on: Severity, allow_incomplete: bool, waits: bool = False
) -> tuple[int, str]:
    """Return the exit code of a comparison and the line that says why.

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
        why = grave[0]["pending_because"]
        return CANNOT_TELL, f"cannot tell yet: {why}; {len(grave)} at {fail_on} or above until then"
    if grave:
        worst = max(grave, key=lambda item: severity_rank(item["severity"]))
        what = finding_of(worst, document)
        return DRIFT, f"drift: {len(grave)} at {fail_on} or above, worst {worst['severity']}: {what}"
    if not document["complete"] and not allow_incomplete:
        return CANNOT_TELL, f"cannot tell: {why_incomplete(document)}"
    if document["summary"]["in_sync"] == 0 and not document["items"] and not allow_incomplete:
        return CANNOT_TELL, "cannot tell: there was nothing to compare"
    return PARITY, "parity: nothing differs at this level"


def why_incomplete(document: Mapping[str, Any]) -> str:
    """Return the first reason for which something was not seen, and how many more there are."""
    unseen = document["coverage"]["unseen"]
    if not unseen:
        count = document["summary"]["unknown"]
        return f"{count} item{'s' * (count != 1)} unknown"
    first = unseen[0]
    more = f" and {len(unseen) - 1} more" if len(unseen) > 1 else ""
    where = f"{first['environment']} {first['section']}".removesuffix(" *")
    detail = f" ({without_name(first['detail'], first['environment'])})" if first["detail"] else ""
    return f"{where} {first['reason'].replace('_', ' ')}{detail}{more}"
