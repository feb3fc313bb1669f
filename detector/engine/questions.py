"""Questions about one item, and what they may be about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from detector.engine.naming import meant, near
from detector.errors import NotFoundError, UsageError, did_you_mean
from detector.model.records import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which item is asked about; what is left open may be any."""

    item: str
    section: str | None = None
    component: str | None = None
    kind: str | None = None


class Subject(NamedTuple):
    """One thing that a verdict can be about: ``left..right`` or one environment, and its key there."""

    comparison: str
    key: Key


def subjects_meant(
    question: Question, known: Sequence[Subject], service: str, predecessors: Mapping[Subject, Subject]
) -> list[Subject]:
    """Return what a question may be about: one item, of any component and kind.

    ``predecessors`` say of a package that took another one's place under which name both are judged.
    Raises NotFoundError where nothing is meant, UsageError where several items are.
    """
    asked = {name: getattr(question, name) for name in ("section", "component", "kind")}
    wanted = {name: word for name, word in asked.items() if word is not None}
    fitting = [one for one in known if all(getattr(one.key, name) == word for name, word in wanted.items())]
    names = meant(question.item, (one.key.item for one in fitting))
    if not names:
        if meant(question.item, (one.key.item for one in known)):
            where = " and ".join(f"{name} {word}" for name, word in wanted.items())
            raise NotFoundError(f"{question.item} of {service} is not of {where}")
        hint = did_you_mean(question.item, near(one.key.item for one in known))
        raise NotFoundError(
            f"{service} has no item {question.item}{hint or ': neither side ever showed one'}"
        )
    chosen = list(dict.fromkeys(predecessors.get(one, one) for one in fitting if one.key.item in names))
    places = sorted({(one.key.section, one.key.item) for one in chosen})
    if len(places) > 1:
        listed = ", ".join(f"{item} ({section})" for section, item in places[:6])
        raise UsageError(f"{question.item} means {len(places)} items of {service}: {listed}; name one")
    return chosen
