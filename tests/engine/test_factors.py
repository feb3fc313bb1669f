"""A comparison by the twelve factors: measured, partly, not measured, and what drifts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from detector.engine.comparison import Comparison, State
from detector.engine.factors import FACTORS, FactorRow, factor_rows
from detector.model.facts import Section
from detector.model.words import SECTIONS, SectionName
from tests.builders import (
    NOW,
    STAGING_TO_PROD,
    Side,
    ago,
    compare,
    failed,
    policy,
    section,
    stream,
    view,
    whole,
)

APP: Mapping[SectionName, Section] = {"dependencies": section({"pkg:pypi/django": "5.2.8"})}


def rows(left: Side, right: Side) -> dict[str, FactorRow]:
    return {row.factor.number: row for row in factor_rows(whole(compare(left, right)), {})}


def test_there_is_a_row_for_each_factor_in_their_order() -> None:
    numerals = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]
    assert [row.factor.number for row in factor_rows(whole(compare(APP, APP)), {})] == numerals
    assert {factor.section for factor in FACTORS} == {*SECTIONS, None}


def test_a_factor_without_facts_is_not_measured_and_never_in_order() -> None:
    found = rows(APP, APP)
    assert found["II"].measured == "measured"
    assert found["III"].measured == "not_measured"
    assert found["III"].drift == ()
    assert found["X"].measured == "partly"


MEASURED: Sequence[tuple[Section | None, str]] = [
    (section({"LOG_LEVEL": {"type": "text"}}), "measured"),
    (section({"LOG_LEVEL": {"type": "text"}}, status="partial"), "partly"),
    (section({"LOG_LEVEL": {"type": "text"}}, unseen=[("KEY", "denied")]), "partly"),
    (failed("timeout"), "not_measured"),  # there is a source, and it saw nothing
    (None, "not_measured"),
]


@pytest.mark.parametrize(("seen", "expected"), MEASURED)
def test_how_much_of_a_factor_one_environment_measures(seen: Section | None, expected: str) -> None:
    left: Mapping[SectionName, Section] = APP if seen is None else {**APP, "config": seen}
    here = rows(left, APP)["III"].seen[0]
    assert here.measured == expected
    if seen is not None and expected != "measured" and seen.unseen:
        assert here.reasons == tuple(part.reason for part in seen.unseen)


def test_a_stale_source_measures_no_more() -> None:
    old = stream({"config": section({"LOG_LEVEL": {"type": "text"}})}, seen=ago(days=3))
    here = view(old, policies=[policy("docker", valid=timedelta(hours=1))], environment="staging")
    fresh = view(stream({"config": section({"LOG_LEVEL": {"type": "text"}})}), environment="prod")
    verdicts = compare(APP, APP)
    both = Comparison(
        pair=STAGING_TO_PROD,
        left=State(expression="staging"),
        right=State(expression="prod"),
        services=(replace(verdicts, left=here, right=fresh),),
    )
    row = next(row for row in factor_rows(both, {}) if row.factor.number == "III")
    assert [seen.measured for seen in row.seen] == ["not_measured", "measured"]
    assert row.measured == "partly"
    assert row.seen[0].reasons == ("stale",)
    assert old.last_seen < NOW


def test_a_database_is_not_asked_for_a_codebase_nor_an_app_for_being_a_server() -> None:
    found = compare(APP, APP)
    row = {row.factor.number: row for row in factor_rows(whole(found), {"shop": "backing_service"})}
    assert (row["IV"].seen[0].services, row["I"].seen[0].services) == (1, 0)
    assert row["II"].seen[0].services == 1  # it was seen to have some
    app = {row.factor.number: row for row in factor_rows(whole(found), {})}
    assert (app["IV"].seen[0].services, app["I"].seen[0].services) == (0, 1)


def test_a_server_for_development_is_drift_at_port_binding() -> None:
    """It is told by the command, in the section of processes, and it is what answers at the port."""
    real: Mapping[SectionName, Section] = {"processes": section({"server": "gunicorn", "read_only": True})}
    toy: Mapping[SectionName, Section] = {"processes": section({"server": "flask-development"})}
    row = rows(real, toy)
    assert [(judged.key.kind, severity) for judged, severity in row["VII"].drift] == [
        ("development_server", "high")
    ]
    assert "server" not in {judged.key.item for judged, _ in row["VI"].drift}
    assert row["VII"].expected == 1  # that they differ may be


def test_drift_stands_at_its_factor_and_at_the_whole_worst_first() -> None:
    left: Mapping[SectionName, Section] = {
        "dependencies": section({"pkg:pypi/django": "4.2.1", "pkg:pypi/idna": "3.7.1"}),
        "backing_services": section({"main#product": "postgresql", "main#version": "14.1"}),
    }
    right: Mapping[SectionName, Section] = {
        "dependencies": section({"pkg:pypi/django": "5.2.8", "pkg:pypi/idna": "3.7.2"}),
        "backing_services": section({"main#product": "postgresql", "main#version": "16.1"}),
    }
    found = rows(left, right)
    assert [judged.key.item for judged, _ in found["II"].drift] == ["pkg:pypi/django", "pkg:pypi/idna"]
    assert (found["II"].worst, dict(found["II"].counts)) == ("high", {"high": 1, "low": 1})
    assert found["IV"].worst == found["X"].worst == "critical"
    assert len(found["X"].drift) == 3
