"""`parity snapshot`: look now."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click

from detector.cli.output import CANNOT_TELL, config_option, finish, say, styled
from detector.cli.progress import as_they_end
from detector.config.records import Config, Source
from detector.errors import UsageError
from detector.model.facts import Observation
from detector.reader import Part

_BETWEEN_SECONDS: Final = 0.2


@click.command()
@click.argument("environments", nargs=-1, metavar="[ENV...]")
@click.option("--service", "services", multiple=True, help="Only this service (repeatable).")
@click.option("--no-store", is_flag=True, help="Look, and keep nothing.")
@click.option(
    "--format",
    "output",
    type=click.Choice(["table", "json", "cyclonedx"]),
    default="table",
    help="What to print.",
)
@config_option
def snapshot(
    environments: tuple[str, ...],
    services: tuple[str, ...],
    no_store: bool,
    output: str,
    config_path: str | None,
) -> None:
    """Run the sources of some or all environments once; a new snapshot begins where something changed.

    Beside a running service it is that which looks. With --format json it prints observations that
    `parity diff snapshot:FILE …` and `parity push` take; with cyclonedx the bill of materials of one
    environment.
    """
    from detector.cli.asking import configuration, service_beside
    from detector.config.choosing import sources_of
    from detector.logging import configure

    configure(level=logging.WARNING)
    config = configuration(config_path)
    wanted = sources_of(config, environments, services)
    if output == "cyclonedx" and len({source.environment for source in wanted}) != 1:
        raise UsageError("a bill of materials is of one environment: parity snapshot prod --format cyclonedx")
    if output != "table" or no_store:
        observations, failed = asyncio.run(_observed(config, wanted))
        if output != "table":
            import orjson

            document = _DOCUMENTS[output](observations)
            say(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    elif (beside := service_beside(config)) is not None:
        failed = asyncio.run(_asked(beside, wanted, services))
    else:
        failed = asyncio.run(_stored(config, wanted))
    if failed:
        finish(CANNOT_TELL, f"snapshot: {failed} of {len(wanted)} sources could not be seen")
    finish(0, f"snapshot: {len(wanted)} sources seen")


async def _stored(config: Config, wanted: list[Source]) -> int:
    from detector.assembly import running

    failed = 0
    async with running(config) as here:
        await here.watch.resume()
        async for ran in as_they_end([here.watch.run(source) for source in wanted]):
            failed += ran.result is not None
            say(run_line(ran.source, ran.result, ran.detail, changed=any(r.changed for _, r in ran.observed)))
        await here.watch.stop()
        for name, newest in sorted((await here.reading.store.latest_snapshots()).items()):
            say(f"{name}#{newest.number}")
    return failed


async def _asked(service: Path, wanted: list[Source], services: tuple[str, ...]) -> int:
    """Have the service look, and print what becomes of each source when it is known."""
    from detector.cli.remote import Remote

    failed = 0
    asked = "&".join(f"service={quote(name)}" for name in services)
    async with Remote(service) as remote:
        runs = [
            await remote.ask("POST", f"/environments/{environment}/collect?{asked}")
            for environment in dict.fromkeys(source.environment for source in wanted)
        ]
        for run in runs:
            document, printed = run, 0
            while True:
                for source in document["sources"][printed:]:
                    result = None if source["result"] == "ok" else source["result"]
                    failed += result is not None
                    name = f"{run['environment']} {source['service'] or '*'} {source['source']}"
                    say(_line(name, result, source["detail"], changed=source["changed"]))
                printed = len(document["sources"])
                if document["ended_at"]:
                    break
                await asyncio.sleep(_BETWEEN_SECONDS)
                document = await remote.ask("GET", f"/runs/{run['id']}")
        for environment in sorted(await remote.all("/environments", {}), key=lambda one: str(one["name"])):
            if environment["snapshot"] is not None:
                say(f"{environment['name']}#{environment['snapshot']['number']}")
    return failed


async def _observed(config: Config, wanted: list[Source]) -> tuple[list[Observation], int]:
    from detector.assembly import looking

    observations: list[Observation] = []
    failed = 0
    async with looking(config) as collect:
        async for looked in as_they_end([collect.look(source) for source in wanted]):
            why = looked.why
            failed += why is not None
            click.echo(
                run_line(looked.source, why.reason if why else None, why.detail if why else ""), err=True
            )
            observations += looked.observations
    return observations, failed


def _as_observations(observations: Sequence[Observation]) -> list[dict[str, Any]]:
    from detector.model.canonical import observation_document

    return [observation_document(observation) for observation in observations]


def _as_bill(observations: Sequence[Observation]) -> dict[str, Any]:
    """Return the bill of one environment, as these observations alone have it."""
    from datetime import UTC, datetime

    from detector.queries.bom import bill_of
    from detector.queries.files import FileState, view_of_files

    now = datetime.now(UTC)
    environment = observations[0].environment if observations else ""
    parts: dict[str, list[Part]] = {}
    for each in observations:
        if each.traffic == "live":
            part = Part(sections=each.sections, component=each.component, component_kind=each.component_kind)
            parts.setdefault(each.service, []).append(part)
    states = {name: FileState(expression=environment, parts=tuple(here)) for name, here in parts.items()}
    views = {name: view_of_files(state, name, now=now)[1] for name, state in states.items()}
    return bill_of(environment, views, at=now)


_DOCUMENTS: Final[Mapping[str, Callable[[Sequence[Observation]], Any]]] = {
    "json": _as_observations,
    "cyclonedx": _as_bill,
}


def run_line(source: Source, result: str | None, detail: str, *, changed: bool = False) -> str:
    """Return what became of one run, as a line for people."""
    name = f"{source.environment} {source.service or '*'} {source.name}"
    return _line(name, result, detail, changed=changed)


def _line(name: str, result: str | None, detail: str, *, changed: bool) -> str:
    if result is None:
        return f"{styled('✓', fg='green')} {name}{'  changed' if changed else ''}"
    return f"{styled('?', fg='yellow')} {name}  {result.replace('_', ' ')}: {detail}"
