"""`parity gate`: one answer for a pipeline."""

import asyncio
from collections.abc import Mapping
from typing import Any

import click

from detector.cli.output import CANNOT_TELL, DRIFT, ERROR, PARITY, config_option, finish, output_option, show
from detector.cli.table import comparison_lines
from detector.model.words import SEVERITIES, Severity
from detector.queries.rendering import csv_of, markdown_of

#: Drift is the firmest answer; what cannot be told comes next.
_FIRMNESS = (DRIFT, CANNOT_TELL, PARITY)


@click.command()
@click.option(
    "--fail-on",
    type=click.Choice(SEVERITIES[1:]),
    default="high",
    show_default=True,
    help="Exit 1 for drift of this severity or worse.",
)
@click.option("--allow-incomplete", is_flag=True, help="Exit 0 although something was not seen.")
@config_option
@output_option
def gate(fail_on: Severity, allow_incomplete: bool, config_path: str | None, output: str) -> None:
    """Compare every pair marked `gate: true`, else those into production, and answer 0, 1 or 3.

    A key that a leading release needs and production lacks counts as drift here. While a roll-out is under
    way, the drift that it may bring is no answer yet: 3.
    """
    from detector.cli.asking import asked
    from detector.cli.verdict import exit_of
    from detector.model.expressions import Now

    async def ask() -> list[dict[str, Any]]:
        async with asked(config_path) as (reading, now):
            policy = reading.settings.policy
            pairs = [pair for pair in policy.pairs if pair.name in policy.gated]
            pairs = pairs or [
                pair for pair in policy.pairs if pair.right.tier == "production" and not pair.peers
            ]
            return [
                (
                    await reading.comparisons.compare(
                        Now(environment=pair.left.name), Now(environment=pair.right.name), now=now
                    )
                ).document()
                for pair in pairs
            ]

    documents = asyncio.run(ask())
    if not documents:
        finish(
            ERROR, "gate: no comparison; mark one with gate: true, or give an environment tier: production"
        )
    answers = []
    for document in documents:
        _count_due(document)
        answers.append(exit_of(document, fail_on=fail_on, allow_incomplete=allow_incomplete, waits=True))
    show(
        {"schema": "parity.gate/v1", "comparisons": documents},
        output,
        table=_lines,
        markdown=lambda found: "\n".join(markdown_of(each) for each in found["comparisons"]),
        csv=_csv,
    )
    code = min((answer for answer, _ in answers), key=_FIRMNESS.index)
    firmest = [
        (document, reason)
        for document, (answer, reason) in zip(documents, answers, strict=True)
        if answer == code
    ]
    document, reason = firmest[0]
    pair = f"{document['left']['expression']}..{document['right']['expression']}"
    more = f"; {len(firmest) - 1} more comparisons answer the same" if len(firmest) > 1 else ""
    finish(code, f"gate: {reason} ({pair}{more})")


def _count_due(document: dict[str, Any]) -> None:
    """Take for drift what a leading release needs and production lacks, in the items and in the counts."""
    for item in document["items"]:
        if item["due"] and item["verdict"] == "expected":
            item["verdict"] = "drift"
            document["summary"]["expected"] -= 1
            document["summary"][item["severity"]] += 1


def _lines(document: Mapping[str, Any]) -> list[str]:
    lines = []
    for comparison in document["comparisons"]:
        lines += ["", *comparison_lines(comparison)]
    return lines[1:]


def _csv(document: Mapping[str, Any]) -> str:
    """Return every comparison below one header: each line names its comparison."""
    first, *more = (csv_of(comparison) for comparison in document["comparisons"])
    return first + "".join(table.partition("\r\n")[2] for table in more)
