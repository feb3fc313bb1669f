"""A report in the forms of other tools: JUnit XML and SARIF 2.1.0, out of ``parity.report/v1`` alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any, Final

from detector.alerts.wording import difference_of
from detector.model.words import SEVERITIES
from detector.queries.report_text import sides_of

#: A severity of Parity as SARIF says it.
_LEVELS: Final = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
_SARIF: Final = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One testcase; ``failure`` and ``skipped`` hold their message."""

    group: str
    name: str
    failure: str | None = None
    kind: str = ""
    text: str = ""
    skipped: str | None = None

    def lines(self) -> list[str]:
        """Return the case as XML."""
        start = f"<testcase{_attributes(classname=self.group, name=self.name)}"
        if self.failure is not None:
            given = _attributes(message=self.failure, type=self.kind)
            return [f"{start}>", f"  <failure{given}>{_escaped(self.text)}</failure>", "</testcase>"]
        if self.skipped is not None:
            return [f"{start}>", f"  <skipped{_attributes(message=self.skipped)}/>", "</testcase>"]
        return [f"{start}/>"]


def junit_of(document: Mapping[str, Any], *, fail_on: str) -> str:
    """Return a report as JUnit XML: a suite for each comparison, a case for each finding.

    Drift at ``fail_on`` or above is a failure; what is milder, unknown or unseen is skipped with its reason;
    what is expected or accepted passes. A comparison in which nothing differs is one case that passes.
    """
    suites: list[str] = []
    every: list[_Case] = []
    for comparison in document["comparisons"]:
        cases = _cases(comparison, fail_on=fail_on)
        every += cases
        suites.append(f"<testsuite{_attributes(name='..'.join(sides_of(comparison)))}{_counts(cases)}>")
        suites += [f"  {line}" for case in cases for line in case.lines()]
        suites.append("</testsuite>")
    body = "".join(f"  {line}\n" for line in suites)
    head = f'<testsuites name="parity"{_counts(every)}>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}\n{body}</testsuites>\n'


def _cases(comparison: Mapping[str, Any], *, fail_on: str) -> list[_Case]:
    pair = "..".join(sides_of(comparison))
    cases = [_case(item, comparison, fail_on=fail_on) for item in comparison["items"]]
    if not comparison["complete"]:
        cases.append(_Case(group=pair, name="everything was seen", skipped=_blind(comparison)))
    return cases or [_Case(group=pair, name="in sync")]


def _case(item: Mapping[str, Any], comparison: Mapping[str, Any], *, fail_on: str) -> _Case:
    kind = "" if item["kind"] == "difference" else f" ({item['kind']})"
    said = _sentence(item, comparison)
    case = _Case(
        group=f"{item['comparison']}.{item['service']}.{item['section']}",
        name=f"{item['component']}: {item['item']}{kind}",
    )
    if item["verdict"] == "unknown":
        return replace(case, skipped=f"unknown: {said}")
    if item["verdict"] != "drift":
        return case
    if SEVERITIES.index(item["severity"]) < SEVERITIES.index(fail_on):
        return replace(case, skipped=f"{item['severity']}: {said}")
    text = "\n".join(part for part in (item["rule"], item["remedy"]) if part)
    return replace(case, failure=said, kind=item["severity"], text=text)


def _counts(cases: Sequence[_Case]) -> str:
    return _attributes(
        tests=str(len(cases)),
        failures=str(sum(1 for case in cases if case.failure is not None)),
        skipped=str(sum(1 for case in cases if case.skipped is not None)),
        errors="0",
    )


def _attributes(**given: str) -> str:
    return "".join(f' {name}="{_escaped(text)}"' for name, text in given.items())


def sarif_of(document: Mapping[str, Any], *, version: str) -> dict[str, Any]:
    """Return what has a place in a file as SARIF 2.1.0: keys that the code reads. The rest has no place."""
    results = [
        result
        for comparison in document["comparisons"]
        for item in comparison["items"]
        if item["verdict"] == "drift"
        for result in _results(item, comparison)
    ]
    rules = sorted({result["ruleId"] for result in results})
    return {
        "$schema": _SARIF,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "parity",
                        "semanticVersion": version,
                        "rules": [{"id": rule, "name": rule} for rule in rules],
                    }
                },
                "results": results,
            }
        ],
    }


def _results(item: Mapping[str, Any], comparison: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for place in item["reads"]:
        path, _, line = str(place).rpartition(":")
        if not path or not line.isdigit() or int(line) < 1:
            continue
        yield {
            "ruleId": item["rule"].partition(" ")[0],
            "level": _LEVELS[item["severity"]],
            "message": {"text": _sentence(item, comparison)},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": path.replace("\\", "/").removeprefix("./")},
                        "region": {"startLine": int(line)},
                    }
                }
            ],
            "partialFingerprints": {
                "parity/v1": "/".join(
                    item[name] for name in ("comparison", "service", "component", "section", "item", "kind")
                )
            },
        }


def _sentence(item: Mapping[str, Any], comparison: Mapping[str, Any]) -> str:
    """Return a finding in words."""
    left, right = sides_of(comparison) if item["left"] is not None else (item["comparison"],) * 2
    return f"{item['service']}: {difference_of(item, left, right)}"


def _blind(comparison: Mapping[str, Any]) -> str:
    unseen = comparison["coverage"]["unseen"]
    first = ", ".join(f"{one['environment']} {one['section']} {one['reason']}" for one in unseen[:3])
    return f"{len(unseen)} parts unseen: {first}" if unseen else "items are unknown"


def _escaped(text: str) -> str:
    """Return a text for XML, without what XML 1.0 cannot hold."""
    return escape("".join(mark for mark in text if _may_stand(mark)), quote=True).replace("\n", "&#10;")


def _may_stand(mark: str) -> bool:
    return mark in "\t\n" or " " <= mark <= "\ud7ff" or "\ue000" <= mark <= "\ufffd" or mark > "\uffff"
