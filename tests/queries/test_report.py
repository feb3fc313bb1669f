"""Reports in every form, out of one document: markup of strangers stays text, nothing is fetched."""

import csv
import io
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET  # noqa: TID251 - it reads what we wrote ourselves

import pytest

from detector.queries.report_files import junit_of, sarif_of
from detector.queries.report_html import report_html
from detector.queries.report_text import gap_lines, measured_shown, report_csv, report_markdown
from tests.queries.test_rendering import diff, item

EVIL = "<script>alert('1')</script>\x00\ufffe & \"quoted\"\n|x|"


def told(**changes: Any) -> dict[str, Any]:
    return {**item(**changes), "component": "main", "reads": []}


def factor(number: str, **more: Any) -> dict[str, Any]:
    seen = {"measured": "partly", "seen": 1, "of": 2, "sources": ["ci"], "reasons": ["denied"]}
    return {
        "factor": number,
        "name": "Config",
        "section": "config",
        "measured": "partly",
        "environments": [{"environment": "staging", **seen}, {"environment": "prod", **seen}],
        "drift": {"high": 1},
        "worst": "high",
        "expected": 0,
        "accepted": 0,
        "unknown": 0,
        "items": [{"service": EVIL, "item": EVIL}],
        "would_measure": ["dotenv"],
        **more,
    }


def report(*items: dict[str, Any], complete: bool = True) -> dict[str, Any]:
    gaps = {
        "time": {
            "arrived": 2,
            "timed": 2,
            "median_seconds": 86_400.0,
            "p90_seconds": 172_800.0,
            "overtaken": 1,
            "waiting": 1,
            "oldest": {"service": EVIL, "version": EVIL, "seconds": 60.0, "exact": False},
        },
        "tools": {
            "same": 3,
            "unknown": 1,
            "differ": [
                {
                    "service": "shop-db",
                    "item": "main#version",
                    "left": {"present": True, "value": EVIL},
                    "right": {"present": False},
                }
            ],
        },
        "personnel": {"deployments": 0, "known": 0, "by_author": 0, "share": None},
    }
    compared = {
        **diff(*items, complete=complete),
        "factors": [factor("III")],
        "gaps": gaps,
        "summary": {**diff(*items)["summary"], "worst": "high" if items else None},
        "cannot_see": [{"collector": "docker", "parts": [EVIL]}],
    }
    return {"schema": "parity.report/v1", "as_of": "2026-11-22T12:00:00Z", "comparisons": [compared]}


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.mark.parametrize("part", ["factors", "findings"])
def test_a_page_holds_no_markup_of_a_stranger_and_asks_nobody(part: str) -> None:
    text = report_html(report(told(item=EVIL, remedy=EVIL)), factors=part == "factors")
    tags = Tags(text)
    assert not tags.found & {"script", "img", "link", "iframe", "object", "form", "a"}
    assert not tags.attributes & {"src", "href", "action", "onerror", "onclick"}
    assert "url(" not in text
    assert "default-src 'none'" in text
    assert "&lt;script&gt;" in text
    assert ("remedy" in text) == (part == "findings")


def test_junit_has_a_case_for_each_finding_and_each_says_what_it_is() -> None:
    items = [
        told(),
        told(item="pkg:pypi/mild", severity="low"),
        told(item="pkg:pypi/soon", verdict="expected"),
        told(item=EVIL, verdict="unknown", right={"unknown": "denied"}),
    ]
    root = ET.fromstring(junit_of(report(*items, complete=False), fail_on="medium"))
    (suite,) = root
    cases = {case.get("name"): case for case in suite}
    assert len(cases) == 5
    assert {name: root.get(name) for name in ("tests", "failures", "skipped", "errors")} == {
        "tests": "5",
        "failures": "1",
        "skipped": "3",
        "errors": "0",
    }
    (failure,) = cases["main: pkg:pypi/django"]
    assert (failure.tag, failure.get("type")) == ("failure", "high")
    assert "django" in failure.get("message", "")
    (mild,) = cases["main: pkg:pypi/mild"]
    assert (mild.tag, mild.get("message", "")[:5]) == ("skipped", "low: ")
    assert len(cases["main: pkg:pypi/soon"]) == 0
    assert "everything was seen" in cases


def test_junit_of_two_environments_in_parity_is_one_case_that_passes() -> None:
    root = ET.fromstring(junit_of(report(), fail_on="low"))
    assert [(case.get("name"), len(case)) for case in root[0]] == [("in sync", 0)]


def test_sarif_holds_what_has_a_place_in_a_file_and_nothing_else() -> None:
    key = told(section="config", item="STRIPE_KEY", status="left_only")
    placed = {**key, "reads": ["./billing/hooks.py:14", "billing\\again.py:3", "nowhere", "x.py:0"]}
    accepted = {**placed, "verdict": "accepted"}
    found = sarif_of(report(told(), placed, accepted), version="1.0.0")
    (run,) = found["runs"]
    places = [one["locations"][0]["physicalLocation"] for one in run["results"]]
    assert [(one["artifactLocation"]["uri"], one["region"]["startLine"]) for one in places] == [
        ("billing/hooks.py", 14),
        ("billing/again.py", 3),
    ]
    assert run["results"][0]["level"] == "error"
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == {
        one["ruleId"] for one in run["results"]
    }


def test_a_sheet_of_factors_has_a_line_for_each() -> None:
    rows = list(csv.DictReader(io.StringIO(report_csv(report(told()), factors=True))))
    assert [(row["factor"], row["left_measured"], row["high"], row["would_measure"]) for row in rows] == [
        ("III", "partly 1/2", "1", "dotenv")
    ]
    findings = list(csv.DictReader(io.StringIO(report_csv(report(told()), factors=False))))
    assert [row["item"] for row in findings] == ["pkg:pypi/django"]


@pytest.mark.parametrize(
    ("measured", "seen", "reasons", "word"),
    [
        ("measured", 2, [], "measured"),
        ("partly", 1, ["denied"], "partly 1/2"),
        ("partly", 1, ["denied", "stale"], "partly 1/2, stale"),
        ("partly", 2, ["stale"], "partly, stale"),
        ("not_measured", 0, ["denied"], "not measured"),
        # Somebody looked, and not lately: another collector would not help.
        ("not_measured", 0, ["stale"], "stale"),
    ],
)
def test_what_is_measured_no_more_is_called_stale(
    measured: str, seen: int, reasons: list[str], word: str
) -> None:
    assert measured_shown({"measured": measured, "seen": seen, "of": 2, "reasons": reasons}) == word


def test_markdown_keeps_strangers_inert() -> None:
    text = report_markdown(report(told(item=EVIL)), factors=True)
    assert "<script>" not in text
    assert "## The three gaps" in text
    assert "| partly 1/2 |" in text


def test_the_gaps_are_told_in_sentences_that_say_what_is_unknown() -> None:
    gaps = report()["comparisons"][0]["gaps"]
    time, tools, personnel = (text for _, text in gap_lines(gaps))
    assert time.startswith(
        "1d in the median, 2d for 90 of 100, over 2 arrivals; 1 overtaken; oldest wait at least"
    )
    assert tools.startswith("3 same; 1 differ: shop-db version")
    assert personnel == "unknown: no deployment was announced"
    gaps["personnel"] = {"deployments": 4, "known": 3, "by_author": 2, "share": 2 / 3}
    assert gap_lines(gaps)[2][1] == "2 of 3 deployments by an author of the commit; 1 unknown"
    gaps["time"] |= {"timed": 0, "overtaken": 0, "oldest": None}
    assert gap_lines(gaps)[0][1] == "unknown: no version was seen to arrive; nothing waits"
