"""The summary of one group of drifts: what every channel says, before it gives its own form to it.

A group is the drifts of one owner in one comparison; where nobody owns a service, the service takes the
owner's place.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from detector.alerts.routing import ROUTED
from detector.alerts.wording import consequence_of, title_of
from detector.engine.acceptance import last_day
from detector.model.clock import print_duration, print_time
from detector.model.records import Key, severity_rank
from detector.model.words import INVENTORIES, SEVERITIES, Severity

MOST_LINES: Final = 8
_MOST_SERVICES: Final = 3
#: How long before its end an acceptance is spoken of.
_SOON: Final = timedelta(days=7)
_LOW: Final = severity_rank("low")
_HIGH: Final = severity_rank("high")

#: A judged item as ``parity.diff/v1`` shows it.
Item = Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class _Line:
    """One item that nothing else explains, or one cause that is no item itself, with all it explains."""

    title: str
    #: What the cause explains stands behind what it is.
    items: list[Item]
    children: int = 0

    @property
    def worst(self) -> Item:
        return max(self.items, key=lambda item: severity_rank(item["severity"]))

    @property
    def severity(self) -> Severity:
        severity: Severity = self.worst["severity"]
        return severity

    @property
    def since(self) -> str | None:
        return min((item["opened_at"] for item in self.items if item["opened_at"]), default=None)

    def document(self, now: datetime) -> dict[str, Any]:
        return {
            "title": self.title,
            "severity": self.severity,
            "since": self.since,
            "age": _age(self.since, now),
            "where": self.items[0]["section"],
            "children": self.children,
            "remedy": self.items[0]["remedy"],
        }


def summary_of(
    comparison: Mapping[str, Any],
    *,
    name: str | None = None,
    owner: str | None,
    service: str | None,
    public_url: str,
    now: datetime,
) -> dict[str, Any]:
    """Return the body of a message on one group, from a ``parity.diff/v1`` document.

    The group is ``owner``, else ``service`` without an owner; ``name`` is an environment for the findings of
    that one, left out for the differences between both sides. ``counts`` and ``causes`` hold what alerts:
    open drifts of the inventories from low upwards, of other sections from high upwards; a cause counts once
    with all that it explains. ``waiting`` are open ones that are unseen or held back now, ``waiting_because``
    why the first is held; ``quiet`` drifts that do not alert. ``resolved`` says that nothing is open any
    more. ``matches`` is what routes look at. ``ending`` are acceptances whose last day is near.
    """
    left, right = (_name(comparison["left"]), _name(comparison["right"])) if name is None else (None, name)
    group = f"{left}..{right}" if left is not None else right
    mine = [
        item for item in comparison["items"] if item["comparison"] == group and _belongs(item, owner, service)
    ]
    opened = [item for item in mine if item["state"] == "open" and _alerts(item)]
    told = [item for item in opened if item["verdict"] == "drift" and item["pending"] is None]
    lines = sorted(_lines(comparison["causes"], told, left or right, right), key=_worst_first)
    worst = lines[0] if lines else None
    counts = dict.fromkeys(reversed(SEVERITIES), 0)
    for line in lines:
        counts[line.severity] += 1
    coverage = comparison["coverage"]
    return {
        "comparison": group,
        "left": left,
        "right": right,
        "owner": owner,
        "service": None if owner else service,
        "counts": counts,
        "children": sum(line.children for line in lines),
        "waiting": len(opened) - len(told),
        "waiting_because": next((item["pending_because"] for item in opened if item["pending"]), None),
        "quiet": sum(1 for item in mine if item["state"] == "open" and not _alerts(item)),
        "worst": worst.severity if worst else None,
        "worst_since": worst.since if worst else None,  # the lines of a severity are in order of age
        "worst_age": _age(worst.since, now) if worst else None,
        "rule": worst.worst["rule"] if worst else None,
        "consequence": consequence_of(worst.worst, left or right, right) if worst else None,
        "causes": [line.document(now) for line in lines[:MOST_LINES]],
        "more": max(0, len(lines) - MOST_LINES),
        "score": comparison["summary"]["score"] if name is None else None,
        "complete": comparison["complete"],
        "coverage": {
            "sources_ok": coverage["sources_ok"],
            "sources_expected": coverage["sources_expected"],
            "unseen": len(coverage["unseen"]),
        },
        "links": _links(public_url, left, right, owner, service),
        "matches": [{name: item[name] for name in ROUTED} for item in told],
        "resolved": not opened,
        "ending": _ending(mine, now),
        "as_of": print_time(now),
    }


def reminding(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a summary that is said although nothing may be open: what is accepted ends soon."""
    ending = [match for one in body["ending"] for match in one["matches"]]
    return {**body, "resolved": False, "matches": [*body["matches"], *ending]}


def ending_line(one: Mapping[str, Any]) -> str:
    """Return whose acceptance ends when, and why it was made."""
    many = f"{one['items']} accepted differences end" if one["items"] > 1 else "1 accepted difference ends"
    return f"{many} on {one['last_day']} (in {one['in']}), accepted by {one['author']}: {one['reason']}"


def _ending(mine: Iterable[Item], now: datetime) -> list[dict[str, Any]]:
    """Return the acceptances of a group that end soon, the next one first."""
    groups: dict[tuple[str, str, str], list[Item]] = {}
    for item in mine:
        by = item["accepted"]
        if by and not by["by_cause"] and datetime.fromisoformat(by["expires_at"]) - now <= _SOON:
            groups.setdefault((by["expires_at"], by["author"], by["reason"]), []).append(item)
    return [
        {
            "author": author,
            "reason": reason,
            "expires_at": at,
            "last_day": last_day(datetime.fromisoformat(at)),
            "in": print_duration(datetime.fromisoformat(at) - now),
            "items": len(items),
            "matches": [{name: item[name] for name in ROUTED} for item in items],
        }
        for (at, author, reason), items in sorted(groups.items())
    ]


def reply_of(events: Iterable[str], body: Mapping[str, Any]) -> str | None:
    """Return what is said beside an edit: only that something got worse, came back, or is accepted no
    longer than some days.
    """
    happened = set(events)
    if "reminder" in happened and body["ending"]:
        return ending_line(body["ending"][0])
    if body["worst"] is None:
        return None
    title = body["causes"][0]["title"]
    if "escalated" in happened:
        return f"Worse than before, now {body['worst']}: {title}"
    if "flapped" in happened:
        return f"Came and went, and stays now, {body['worst']}: {title}"
    if "reopened" in happened:
        return f"Back again, {body['worst']}: {title}"
    return None


def _alerts(item: Item) -> bool:
    """Tell whether an open drift of this item is worth telling anybody.

    The shipped rules judge the sections beside the inventories info or medium: what stands there at high was
    raised by a rule, and alerts.
    """
    if item["verdict"] == "unknown":  # its severity went with its sight; the alert once told stays open
        return item["section"] in INVENTORIES
    rank = severity_rank(item["severity"])
    return rank >= (_LOW if item["section"] in INVENTORIES else _HIGH)


def _belongs(item: Item, owner: str | None, service: str | None) -> bool:
    if owner is not None:
        return bool(item["owner"] == owner)
    return item["owner"] is None and item["service"] == service


def _name(side: Mapping[str, Any]) -> str:
    name: str = side["environment"] or side["expression"]
    return name


def _lines(causes: Iterable[Mapping[str, Any]], told: list[Item], left: str, right: str) -> list[_Line]:
    lines = {
        _place(item): _Line(title=title_of(item, left, right), items=[item])
        for item in told
        if item["cause"] is None
    }
    explained = defaultdict[str, list[Item]](list)
    for item in told:
        if item["cause"] is not None:
            explained[item["cause"]].append(item)
    lone: list[_Line] = []
    for cause in causes:
        children = explained.get(cause["id"])
        if not children:
            continue
        line = lines.get(_place(cause["parent"])) if cause["parent"] is not None else None
        if line is None:  # a lockfile is no difference; or the parent was accepted, and its children were not
            line = _Line(title=f"{_services(children)} · {cause['title']}", items=[])
            lone.append(line)
        line.items.extend(children)
        line.children = len(children)
    return [*lines.values(), *lone]


def _place(item: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(item[name] for name in Key._fields)


def _services(items: list[Item]) -> str:
    names = sorted({item["service"] for item in items})
    if len(names) <= _MOST_SERVICES:
        return ", ".join(names)
    return f"{', '.join(names[:_MOST_SERVICES])} +{len(names) - _MOST_SERVICES}"


def _worst_first(line: _Line) -> tuple[int, str, str]:
    return -severity_rank(line.severity), line.since or "~", line.title


def _age(since: str | None, now: datetime) -> str | None:
    return print_duration(now - datetime.fromisoformat(since)) if since else None


def _links(
    public_url: str, left: str | None, right: str, owner: str | None, service: str | None
) -> dict[str, str]:
    if urlsplit(public_url).scheme not in ("http", "https"):
        return {}
    base = public_url.rstrip("/")
    group = {"owner": owner} if owner else {"service": service} if service else {}
    comparison = f"{left}..{right}" if left else right
    drift = f"{base}/drift?{urlencode({'comparison': comparison, **group})}"
    if not left:
        return {"drift": drift}
    diff = f"{base}/diff/{quote(left, safe='')}..{quote(right, safe='')}"
    return {"diff": f"{diff}?{urlencode(group)}" if group else diff, "drift": drift}
