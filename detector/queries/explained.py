"""An explanation in words: ``parity.explain/v1`` as titled lines, for a terminal and for Markdown alike."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from detector.alerts.wording import difference_of, name_of
from detector.engine.acceptance import last_day
from detector.model.clock import print_duration
from detector.queries.rendering import shown, side_shown

Document = Mapping[str, Any]

#: Title of what happened to a drift.
HISTORY: Final = "History"
_WORTH: Final[Mapping[str, str]] = {
    "decides": "taken",
    "agrees": "says the same",
    "contradicts": "contradicts it",
    "evidence": "evidence only",
    "blind": "cannot tell",
    "silent": "does not look at this",
}
_ENDS: Final[Mapping[str, str]] = {"changed": "changed", "worse": "worse", "resolved": "gone"}
_ANSWERS: Final[Mapping[str, str]] = {
    "in_sync": "in sync",
    "hidden": "hidden by a rule",
    "not_compared": "not compared",
    "absent": "not there",
    "unknown": "unknown",
}


class Line(NamedTuple):
    """One line below a title; ``depth`` is how far it is indented."""

    text: str
    depth: int = 0


class Block(NamedTuple):
    """Some lines with a title."""

    title: str
    lines: tuple[Line, ...]


def headline(document: Document) -> str:
    """Return what is explained: service, item, and between whom."""
    left, right = sides_of(document)
    where = document["service"]
    if document["component"] != "main":
        where += f"/{document['component']}"
    between = right if document["left"] is None else f"{left} → {right}"
    return f"{where} · {name_of(document['item'])} · {between}"


def sides_of(document: Document) -> tuple[str, str]:
    """Return what both sides are called; of a finding of one environment both are that one."""
    if document["left"] is None:
        return document["comparison"], document["comparison"]
    return document["states"]["left"]["expression"], document["states"]["right"]["expression"]


def answer_of(document: Document) -> str:
    """Return the answer in one line, such as ``drift: django 4.2.26 → 5.2.8``."""
    verdict = document["verdict"]
    if document["answer"] in _ANSWERS:
        left, right = side_shown(document["left"]), side_shown(document["right"])
        both = right if left in ("", right) else f"{left} → {right}"
        return f"{_ANSWERS[document['answer']]}: {both}"
    text = f"{document['answer']}: {difference_of(verdict, *sides_of(document))}"
    return f"{text} · due" if verdict["due"] else text


def aside_of(document: Document) -> str:
    """Return what is said beside the answer: distance, direction, what it waits for."""
    verdict = document["verdict"]
    if verdict is None:
        return ""
    left, right = sides_of(document)
    ahead = {"left_ahead": f"{left} is ahead", "right_ahead": f"{right} is ahead"}
    said = (
        verdict["distance"],
        verdict["status"] == "changed" and ahead.get(verdict["direction"]),
        f"pending: {verdict['pending']}" if verdict["pending"] else verdict["state"],
    )
    return ", ".join(word for word in said if word and word != document["answer"])


def blocks_of(document: Document, *, now: datetime) -> list[Block]:
    """Return all that is behind the answer."""
    every = (
        Block("Rules that matched, in order (→ the last word on it)", tuple(_rules(document))),
        Block("Clock", tuple(_clock(document["clock"], now))),
        Block("Accepted", tuple(_accepted(document["acceptance"]))),
        Block("Rests on", tuple(_evidence(document))),
        Block("What would tell", tuple(Line(line) for line in document["would_tell"])),
        Block("Cause", tuple(_cause(document))),
        Block("Beside it", tuple(_beside(document))),
        Block(HISTORY, tuple(_history(document))),
    )
    return [block for block in every if block.lines]


def markdown_of(document: Document, *, now: datetime) -> str:
    """Return an explanation as Markdown."""
    aside = f" ({aside_of(document)})" if aside_of(document) else ""
    verdict = document["verdict"]
    severity = f"{verdict['severity']} " if document["answer"] == "drift" else ""
    lines = [f"# {headline(document)}", "", f"**{severity}{answer_of(document)}**{aside}", ""]
    lines += [f"Because {document['because']}.", ""]
    if verdict and verdict["remedy"]:
        lines += [f"    {verdict['remedy']}", ""]
    for block in blocks_of(document, now=now):
        lines += [f"## {block.title}", "", *(f"{'  ' * line.depth}- {line.text}" for line in block.lines), ""]
    return "\n".join(lines)


def _rules(document: Document) -> Iterator[Line]:
    for step in document["rules"]:
        matched = ", ".join(f"{name} {_words(said)}" for name, said in step["match"].items())
        yield Line(f"{step['rule']}  (match {matched or 'everything'})")
        for name, said in step["says"].items():
            mark = "→" if name in step["last_word_on"] else " "
            yield Line(f"{mark} {name}: {_words(said)}", 1)


def _words(said: Any) -> str:
    if isinstance(said, Mapping):
        return ", ".join(f"{name} {_words(value)}" for name, value in said.items())
    if isinstance(said, Sequence) and not isinstance(said, str):
        more = f" and {len(said) - 4} more" if len(said) > 5 else ""
        return " | ".join(str(one) for one in (said[:4] if more else said)) + more
    return str(said).lower() if isinstance(said, bool) else str(said)


def _clock(clock: Document | None, now: datetime) -> Iterator[Line]:
    if clock is None:
        return
    yield Line(f"{clock['allowance']} {clock['span']} ({clock['rule']})")
    since, ends = _time(clock["since"]), clock["ends"] and _time(clock["ends"])
    yield Line(f"since {_minute(since)}, {print_duration(now - since)} ago", 1)
    if clock["frozen_until"]:
        yield Line(f"it stands still until {_minute(_time(clock['frozen_until']))}", 1)
    if ends is None:
        yield Line("without an end", 1)
    elif ends > now:
        yield Line(f"until {_minute(ends)}, in {print_duration(ends - now)}", 1)
    else:
        yield Line(f"it ended {_minute(ends)}, {print_duration(now - ends)} ago", 1)


def _accepted(acceptance: Document | None) -> Iterator[Line]:
    if acceptance is None:
        return
    yield Line(f"{acceptance['author']}: {acceptance['reason']}")
    end = _ENDS[acceptance["until"]]
    yield Line(f"through {last_day(_time(acceptance['expires_at']))}, or until it is {end}", 1)
    if acceptance["by_cause"]:
        yield Line("it covers what explains this, and this with it", 1)
    if acceptance["why"]:
        when = f" {_minute(_time(acceptance['ended_at']))}" if acceptance["ended_at"] else ""
        yield Line(f"it ended{when}: {acceptance['why']}", 1)


def _evidence(document: Document) -> Iterator[Line]:
    for side in ("left", "right"):
        for witness in document["evidence"][side]:
            yield from _witness(witness)


def _witness(witness: Document) -> Iterator[Line]:
    value = (
        shown(witness["value"]) if witness["present"] else "absent" if witness["present"] is False else "?"
    )
    worth = _WORTH[witness["worth"]]
    if witness["worth"] == "blind":
        detail = f" ({witness['detail']})" if witness["detail"] else ""
        worth = f"{worth}: {witness['unknown'].replace('_', ' ')}{detail}"
        value = "?" if witness["value"] is None else f"? (last {shown(witness['value'])})"
    yield Line(f"{witness['environment']}  {value}  ← {worth}")
    # Of a file its name is the environment's.
    source = () if witness["source"] == witness["environment"] else (witness["source"],)
    seen = f"seen {_minute(_time(witness['observed_at']))}"
    fresh = () if witness["fresh"] else ("stale",)
    yield Line(", ".join((*source, witness["basis"], witness["status"], seen, *fresh)), 1)


def _cause(document: Document) -> Iterator[Line]:
    cause, parent = document["cause"], document["parent"]
    if cause is None:
        return
    yield Line(f"{cause['title']}, which explains {cause['children']}")
    if parent is not None:
        yield Line(f"{name_of(parent['item'])}: {parent['verdict']}, {parent['severity']}", 1)


def _beside(document: Document) -> Iterator[Line]:
    for one in document["beside"]:
        where = [word for word in (one["component"], one["kind"]) if word not in ("main", "difference")]
        if one["comparison"] != document["comparison"]:
            where.append(f"in {one['comparison']}")
        grave = f", {one['severity']}" if one["verdict"] == "drift" else ""
        yield Line(f"{' '.join(where) or 'the difference itself'}: {one['verdict']}{grave}".replace("_", " "))


def _history(document: Document) -> Iterator[Line]:
    drift = document["drift"]
    if drift is None:
        return
    yield Line(f"{drift['drift_id']}, {drift['state']}")
    for event in drift["events"]:
        sides = [side_shown(event[side]) for side in ("left", "right") if event[side] is not None]
        by = "" if event["actor"] == "parity" else f" by {event['actor']}"
        yield Line(f"{_minute(_time(event['at']))}  {event['event']}{by}  {' → '.join(sides)}".rstrip(), 1)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _minute(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M")
