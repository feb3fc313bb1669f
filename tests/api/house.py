"""A running Parity behind a real socket, with a store that real observations were recorded in."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientSession, DummyCookieJar, web

from detector.api.app import create_app
from detector.api.bodies import Limits
from detector.api.tokens import mint
from detector.assembly import Running, running
from detector.config.load import load
from detector.model.facts import Observation, Section, Unseen
from detector.model.words import Basis, SectionName

CONFIG = """\
version: 1
server: {listen: "127.0.0.1:8080", public_url: "PUBLIC_URL", auth: AUTH}
environments:
  - {name: dev, tier: development, presence: intermittent}
  - {name: staging, tier: staging}
  - {name: prod-eu, tier: production}
comparisons:
  - {left: dev, right: staging}
  - {left: staging, right: prod-eu, gate: true}
services:
  - name: checkout
    owner: team-payments
    sources:
      dev: [{type: push, name: ci, every: 15m}]
      staging: [{type: push, name: ci, every: 15m}]
      prod-eu: [{type: push, name: ci, every: 15m}]
  - name: search
    owner: team-discovery
    sources:
      staging: [{type: push, name: ci, valid: until_replaced}]
      prod-eu: [{type: push, name: ci, valid: until_replaced}, {type: push, name: agent, every: 1h}]
  - name: shop-db
    kind: backing_service
    used_by: [checkout, search]
    sources:
      staging: [{type: push, name: ci, valid: until_replaced}]
      prod-eu: [{type: push, name: ci, valid: until_replaced}]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """One Parity: its parts, its address, and a token for each kind of caller."""

    running: Running
    app: web.Application
    runner: web.AppRunner
    url: str
    client: ClientSession
    tokens: Mapping[str, str] = field(default_factory=dict)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        who: str | None = "read",
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> ClientResponse:
        """Send a request as one of the callers; None sends no token."""
        given = (
            {} if who is None or who not in self.tokens else {"Authorization": f"Bearer {self.tokens[who]}"}
        )
        response = await self.client.request(
            method, f"{self.url}{path}", headers={**given, **(headers or {})}, allow_redirects=False, **more
        )
        await response.read()
        return response

    async def get(self, path: str, *, who: str | None = "read", **more: Any) -> ClientResponse:
        """Read as one of the callers."""
        return await self.ask("GET", path, who=who, **more)

    async def json(self, path: str, **more: Any) -> Any:
        """Read a document that must be there."""
        response = await self.get(path, **more)
        assert response.status == 200, await response.text()
        return await response.json(content_type=None)

    async def settle(self) -> None:
        """Judge everything that was recorded, as the service does by itself within a second."""
        for service, environments in await self.running.reading.store.services():
            for environment in environments:
                await self.running.watch.judge(environment, service)


@asynccontextmanager
async def house(
    folder: Path,
    *,
    auth: str = "token",
    public_url: str = "http://localhost:8080",
    config: str = CONFIG,
    limits: Limits | None = None,
) -> AsyncIterator[House]:
    """Start a Parity in a folder, on a port that is free."""
    path = folder / "parity.yml"
    path.write_text(config.replace("AUTH", auth).replace("PUBLIC_URL", public_url))
    async with running(load(path, {})) as here:
        app = create_app(here, limits=limits)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        try:
            async with ClientSession(cookie_jar=DummyCookieJar(), auto_decompress=False) as client:
                yield House(
                    running=here,
                    app=app,
                    runner=runner,
                    url=f"http://{host}:{port}",
                    client=client,
                    tokens=await _tokens(here),
                )
        finally:
            await runner.cleanup()


async def _tokens(here: Running) -> dict[str, str]:
    store, now = here.reading.store, datetime.now(UTC)
    scopes = {
        "read": ("read",),
        "push": ("push:staging",),
        "push-one": ("push:prod-eu/checkout",),
        "write": ("drift:write",),
        "admin": ("admin",),
    }
    tokens = {
        name: await mint(store, name=name, scopes=given, now=now, lasts=timedelta(days=1))
        for name, given in scopes.items()
    }
    tokens["expired"] = await mint(
        store, name="expired", scopes=("admin",), now=now - timedelta(days=2), lasts=timedelta(days=1)
    )
    tokens["revoked"] = await mint(store, name="revoked", scopes=("admin",), now=now, lasts=None)
    await store.revoke_token(tokens["revoked"].split("_")[1], now)
    return tokens


async def record(
    here: House,
    environment: str,
    service: str,
    sections: Mapping[SectionName, Mapping[str, Any] | Section],
    *,
    at: datetime | None = None,
    basis: Basis = "running",
    source: str = "ci",
    component: str = "main",
    unseen: tuple[Unseen, ...] = (),
) -> None:
    """Record what a source saw; sections are complete unless they are given as such."""
    at = at or datetime.now(UTC)
    observation = Observation(
        environment=environment,
        service=service,
        component=component,
        source=source,
        observed_at=at,
        sections={
            name: facts
            if isinstance(facts, Section)
            else Section(basis=basis, facts=facts, unseen=unseen, status="partial" if unseen else "complete")
            for name, facts in sections.items()
        },
    )
    store = here.running.reading.store
    await store.record(observation, received_at=at, scheduled=False)
    await store.record_run(environment, service, source, at=at, result="ok", duration=0.2)
