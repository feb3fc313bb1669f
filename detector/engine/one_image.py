"""One image of many services: what a monorepo ships at once is one cause, not one for each service."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from detector.engine.causes import Cause, title_of_step
from detector.engine.comparison import ServiceVerdicts
from detector.engine.view import Place, View
from detector.model.records import Judged, severity_rank

#: What tells that two services moved from the very same image to the very same image.
_IDENTITY: Final = ("image#repository", "image#tag", "image#digest", "image#id")
_IN_AN_IMAGE: Final = ("dependencies", "release")
_CANNOT_TELL: Final = "unknown"


def told_once(services: Sequence[ServiceVerdicts], *, first_cause: int) -> tuple[ServiceVerdicts, ...]:
    """Return the services of one comparison, with what one image brings to several of them told of the first.

    The others keep their items, as children of the cause that stands at the first. New causes are numbered
    from ``c<first_cause>``.
    """
    families: dict[Hashable, list[int]] = {}
    for number, verdicts in enumerate(services):
        step = _step_of(verdicts)
        if step is not None:
            families.setdefault((_images(verdicts, step), *_said(step)), []).append(number)
    found = list(services)
    for members in families.values():
        if len(members) > 1:
            one, *others = (found[number] for number in members)
            step = _step_of(one)
            if step is None:
                continue
            told = _as_one(one, step, others, f"c{first_cause}")
            for number, verdicts in zip(members, told, strict=True):
                found[number] = verdicts
            first_cause += 1
    return tuple(found)


def _as_one(
    one: ServiceVerdicts, step: Judged, others: Sequence[ServiceVerdicts], number: str
) -> list[ServiceVerdicts]:
    cause = next((cause for cause in one.causes if cause.parent == step.key), None) or Cause(
        id=number,
        kind="image",
        title=title_of_step("image", step),
        service=one.service,
        parent=step.key,
        children=(),
        severity=step.severity,
        verdict="drift" if step.verdict == "drift" else "expected",
    )
    known: dict[Hashable, Judged] = {judged.key[1:]: judged for judged in one.items}
    children: list[Judged] = []
    rest = [_without_twins(other, known, cause.id, children) for other in others]
    affects = tuple(verdicts.service for verdicts in (one, *others))
    # A cause is as grave as the gravest drift that it explains, and so is the item that stands for it.
    drifting = [judged.severity for judged in (step, *children) if judged.verdict == "drift"]
    severity = max((cause.severity, *drifting), key=severity_rank)
    keys = (*cause.children, *(judged.key for judged in children))
    shared = replace(cause, children=keys, affects=affects, severity=severity)
    causes = [entry for entry in one.causes if entry.id != cause.id]
    raised = severity if step.verdict == "drift" else step.severity
    items = tuple(
        replace(judged, affects=affects, severity=raised) if judged.key == step.key else judged
        for judged in one.items
    )
    return [replace(one, items=items, causes=(shared, *causes)), *rest]


def _without_twins(
    other: ServiceVerdicts, known: Mapping[Hashable, Judged], cause: str, children: list[Judged]
) -> ServiceVerdicts:
    """Return a service with the cause at what the first one has too, and at what its release brings."""
    step = _step_of(other)
    own = {entry.id for entry in other.causes if step is not None and entry.parent == step.key}
    items = []
    for judged in other.items:
        twin = known.get(judged.key[1:])
        same = judged.key.section in _IN_AN_IMAGE and twin is not None and _said(judged) == _said(twin)
        if judged.verdict in ("drift", "expected") and (same or judged.cause in own):
            children.append(judged)
            judged = replace(judged, cause=cause)  # noqa: PLW2901 - the same item, explained
        items.append(judged)
    named = {judged.cause for judged in items} - own
    causes = tuple(entry for entry in other.causes if entry.id in named)
    return replace(other, items=tuple(items), causes=causes)


def _step_of(verdicts: ServiceVerdicts) -> Judged | None:
    """Return the difference that says that a service runs another image, its tag before all others."""
    found = [
        judged
        for judged in verdicts.items
        if judged.key.section == "release"
        and judged.key.item in _IDENTITY
        and judged.key.kind in ("difference", "rebuilt")
        and judged.verdict in ("drift", "expected")
        and judged.cause is None
    ]
    return min(found, key=lambda judged: judged.key.item != "image#tag", default=None)


def _images(verdicts: ServiceVerdicts, step: Judged) -> Hashable:
    return tuple(_image(view, step.key.component) for view in (verdicts.left, verdicts.right))


def _image(view: View, component: str) -> Hashable:
    sides = (view.sides.get(Place(component, "release", item)) for item in _IDENTITY)
    return tuple(str(side.value) if side is not None and side.present else _CANNOT_TELL for side in sides)


def _said(judged: Judged) -> tuple[str, ...]:
    """Return what an item says, whichever service it is of."""
    values = [str(side.value) if side is not None else "" for side in (judged.left, judged.right)]
    return (judged.key.item, judged.key.kind, judged.status, judged.verdict, *values)
