"""`parity missing ENV`: the keys that the code reads and an environment lacks."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from detector.cli.output import CANNOT_TELL, DRIFT, ERROR, PARITY, config_option, finish, say, styled, width
from detector.errors import UsageError
from detector.model.expressions import Locator, Now, StandardInput, parse

_WORDS = {True: ("▲", "red"), None: ("?", "yellow"), False: ("·", "white")}


@click.command()
@click.argument("environment", metavar="ENV")
@click.option("--service", "services", multiple=True, help="Only this service (repeatable).")
@click.option("--reads", "folder", metavar="FOLDER", help="The code, where ENV is a file such as .env.prod.")
@click.option(
    "--format",
    "output",
    type=click.Choice(["table", "json", "dotenv"]),
    default="table",
    show_default=True,
    help="What to print; dotenv is a file to fill in.",
)
@click.option("--allow-incomplete", is_flag=True, help="Exit 0 although something was not seen.")
@config_option
def missing(
    environment: str,
    services: tuple[str, ...],
    folder: str | None,
    output: str,
    allow_incomplete: bool,
    config_path: str | None,
) -> None:
    """List the keys that the code reads and ENV lacks, with file and line.

    \b
    parity missing prod
    parity missing prod --format dotenv >> .env.prod
    parity missing .env.prod --reads src/
    """
    expression = parse(environment)
    if isinstance(expression, Locator | StandardInput):
        document = _of_file(expression, folder, services)
    elif folder is not None:
        raise UsageError("--reads is for files: the code of an environment is a source of type reads")
    elif not isinstance(expression, Now):
        raise UsageError("missing asks what an environment lacks now: give its name alone, or a file")
    else:
        document = _of_environment(expression.environment, services, config_path)
    if output == "json":
        import orjson

        say(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    else:
        for line in (_dotenv_lines if output == "dotenv" else _table_lines)(document):
            say(line)
    finish(*_answer(document, allow_incomplete=allow_incomplete))


def _of_environment(name: str, services: Sequence[str], config_path: str | None) -> dict[str, Any]:
    from detector.cli.asking import asked
    from detector.queries.missing import MissingKeys
    from detector.queries.names import require_services

    async def ask() -> dict[str, Any]:
        async with asked(config_path) as (reading, now):
            await require_services(reading.store, reading.settings.policy, services)
            keys = MissingKeys(reading.views, reading.settings.current_policy)
            return (await keys.of(name, now=now, services=services or None)).document()

    return asyncio.run(ask())


def _of_file(
    expression: Locator | StandardInput, folder: str | None, services: Sequence[str]
) -> dict[str, Any]:
    from detector.cli.locators import code_below, ephemeral, load
    from detector.queries.files import with_tiers
    from detector.queries.missing import missing_in_file

    if folder is None:
        raise UsageError("name the folder of the code as well: parity missing .env.prod --reads src/")
    if len(services) > 1:
        raise UsageError("a file is asked for one service at a time")
    state, _ = with_tiers(loaded := load(expression, ephemeral()), loaded, None)
    found = missing_in_file(
        state, code_below(folder), service=services[0] if services else None, now=datetime.now(UTC)
    )
    return found.document()


def _answer(document: Mapping[str, Any], *, allow_incomplete: bool) -> tuple[int, str]:
    where = document["environment"]
    if not document["code_of"]:
        return (
            ERROR,
            "missing: no source reads the code; add {type: reads, path: src/}, then parity once",
        )
    needed = sum(1 for item in document["items"] if item["needed"])
    if needed:
        return DRIFT, f"missing: {where} lacks {needed} key{'s' * (needed != 1)} that the code needs"
    if not document["complete"] and not allow_incomplete:
        return CANNOT_TELL, f"missing: cannot tell: {_why(document)}"
    return PARITY, f"missing: {where} has every key that the code needs"


def _why(document: Mapping[str, Any]) -> str:
    """Return the first reason for which something may be missing unseen."""
    if document["unseen"]:
        first, more = document["unseen"][0], len(document["unseen"]) - 1
        detail = first["detail"] or f"{first['environment']} {first['source']} {first['item']}"
        also = f" and {more} more" if more else ""
        return f"{first['reason'].replace('_', ' ')} ({detail}){also}"
    unknown = sum(1 for item in document["items"] if item["needed"] is None)
    return f"{unknown} key{'s' * (unknown != 1)} may be set where nobody looks"


def _where(item: Mapping[str, Any]) -> str:
    return item["service"] if item["component"] == "main" else f"{item['service']}/{item['component']}"


def _by_component(document: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for item in document["items"]:
        found.setdefault(_where(item), []).append(item)
    return found


def _table_lines(document: Mapping[str, Any]) -> list[str]:
    lines = []
    columns = width()
    for where, items in _by_component(document).items():
        lines.append(styled(where, bold=True))
        longest = min(40, max(len(item["item"]) for item in items))
        for item in items:
            mark, colour = _WORDS[item["needed"]]
            name = f"  {styled(mark, fg=colour)} {item['item']:<{longest}}"
            if len(f"    {item['item']:<{longest}}  {item['where']}") <= columns:
                lines.append(f"{name}  {item['where']}")
            else:
                lines += [name.rstrip(), f"      {item['where']}"]
    for blind in document["unseen"]:
        from detector.cli.table import blind_lines

        lines += blind_lines([blind], columns)
    lines += [f"  ? {name}: no source reads its code" for name in document["not_measured"]]
    return lines


def _dotenv_lines(document: Mapping[str, Any]) -> list[str]:
    """Return a file to fill in: what the code needs, and as comments what it goes on without."""
    lines = []
    several = len(_by_component(document)) > 1
    for where, items in _by_component(document).items():
        if several:
            lines.append(f"# {where}")
        lines += [f"{'# ' * (item['needed'] is False)}{item['item']}=   # {item['where']}" for item in items]
    return lines
