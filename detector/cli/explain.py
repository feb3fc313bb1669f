"""`parity explain A B SERVICE ITEM`: which rules matched, and what a verdict rests on."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from textwrap import wrap
from typing import Any, get_args

import click

from detector.cli.diff import tiers_option
from detector.cli.output import config_option, finish, show, styled, width
from detector.cli.table import COLOURS, MARKS
from detector.engine.questions import Question
from detector.errors import UsageError
from detector.model.expressions import Expression, Locator, StandardInput, parse
from detector.model.words import SECTIONS, Kind, Tier

_MARKS = {"in_sync": "✓", "expected": "✓", "accepted": "✓", "unknown": "?"}


@click.command()
@click.argument("left")
@click.argument("right")
@click.argument("names", nargs=-1, required=True, metavar="[SERVICE] ITEM")
@click.option(
    "--section", type=click.Choice(SECTIONS), metavar="SECTION", help="Only an item of this section."
)
@click.option("--component", metavar="NAME", help="Of this process type, container or job.")
@click.option("--kind", type=click.Choice(get_args(Kind)), metavar="KIND", help="This kind of finding.")
@tiers_option
@config_option
@click.option(
    "-o",
    "--output",
    type=click.Choice(("table", "json", "yaml", "md")),
    default="table",
    show_default=True,
    help="Format of the answer.",
)
def explain(
    left: str,
    right: str,
    names: tuple[str, ...],
    section: str | None,
    component: str | None,
    kind: str | None,
    tiers: tuple[Tier, Tier] | None,
    config_path: str | None,
    output: str,
) -> None:
    """Say why an item has its verdict: rules, clock, evidence, cause and history.

    SERVICE may be left out where two files are compared that hold one.

    \b
    parity explain staging prod checkout django
    parity explain staging~1 prod checkout STRIPE_KEY --component worker
    parity explain .env.staging .env.prod SECRET_KEY
    """
    if len(names) > 2:
        raise UsageError("give a service and an item: parity explain staging prod checkout django")
    service, item = (None, names[0]) if len(names) == 1 else (names[0], names[1])
    question = Question(item=item, section=section, component=component, kind=kind)
    now = datetime.now(UTC)
    ours, theirs = parse(left), parse(right)
    document = _document(ours, theirs, service, question, tiers=tiers, config_path=config_path)
    show(
        document,
        output,
        table=lambda found: _lines(found, now),
        markdown=lambda found: _md(found, now),
        csv=str,
    )
    grave = f", {document['verdict']['severity']}" if document["answer"] == "drift" else ""
    finish(0, f"explain: {document['answer'].replace('_', ' ')}{grave}: {document['because']}")


def _document(
    ours: Expression,
    theirs: Expression,
    service: str | None,
    question: Question,
    *,
    tiers: tuple[Tier, Tier] | None,
    config_path: str | None,
) -> dict[str, Any]:
    if isinstance(ours, Locator | StandardInput) and isinstance(theirs, Locator | StandardInput):
        from detector.cli.locators import both_files
        from detector.queries.explaining import explain_files

        return explain_files(*both_files(ours, theirs, tiers), service, question, now=datetime.now(UTC))
    if isinstance(ours, Locator | StandardInput) or isinstance(theirs, Locator | StandardInput):
        raise UsageError(
            "a file is compared with a file: write snapshot:FILE made by parity snapshot ENV --format json"
        )
    if tiers is not None:
        raise UsageError("--as is for files: the tier of an environment stands in parity.yml")
    if service is None:
        raise UsageError("name the service before the item: parity explain staging prod checkout django")
    named = service
    from detector.cli.asking import asked

    async def ask() -> dict[str, Any]:
        async with asked(config_path) as (reading, now):
            return await reading.explaining.explain(ours, theirs, named, question, now=now)

    return asyncio.run(ask())


def _md(document: Mapping[str, Any], now: datetime) -> str:
    from detector.queries.explained import markdown_of

    return markdown_of(document, now=now)


def _lines(document: Mapping[str, Any], now: datetime) -> list[str]:
    from detector.queries.explained import answer_of, aside_of, blocks_of, headline

    columns, verdict = width(), document["verdict"]
    drift = document["answer"] == "drift"
    mark = MARKS[verdict["severity"]] if drift else _MARKS.get(document["answer"], "·")
    style = COLOURS[verdict["severity"]] if drift else {"bold": True}
    grave = f"{verdict['severity']} " if drift else ""
    first, *more = wrap(f"{grave}{answer_of(document)}", columns - 4, break_on_hyphens=False)
    lines = [styled(headline(document), bold=True), "", f"  {styled(f'{mark} {first}', **style)}"]
    because = f"Because {document['because']}."
    aside = aside_of(document)
    for text in (*more, *((f"({aside})",) if aside else ()), because):
        lines += wrap(
            text, columns - 4, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
        )
    if verdict and verdict["remedy"]:
        hint = wrap(verdict["remedy"], columns - 6, break_on_hyphens=False)
        lines += [styled(f"    {'↳' if n == 0 else ' '} {line}", dim=True) for n, line in enumerate(hint)]
    for block in blocks_of(document, now=now):
        lines += ["", styled(block.title, underline=True)]
        for line in block.lines:
            indent = "  " * (line.depth + 1)
            lines += wrap(
                line.text,
                columns,
                initial_indent=indent,
                subsequent_indent=f"{indent}    ",
                break_on_hyphens=False,
                drop_whitespace=True,
            )
    return lines
