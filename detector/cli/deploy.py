"""`parity deploy`: announce a deployment, so that nobody is alarmed by what it is about to change."""

import asyncio
import re
from typing import Any

import click

from detector.cli.output import config_option, finish
from detector.cli.remote import asked_once, token_of, token_option
from detector.errors import UsageError
from detector.model.deployments import ACTOR, COMMIT, VERSION


@click.command()
@click.option("--env", "environment", required=True, help="The environment that is deployed to.")
@click.option("--service", required=True, help="The service.")
@click.option("--version", required=True, help="The version: the label of ENV@LABEL from now on.")
@click.option("--commit", help="The commit that it was built from.")
@click.option("--actor", help="Who deploys; default: the name of the token, or you.")
@click.option("--finished", is_flag=True, help="Say that it has ended: alerts wait no longer.")
@click.option(
    "--server", envvar="PARITY_SERVER", help="Address of the service, or PARITY_SERVER; default: here."
)
@token_option
@config_option
def deploy(
    environment: str,
    service: str,
    version: str,
    commit: str | None,
    actor: str | None,
    finished: bool,
    server: str | None,
    token_file: str | None,
    config_path: str | None,
) -> None:
    """Announce a deployment, at its beginning or at its end; said twice it is one.

    Until it is finished, for `alerting.rollout` at most, drifts of the service are shown and nobody is
    alerted. Afterwards `ENV@VERSION` names the state that it led to.
    """
    _require("--version", version, VERSION, "letters, digits and ._+-, at most 128")
    _require("--commit", commit, COMMIT, "7 to 64 hexadecimal digits")
    _require("--actor", actor, ACTOR, "a printable name of at most 128 characters")
    said: dict[str, Any] = {"environment": environment, "service": service, "version": version}
    said |= {name: value for name, value in (("commit", commit), ("actor", actor)) if value}
    from detector.cli.asking import configuration, service_beside

    body = {**said, "finished": finished}
    if server is not None:
        kept = asyncio.run(asked_once("POST", server, "/deployments", body, token=token_of(token_file)))
        warnings = kept.get("warnings", [])
    elif (beside := service_beside(configuration(config_path))) is not None:
        warnings = asyncio.run(asked_once("POST", beside, "/deployments", body)).get("warnings", [])
    else:
        warnings = asyncio.run(_kept(config_path, finished=finished, **said))
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    what = "is there" if finished else "is on its way"
    later = f"parity diff {environment}@{version} {environment}"
    finish(0, f"deploy: {service} {version} {what}; compare later: {later}")


def _require(option: str, value: str | None, form: re.Pattern[str], message: str) -> None:
    if value is not None and not form.fullmatch(value):
        raise UsageError(f"{option}: {message}")


async def _kept(config_path: str | None, *, finished: bool, **said: Any) -> list[str]:
    """Keep the deployment in a store that no service may have open; return what to warn of."""
    from datetime import UTC, datetime

    from ulid import ULID

    from detector.cli.asking import configuration, writing
    from detector.model.deployments import Deployment
    from detector.queries.names import warnings_of_announcing

    now = datetime.now(UTC)
    async with writing(configuration(config_path)) as reading:
        store, policy = reading.store, reading.settings.policy
        policy.environment(said["environment"])
        warnings = await warnings_of_announcing(store, policy, said["service"])
        await store.announce(
            Deployment(id=str(ULID()), at=now, finished_at=now if finished else None, **said)
        )
    return warnings
