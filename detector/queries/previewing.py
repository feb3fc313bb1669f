"""What the rules of parity.yml do to what differs now, out of the store."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from detector.config.policy import Policy
from detector.engine.comparison import ServiceVerdicts
from detector.engine.preview import SHIPPED, Effect, effects_of, note_effects
from detector.engine.trace import printed
from detector.engine.verdicts import Both, verdicts_on
from detector.model.expressions import Now
from detector.model.words import SEVERITIES
from detector.queries.comparison import Comparisons


@dataclass(frozen=True, slots=True, kw_only=True)
class Previews:
    """Judges everything with and without each rule of the file."""

    comparisons: Comparisons
    policy: Callable[[], Policy]

    async def rules(self, *, now: datetime) -> list[dict[str, Any]]:
        """Return every rule in order, those of the file with what they match and hide now."""
        policy = self.policy()
        effects = effects_of(policy.rules)

        def judging(both: Both, **rest: Any) -> ServiceVerdicts:
            asked = {name: value for name, value in rest.items() if name != "first_cause"}
            note_effects(effects, both, **asked)
            return verdicts_on(both, **rest)

        for pair in policy.pairs if effects else ():
            left, right = Now(environment=pair.left.name), Now(environment=pair.right.name)
            await self.comparisons.compare(left, right, now=now, judging=judging)
        return [
            {
                **printed(rule),
                "shipped": rule.name.startswith(SHIPPED),
                "now": _document(effects[rule.name]) if rule.name in effects else None,
            }
            for rule in policy.rules
        ]


def _document(effect: Effect) -> dict[str, Any]:
    hidden = Counter(effect.hidden.values())
    return {
        "matches": len(effect.matched),
        "hides": len(effect.hidden),
        "by_severity": {severity: hidden[severity] for severity in reversed(SEVERITIES) if hidden[severity]},
    }


def sentence_of(rule: Mapping[str, Any]) -> str:
    """Return ``parity.yml:41 hides 12 open drifts, 2 of them critical``."""
    now = rule["now"]
    if not now["matches"]:
        return f"{rule['rule']} matches nothing that differs now"
    if not now["hides"]:
        return f"{rule['rule']} hides nothing now"
    worst, count = next(iter(now["by_severity"].items()))
    if now["hides"] == 1:
        return f"{rule['rule']} hides 1 open drift, {worst}"
    of_them = "all of them" if count == now["hides"] else f"{count} of them"
    return f"{rule['rule']} hides {now['hides']} open drifts, {of_them} {worst}"
