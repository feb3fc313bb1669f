"""`parity push`: send one observation to a running service."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from detector.cli.output import CANNOT_TELL, config_option, finish
from detector.cli.remote import Remote, token_of, token_option
from detector.errors import UsageError


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--env", "environment", required=True, help="The environment that the file describes.")
@click.option("--service", required=True, help="The service.")
@click.option("--source", default="push", show_default=True, help="The name of the source in parity.yml.")
@click.option("--component", default="main", show_default=True, help="The process type.")
@click.option(
    "--server",
    envvar="PARITY_SERVER",
    help="Address of the service, or PARITY_SERVER; default: the one here.",
)
@token_option
@config_option
def push(
    file: str,
    environment: str,
    service: str,
    source: str,
    component: str,
    server: str | None,
    token_file: str | None,
    config_path: str | None,
) -> None:
    """Send a file that `diff` could read: a lockfile, .env, compose file or observation.

    Values of config never leave this machine: only their shapes are sent. Fingerprints are left out, because
    only the service's own collectors have its key. What the service has already is not sent again.
    """
    to, token = (server, token_of(token_file)) if server is not None else (_beside(config_path), None)
    body = _observation(file, environment=environment, service=service, source=source, component=component)
    path = f"/environments/{environment}/services/{service}/observations/{source}"
    told = asyncio.run(_sent(to, path, body, token=token, component=component))
    finish(0, f"push: {told}")


async def _sent(
    server: str | Path, path: str, observation: Mapping[str, Any], *, token: str | None, component: str
) -> str:
    """Send an observation, its digest first. Returns what became of it."""
    import orjson

    from detector.model.canonical import observation_digest
    from detector.model.wire import observations_from

    # As the service reads it: names become canonical there.
    (read,) = observations_from(orjson.loads(orjson.dumps(observation)))
    params = {"component": component}
    async with Remote(server, token) as remote:
        if await remote.has(path, observation_digest(read.sections), params=params):
            return "nothing changed"
        document = await remote.ask("PUT", path, params=params, body=observation)
    return _told(observation["environment"], document)


def _beside(config_path: str | None) -> Path:
    """Return the socket of the service of this machine. Raises UsageError where none runs."""
    from detector.cli.asking import configuration, service_beside

    config = configuration(config_path)
    beside = service_beside(config)
    if beside is None:
        raise UsageError(f"no service runs on {config.path}: start parity serve, or give --server URL")
    return beside


def _observation(file: str, **names: str) -> dict[str, Any]:
    from datetime import UTC, datetime

    from detector.cli.locators import ephemeral, load
    from detector.model.canonical import observation_document
    from detector.model.expressions import Locator, parse
    from detector.model.facts import Observation

    expression = parse(file) if ":" in file or "/" in file or "." in file else Locator(type=None, path=file)
    if not isinstance(expression, Locator):
        raise UsageError(f"{file} is no file")
    state = load(expression, ephemeral())
    parts = [part for part in state.parts if part.service in (None, names["service"])]
    if not parts:
        found = sorted({part.service for part in state.parts if part.service})
        raise UsageError(
            f"{file} says nothing of {names['service']}: it names {', '.join(found) or 'no service'}"
        )
    mine = [part for part in parts if part.component == names["component"]]
    if not mine:
        found = sorted({part.component for part in parts})
        raise UsageError(
            f"{file} has no component {names['component']}: give --component {' or '.join(found)}"
        )
    sections = {name: section for part in mine for name, section in part.sections.items()}
    if sections and all(section.status == "failed" for section in sections.values()):
        why = next(iter(sections.values())).unseen[0]
        finish(CANNOT_TELL, f"push: nothing was sent: {why.detail or why.reason}")
    document = observation_document(
        Observation(
            environment=names["environment"],
            service=names["service"],
            component=names["component"],
            source=names["source"],
            observed_at=datetime.now(UTC),
            sections=sections,
        )
    )
    # A fingerprint made here has a key that nobody else knows: it could never be compared. Only a file of
    # observations names its environment and brings fingerprints of its own.
    made_here = all(part.environment is None for part in mine)
    for fact in document["sections"].get("config", {}).get("facts", {}).values():
        if made_here and isinstance(fact, dict):
            fact.pop("fingerprint", None)
            fact.pop("endpoint", None)
    return document


def _told(environment: str, document: Mapping[str, Any]) -> str:
    if document.get("held"):
        return "taken, and held until it is seen once more: most of a section is gone"
    return (
        f"taken as {environment}#{document.get('snapshot')}" if document.get("changed") else "nothing changed"
    )
