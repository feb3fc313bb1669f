"""`parity report`: one comparison by the twelve factors, for people and for other tools."""

import asyncio
from collections.abc import Mapping
from textwrap import wrap
from typing import Any, Final

import click

from detector.cli.output import (
    CANNOT_TELL,
    DRIFT,
    ERROR,
    PARITY,
    aligned,
    config_option,
    fail_on_option,
    finish,
    incomplete_option,
    say,
    show,
    styled,
    width,
)
from detector.errors import UsageError
from detector.model.expressions import EnvironmentState, Locator, StandardInput, parse
from detector.model.words import Severity

_FORMATS: Final = ("table", "md", "html", "json", "yaml", "csv", "junit", "sarif", "cyclonedx")
_FIRMNESS: Final = (DRIFT, CANNOT_TELL, PARITY)


@click.command()
@click.argument("left", required=False)
@click.argument("right", required=False)
@click.option("--factors", is_flag=True, help="The twelve factors and the gaps, without each finding.")
@fail_on_option("low")
@incomplete_option
@config_option
@click.option(
    "-o",
    "--output",
    type=click.Choice(_FORMATS),
    default="table",
    show_default=True,
    help="Format of the report; cyclonedx is the inventory of one environment or snapshot.",
)
def report(
    left: str | None,
    right: str | None,
    factors: bool,
    fail_on: Severity,
    allow_incomplete: bool,
    config_path: str | None,
    output: str,
) -> None:
    """Report on a comparison by the twelve factors: what is measured, what drifts, what nobody can see.

    \b
    parity report --factors
    parity report staging prod -o html > report.html
    parity report prod -o cyclonedx > prod.cdx.json

    Without environments: what the gate compares.
    """
    from detector.cli.asking import asked
    from detector.queries.answering import answer_of

    if output == "cyclonedx":
        _inventory(left, right, config_path)
    if left is not None and right is None:
        raise UsageError("a report compares two environments: parity report staging prod")
    sides = None if left is None or right is None else (_state(left), _state(right))

    async def ask() -> dict[str, Any]:
        async with asked(config_path) as (reading, now):
            pairs = reading.reports.default() if sides is None else [sides]
            return await reading.reports.report(pairs, now=now)

    document = asyncio.run(ask())
    if not document["comparisons"]:
        finish(ERROR, "report: no comparison; name two environments, as in parity report staging prod")
    _print(document, output, factors=factors, fail_on=fail_on)
    answers = [
        answer_of(one, fail_on=fail_on, allow_incomplete=allow_incomplete) for one in document["comparisons"]
    ]
    code, reason = min(answers, key=lambda answer: _FIRMNESS.index(answer[0]))
    finish(code, f"report: {reason}")


def _print(document: Mapping[str, Any], output: str, *, factors: bool, fail_on: str) -> None:
    from detector.queries import report_files, report_html, report_text

    if output == "html":
        say(report_html.report_html(document, factors=factors), nl=False)
    elif output == "junit":
        say(report_files.junit_of(document, fail_on=fail_on), nl=False)
    elif output == "sarif":
        from importlib.metadata import version

        _json(report_files.sarif_of(document, version=version("parity-detector")))
    else:
        show(
            document,
            output,
            table=lambda found: _lines(found, factors=factors),
            markdown=lambda found: report_text.report_markdown(found, factors=factors),
            csv=lambda found: report_text.report_csv(found, factors=factors),
        )


def _inventory(environment: str | None, other: str | None, config_path: str | None) -> None:
    from detector.cli.asking import asked

    if environment is None or other is not None:
        raise UsageError("an inventory is of one environment: parity report prod -o cyclonedx")
    state = _state(environment)

    async def ask() -> dict[str, Any]:
        async with asked(config_path) as (reading, now):
            return await reading.inventories.cyclonedx(state, now=now)

    document = asyncio.run(ask())
    _json(document)
    count = len(document["components"])
    finish(PARITY, f"report: {count} service{'s' * (count != 1)} of {environment}")


def _json(document: Mapping[str, Any]) -> None:
    import orjson

    say(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


def _state(text: str) -> EnvironmentState:
    expression = parse(text)
    if isinstance(expression, Locator | StandardInput):
        raise UsageError("a report is of environments; files are compared by parity diff")
    return expression


def _lines(document: Mapping[str, Any], *, factors: bool) -> list[str]:
    lines: list[str] = []
    for comparison in document["comparisons"]:
        lines += ["", *_comparison_lines(comparison, factors=factors)]
    return lines[1:]


def _comparison_lines(comparison: Mapping[str, Any], *, factors: bool) -> list[str]:
    from detector.cli.table import comparison_lines
    from detector.queries.report_text import gap_lines, sides_of

    columns = width()
    left, right = sides_of(comparison)
    lines = [styled(f"{left} → {right} by the twelve factors", bold=True), ""]
    lines += _factor_lines(comparison, columns)
    lines += ["", styled("The three gaps (X)", underline=True)]
    for name, text in gap_lines(comparison["gaps"]):
        lines += wrap(f"{name:<10} {text}", columns, initial_indent="  ", subsequent_indent=" " * 13)
    if comparison["cannot_see"]:
        lines += ["", styled("What nobody could see", underline=True)]
        for one in comparison["cannot_see"]:
            text = f"{one['collector']}: {'; '.join(one['parts'])}"
            lines += wrap(text, columns, initial_indent="  ", subsequent_indent="    ")
    if not factors:
        lines += ["", *comparison_lines(comparison)]
    return lines


def _factor_lines(comparison: Mapping[str, Any], columns: int) -> list[str]:
    from detector.queries.report_text import factor_table

    table = factor_table(comparison)
    heads = aligned([(*row[:4], "") for row in table])
    before = max(map(len, aligned([row[:4] for row in table]))) + 2
    lines = [styled(f"{heads[0]:<{before}}{table[0][4]}", bold=True)]
    for head, row in zip(heads[1:], table[1:], strict=True):
        drift, *more = wrap(row[4], max(columns - before, 20), break_on_hyphens=False)
        lines += [f"{head:<{before}}{drift}", *(" " * before + line for line in more)]
        if row[6] != "–":
            text = f"↳ measured by {row[6]}"
            lines += [
                styled(line, dim=True)
                for line in wrap(text, columns, initial_indent="      ", subsequent_indent="        ")
            ]
    return lines
