"""Rewriting the history of one item after a late observation. Pure.

A span is valid from ``opened`` to ``closed`` (in the world, as known now) and was the newest state known from
commit ``opened_seq`` to ``closed_seq``. A late observation changes what was valid, never what had been known:
where the two no longer agree they stand in rows of their own, the other range left empty.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One value of one item over both times; None: still open, in both."""

    value: int
    opened: int
    opened_seq: int
    closed: int | None = None
    closed_seq: int | None = None


def respan(spans: Iterable[Span], truth: Sequence[tuple[int, int | None]], *, seq: int) -> list[Span]:
    """Return the spans of one item after commit ``seq`` rewrote what was valid.

    ``spans`` are those valid at or after the first time of ``truth``, or just before it. ``truth`` says,
    oldest first, from which time on the item has which value; None: absent.
    """
    spans = list(spans)
    valid = _valid(spans, truth)
    current = valid.pop() if valid and valid[-1][1] is None else None
    result: list[Span] = []
    known = [span for span in spans if span.closed_seq is None or span.closed_seq > span.opened_seq]
    for span in known:
        if span.closed_seq is not None:
            result.append(_known(span, valid, span.closed_seq))
        elif current is None or current[2] != span.value:
            result.append(_known(span, valid, seq))
        else:
            result.append(Span(value=span.value, opened=current[0], opened_seq=span.opened_seq))
            current = None
    if current is not None:
        result.append(Span(value=current[2], opened=current[0], opened_seq=seq))
    first_known = {(span.opened, span.value): span.opened_seq for span in spans}
    for opened, closed, value in valid:
        never = first_known.get((opened, value), seq)
        result.append(Span(value=value, opened=opened, opened_seq=never, closed=closed, closed_seq=never))
    return result


def _valid(
    spans: Sequence[Span], truth: Sequence[tuple[int, int | None]]
) -> list[tuple[int, int | None, int]]:
    """Return (opened, closed, value) of what is valid now, from the span that reaches the first time on."""
    since = truth[0][0]
    before = [span for span in spans if span.opened < since and (span.closed is None or span.closed >= since)]
    opened, value = (before[0].opened, before[0].value) if before else (since, None)
    valid: list[tuple[int, int | None, int]] = []
    for at, now in truth:
        if now == value:
            continue
        if value is not None:
            valid.append((opened, at, value))
        opened, value = at, now
    if value is not None:
        valid.append((opened, None, value))
    return valid


def _known(span: Span, valid: list[tuple[int, int | None, int]], closed_seq: int) -> Span:
    """Return a span that was known until ``closed_seq``, with the validity that is left of it."""
    closed: int | None = span.opened
    for part in valid:
        if part[0] == span.opened and part[2] == span.value:
            closed = part[1]
            valid.remove(part)
            break
    return Span(
        value=span.value,
        opened=span.opened,
        opened_seq=span.opened_seq,
        closed=closed,
        closed_seq=closed_seq,
    )
