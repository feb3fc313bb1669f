"""What `parity init` says it found, proposes, and did not look at: within 80 columns. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from detector.cli.init_machine import Machine
from detector.cli.init_proposal import File, Proposal
from detector.cli.init_walk import MOST_ENTRIES, Walk

_WIDTH: Final = 80
#: Rows of one list; the rest is counted.
_MOST: Final = 24


def report(
    looked: Walk,
    files: Sequence[File],
    unread: Sequence[tuple[str, str]],
    proposal: Proposal,
    machine: Machine,
) -> Iterator[str]:
    """Yield the lines of the report."""
    yield f"Looked at {looked.entries:,} names below this folder; nothing was changed, run or sent."
    yield ""
    used = [file for file in files if file.path in proposal.taken]
    rows = [
        (file.path, file.type, *proposal.taken[file.path], f"{file.facts:,}")
        for file in sorted(used, key=lambda file: (file.type, file.path))
    ]
    if rows:
        yield from _table(("found", "as", "in", "of", "facts"), rows)
    else:
        yield "Found no file that a reader knows by its name."
    yield from _machine(machine)
    yield from _aside("Left out", [*unread, *proposal.left_out])
    yield from _aside("Not looked at", list(_not_looked_at(looked, machine)))
    yield ""
    count = sum(len(some) for one in proposal.services.values() for some in one.sources.values())
    environments = ", ".join(proposal.environments)
    yield _cut(
        f"Proposed: {_count(count, 'source')} of {_count(len(proposal.services), 'service')} "
        f"in {environments}"
    )
    if len(proposal.environments) == 1:
        yield "Only one environment was found: add a second one, or there is nothing to compare."


def _machine(machine: Machine) -> Iterator[str]:
    told = []
    if machine.containers:
        of_here = (
            f": compose project {', '.join(machine.projects)}"
            if machine.projects
            else ", none of this folder"
        )
        told.append(("Docker engine", f"{_count(machine.containers, 'container')} running{of_here}"))
    if machine.profiles:
        told.append(("AWS profiles", f"{', '.join(machine.profiles)} (an example stands in the file)"))
    if machine.contexts:
        told.append(("Kubernetes", f"{', '.join(machine.contexts)} (named only)"))
    yield from _aside("On this machine", told)


def _not_looked_at(looked: Walk, machine: Machine) -> Iterator[tuple[str, str]]:
    if looked.left_out:
        often = sorted(looked.left_out.items(), key=lambda one: (-one[1], one[0]))
        yield "folders", ", ".join(f"{name} ({times})" if times > 1 else name for name, times in often)
    if looked.unreadable:
        yield "denied", ", ".join(looked.unreadable)
    if looked.cut:
        yield "the rest", f"more than {MOST_ENTRIES:,} names or very deep folders: run it in one project"
    if machine.docker_because:
        yield "Docker engine", machine.docker_because
    yield "clouds", "nothing was asked of AWS, Kubernetes or any other server"


def _aside(title: str, rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    if rows:
        yield ""
        yield title
        widest = min(30, max(len(name) for name, _ in rows[:_MOST]))
        for name, why in rows[:_MOST]:
            yield _cut(f"  {_cut(name, widest).ljust(widest)}  {why}")
        if len(rows) > _MOST:
            yield f"  and {len(rows) - _MOST} more"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    shown = [header, *rows[:_MOST]]
    limits = (30, 9, 18, 18, 7)
    widths = [min(limit, max(len(row[number]) for row in shown)) for number, limit in enumerate(limits)]
    for row in shown:
        path = row[0] if len(row[0]) <= widths[0] else f"…{row[0][1 - widths[0] :]}"
        cells = [_cut(cell, width).ljust(width) for cell, width in zip((path, *row[1:]), widths, strict=True)]
        yield "  ".join(cells).rstrip()
    if len(rows) > _MOST:
        yield f"and {len(rows) - _MOST} more"


def _cut(text: str, width: int = _WIDTH) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"
