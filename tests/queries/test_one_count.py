"""Every door tells the same numbers: what a cause explains is told once, wherever one looks."""

from collections import Counter
from dataclasses import replace
from typing import Any

from detector.alerts.summary import summary_of
from detector.engine.comparison import Comparison, ServiceVerdicts, State
from detector.engine.factors import PARITY, factor_rows
from detector.engine.one_image import told_once
from detector.engine.policy import Service
from detector.engine.score import counted, mark_of, service_score
from detector.model.records import Drift
from detector.model.words import SEVERITIES
from detector.queries.overview import _column
from tests.builders import NOW, STAGING_TO_PROD, accepting, ago, compare, interval, only, section

PAIR = STAGING_TO_PROD
TAG = ("main", "release", "image#tag")


def service(name: str, left: Any, right: Any, **more: Any) -> ServiceVerdicts:
    """Return the verdicts on one service, with every drift of it open."""
    found = compare(left, right, service=Service(name=name, owner="team"), **more)
    rows = {
        (one.comparison, one.key): Drift(
            id=f"{name} {one.key.item}",
            comparison=one.comparison,
            key=one.key,
            state="accepted" if one.verdict == "accepted" else "open",
            severity=one.severity,
            owner="team",
            opened_at=ago(days=3),
            item=one.document(),
        )
        for one in found.items
        if one.verdict in ("drift", "accepted")
    }
    found = compare(left, right, service=Service(name=name, owner="team"), rows=rows, **more)
    return replace(
        found,
        items=tuple(replace(one, cause=one.cause and f"{name} {one.cause}") for one in found.items),
        causes=tuple(replace(cause, id=f"{name} {cause.id}") for cause in found.causes),
    )


def locked(digest: str, *versions: str) -> Any:
    names = ("django", "attrs", "celery")
    facts = {f"pkg:pypi/{name}": version for name, version in zip(names, versions, strict=True)}
    return {"dependencies": section({"lockfile#pypi": digest, **facts}, basis="declared")}


def server(version: str, postgis: str) -> Any:
    facts = {"main#product": "postgresql", "main#version": version, "main#extension/postgis": postgis}
    return {"backing_services": section(facts)}


def image(tag: str, django: str) -> Any:
    named = {"image#repository": "acme/mono", "image#tag": tag, "image#digest": f"sha256:{tag}"}
    return {"release": section(named), "dependencies": section({"pkg:pypi/django": django})}


def system(release: str, openssl: str) -> Any:
    return {"dependencies": section({"os#release": release, "pkg:deb/debian/openssl": openssl})}


def the_world() -> Comparison:
    """Return a comparison in which causes have parents of every kind, and none."""
    servers = server("14.9", "3.3"), server("16.3", "3.4")
    accepted = accepting(only(compare(*servers, service=Service(name="accepted")), "main#version"))
    systems = system("13", "3.5.1-1"), system("12", "3.0.11-1")
    spent = {
        ("staging", ("main", "dependencies", "pkg:deb/debian/openssl")): [interval("3.5.1-1", ago(days=30))]
    }
    found = [
        service("a-lockfile", locked("a", "4.2.26", "1.0", "5.3"), locked("b", "5.2.8", "1.1", "5.4")),
        service("an-upgrade", *servers),
        service("accepted", *servers, accepted=accepted),
        service("expected", *systems, histories=spent),
        *(service(f"mono-{n}", image("1.4.2", "4.2.26"), image("1.5.0", "5.2.8")) for n in range(3)),
    ]
    state = [State(expression=name, environment=name) for name in ("staging", "prod")]
    return Comparison(pair=PAIR, left=state[0], right=state[1], services=told_once(found, first_cause=50))


def by_severity(counts: Any) -> dict[str, int]:
    return {name: counts.get(name, 0) for name in SEVERITIES if counts.get(name, 0)}


def test_every_door_tells_the_same_numbers() -> None:
    found = the_world()
    summary = found.summary()
    said = by_severity(summary)
    told = Counter(severity for one in found.services for _, severity in counted(one.items, one.causes))
    assert said == by_severity(told)

    columns = [_column(one) for one in found.services]
    matrix = Counter[str]()
    for column in columns:
        matrix.update(column["summary"])
    assert by_severity(matrix) == said
    assert sum(cell["drift"] for one in columns for cell in one["sections"].values()) == sum(said.values())

    whole = next(row for row in factor_rows(found, {}) if row.factor.number == PARITY)
    assert by_severity(whole.counts) == said
    rows = [row for row in factor_rows(found, {}) if row.factor.number != PARITY]
    assert sum(len(row.drift) for row in rows) == sum(said.values())

    body = summary_of(
        found.document(), owner="team", service=None, public_url="http://parity.example", now=NOW
    )
    assert by_severity(body["counts"]) == {name: many for name, many in said.items() if name != "info"}
    assert body["children"] + sum(body["counts"].values()) + body["quiet"] >= sum(said.values())

    for one in found.services:
        told_of = counted(one.items, one.causes)
        mark = mark_of(PAIR.name, one.service, told_of, one.measured, now=NOW)
        assert mark.score == service_score(told_of, one.measured)
