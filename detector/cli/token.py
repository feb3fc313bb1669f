"""`parity token`: who may do what."""

import asyncio
from datetime import UTC, datetime
from urllib.parse import quote

import click

from detector.cli.output import config_option, finish, say
from detector.errors import UsageError
from detector.model.clock import duration, print_time


@click.group()
def token() -> None:
    """Make, list and revoke tokens of the API."""


@token.command("create")
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, required=True, help="read, drift:write, admin, push:ENV[/SERVICE]."
)
@click.option("--for", "lifetime", default="1y", show_default=True, help="How long it is good, as in 90d.")
@config_option
def create(name: str, scopes: tuple[str, ...], lifetime: str, config_path: str | None) -> None:
    """Make a token and print it once: only its hash is kept."""
    from detector.api.tokens import is_scope, mint
    from detector.cli.asking import configuration, service_beside, whoami, writing
    from detector.cli.remote import asked_once

    for scope in scopes:
        if not is_scope(scope):
            raise UsageError(f"no scope {scope}; take read, drift:write, admin, push:ENV or push:ENV/SERVICE")
    lasts = duration(lifetime)

    config = configuration(config_path)
    beside = service_beside(config)

    async def make() -> str:
        if beside is not None:
            wanted = {"name": name, "scopes": list(scopes), "for": lifetime}
            return str((await asked_once("POST", beside, "/tokens", wanted))["token"])
        async with writing(config) as reading:
            now = datetime.now(UTC)
            return await mint(reading.store, name=name, scopes=scopes, now=now, lasts=lasts, by=whoami())

    say(asyncio.run(make()))
    finish(0, f"token: {name} is good for {lifetime}; it is shown only now")


@token.command("list")
@config_option
def list_tokens(config_path: str | None) -> None:
    """List tokens with their scopes and ends."""
    from detector.cli.asking import asked

    async def ask() -> list[str]:
        async with asked(config_path) as (reading, _):
            return [
                f"{row.id}  {row.name}  {' '.join(row.scopes)}"
                + (f"  until {print_time(row.expires_at)}" if row.expires_at else "  for ever")
                + ("  revoked" if row.revoked_at else "")
                for row in await reading.store.tokens()
            ]

    for line in asyncio.run(ask()):
        say(line)


@token.command("revoke")
@click.argument("identifier")
@config_option
def revoke(identifier: str, config_path: str | None) -> None:
    """End a token now. Takes its id, as `parity token list` shows it."""
    from detector.cli.asking import configuration, service_beside, whoami, writing
    from detector.cli.remote import asked_once
    from detector.errors import NotFoundError

    config = configuration(config_path)
    beside = service_beside(config)

    async def end() -> bool:
        if beside is not None:
            try:
                await asked_once("DELETE", beside, f"/tokens/{quote(identifier, safe='')}")
            except NotFoundError:
                return False
            return True
        async with writing(config) as reading:
            known = {row.id for row in await reading.store.tokens()}
            if identifier in known:
                await reading.store.revoke_token(identifier, datetime.now(UTC), by=whoami())
            return identifier in known

    if not asyncio.run(end()):
        raise UsageError(f"no token {identifier}: parity token list shows them")
    finish(0, f"token: {identifier} is revoked")
