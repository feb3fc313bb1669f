"""`parity gate`: one answer for a pipeline."""

import asyncio
from typing import Any

import click

from detector.cli.output import ERROR, finish, output_option, show
from detector.cli.table import comparison_lines
from detector.model.words import SEVERITIES, Severity


@click.command()
@click.option(
    "--fail-on",
    type=click.Choice(SEVERITIES[1:]),
    default="high",
    show_default=True,
    help="Exit 1 from here up.",
)
@click.option("--allow-incomplete", is_flag=True, help="Exit 0 although something was not seen.")
@click.option("--config", "config_path", metavar="FILE", help="parity.yml.")
@output_option
def gate(fail_on: Severity, allow_incomplete: bool, config_path: str | None, output: str) -> None:
    """Compare every pair marked `gate: true`, else those into production, and answer 0, 1 or 3.

    A key that a leading release needs and production lacks counts as drift here.
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
        for item in document["items"]:
            if item["due"]:
                item["verdict"] = "drift"
        answers.append(exit_of(document, fail_on=fail_on, allow_incomplete=allow_incomplete))
    if output == "table":
        for document in documents:
            show(document, output, table=comparison_lines)
    else:
        show({"schema": "parity.gate/v1", "comparisons": documents}, output, table=lambda _: [])
    # Drift is the firmest answer; what cannot be told comes next.
    code, reason = min(answers, key=lambda answer: {1: 0, 3: 1, 0: 2}[answer[0]])
    finish(code, f"gate: {reason}")
