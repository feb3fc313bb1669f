"""One finding instead of many where two environments take their config from different kinds of places."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from detector.engine.causes import Cause
from detector.engine.judgement import Case, judge
from detector.engine.pairing import Difference
from detector.engine.view import Place, View
from detector.model.records import Judged, Side
from detector.model.words import MAIN, Severity, Status

#: With fewer keys than this, a missing half is no pattern.
MANY_KEYS: Final = 10
#: A missing key explained by its source is never graver than this.
CEILING: Final[Severity] = "medium"
_ONE_SIDED: Final = ("left_only", "right_only")


def config_source_differs(
    judged: list[Judged], causes: list[Cause], case: Case, *, first: int
) -> tuple[list[Judged], list[Cause]]:
    """Collapse the missing keys of a side where more than half of the other's config keys are missing.

    ``first`` is the number of the service's first cause.
    """
    alone = [one for one in judged if one.status in _ONE_SIDED and one.key.section == "config"]
    for status, full, bare in (("left_only", case.left, case.right), ("right_only", case.right, case.left)):
        keys = full.found(_count_of_keys)
        missing = [one for one in alone if one.status == status]
        if keys < MANY_KEYS or len(missing) * 2 <= keys:
            continue
        finding = judge(case, _finding("left_only" if full is case.left else "right_only", full, bare))
        if finding is None:
            continue
        number = f"c{first + len(causes)}"
        collapsed = {one.key for one in missing}
        cause = Cause(
            id=number,
            kind="config_source_differs",
            title=(
                f"{full.environment} takes its config from {_sources(full)}, "
                f"{bare.environment} from {_sources(bare)}"
            ),
            service=case.service.name,
            parent=finding.key,
            children=tuple(sorted(collapsed)),
            severity=CEILING,
            verdict="drift",
        )
        children = [
            replace(
                one, cause=number, severity=CEILING if one.severity in ("high", "critical") else one.severity
            )
            if one.key in collapsed
            else one
            for one in judged
        ]
        return [*children, finding], [*causes, cause]
    return judged, causes


def _count_of_keys(view: View) -> int:
    return sum(1 for _, side in view.sides.section("config") if side.present)


def _finding(status: Status, full: View, bare: View) -> Difference:
    ours = Side(present=True, value=_sources(full))
    theirs = Side(present=True, value=_sources(bare))
    left, right = (ours, theirs) if status == "left_only" else (theirs, ours)
    return Difference(Place(MAIN, "config", "sources"), "changed", left, right, "config_source_differs")


def _sources(view: View) -> str:
    names: Sequence[str] = sorted(
        {
            look.stream.source
            for (_, section), looks in view.looks.items()
            if section == "config"
            for look in looks
        }
    )
    return " and ".join(names) or "a place Parity does not see"
