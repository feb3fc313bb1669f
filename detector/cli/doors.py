"""The two ways to what is accepted: the database of this machine, or a service, here or elsewhere."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import uuid4

from detector.assembly import reading, running
from detector.cli.remote import Remote
from detector.config.records import Config
from detector.config.rules import MatchEntry
from detector.errors import StoreInUseError
from detector.jobs.accept import Made, Said
from detector.queries.acceptances import document
from detector.queries.known import names_of
from detector.queries.names import known_services
from detector.store.acceptances import Use

_LIVING: Final = ("pending", "open", "accepted")


class Door(Protocol):
    """What `parity accept` needs, wherever the drifts are."""

    async def drifts(self, comparison: str | None, service: str | None) -> list[dict[str, Any]]:
        """Return the drifts that are pending, open or accepted."""

    async def names(self) -> tuple[list[str], list[str]]:
        """Return the comparisons that drifts stand in, single environments included, and the services."""

    async def accept(self, drift: str, said: Said) -> dict[str, Any]:
        """Accept one drift, and return the acceptance."""

    async def accept_open(self, comparisons: tuple[str, ...], said: Said) -> dict[str, Any]:
        """Accept all that is open now, and return the acceptance."""

    async def acceptances(self) -> list[dict[str, Any]]:
        """Return what is accepted."""

    async def end(self, id: str, by: str) -> dict[str, Any]:
        """End an acceptance, and return it."""


class Here:
    """The database of this machine, where no service runs on it."""

    def __init__(self, config: Config) -> None:
        self._config = config

    async def drifts(self, comparison: str | None, service: str | None) -> list[dict[str, Any]]:
        """Return the drifts that are pending, open or accepted."""
        async with reading(self._config) as here:
            rows = await here.store.register(comparison=comparison, service=service, states=_LIVING)
            return [row.document() for row in rows]

    async def names(self) -> tuple[list[str], list[str]]:
        """Return the comparisons that drifts stand in, single environments included, and the services."""
        async with reading(self._config) as here:
            policy = here.settings.policy
            return names_of(*policy.pairs), await known_services(here.store, policy)

    async def accept(self, drift: str, said: Said) -> dict[str, Any]:
        """Accept one drift, and return the acceptance."""
        return await self._made(lambda accepting, now: accepting.drift(drift, said, now=now))

    async def accept_open(self, comparisons: tuple[str, ...], said: Said) -> dict[str, Any]:
        """Accept all that is open now, and return the acceptance."""
        match = MatchEntry(comparison=comparisons).match()
        return await self._made(lambda accepting, now: accepting.matching(match, said, later=False, now=now))

    async def acceptances(self) -> list[dict[str, Any]]:
        """Return what is accepted."""
        async with reading(self._config) as here:
            return await here.accepted.documents(now=datetime.now(UTC))

    async def end(self, id: str, by: str) -> dict[str, Any]:
        """End an acceptance, and return it."""
        now = datetime.now(UTC)
        try:
            async with running(self._config) as here:
                ended = await here.accepting.end(id, by=by, now=now)
                await here.watch.review(now)
                return await here.reading.accepted.document(ended, now=now)
        except StoreInUseError as error:
            raise _in_use(error) from None

    async def _made(self, make: Any) -> dict[str, Any]:
        now = datetime.now(UTC)
        try:
            async with running(self._config) as here:
                made: Made = await make(here.accepting, now)
                # What an accepted cause explains is accepted with it: that is settled at once.
                await here.watch.review(now)
        except StoreInUseError as error:
            raise _in_use(error) from None
        use = Use(now=made.hides, ever=made.hides, last=None)
        return {**document(made.acceptance, use, now=now), "hides": made.hides}


class There:
    """A running service. Whoever holds the token, or opened its socket, is the author."""

    def __init__(self, server: str | Path, token: str | None = None) -> None:
        self._server, self._token = server, token

    async def drifts(self, comparison: str | None, service: str | None) -> list[dict[str, Any]]:
        """Return the drifts that are pending, open or accepted."""
        wanted = {"comparison": comparison, "service": service}
        params = {name: word for name, word in wanted.items() if word is not None}
        async with Remote(self._server, self._token) as remote:
            return [one for one in await remote.all("/drift", params) if one["state"] in _LIVING]

    async def names(self) -> tuple[list[str], list[str]]:
        """Return the comparisons that drifts stand in, single environments included, and the services."""
        async with Remote(self._server, self._token) as remote:
            pairs = await remote.all("/comparisons", {})
            services = await remote.all("/services", {})
        names = [one[side] for side in ("name", "left", "right") for one in pairs]
        return list(dict.fromkeys(names)), [one["service"] for one in services]

    async def accept(self, drift: str, said: Said) -> dict[str, Any]:
        """Accept one drift, and return the acceptance."""
        return await self._post(f"/drift/{drift}/accept", _body(said))

    async def accept_open(self, comparisons: tuple[str, ...], said: Said) -> dict[str, Any]:
        """Accept all that is open now, and return the acceptance."""
        match = {"comparison": list(comparisons)} if comparisons else {}
        return await self._post("/accepted", {**_body(said), "match": match, "baseline": True})

    async def acceptances(self) -> list[dict[str, Any]]:
        """Return what is accepted."""
        async with Remote(self._server, self._token) as remote:
            return await remote.all("/accepted", {})

    async def end(self, id: str, by: str) -> dict[str, Any]:
        """End an acceptance, and return it."""
        async with Remote(self._server, self._token) as remote:
            return await remote.ask("DELETE", f"/accepted/{id}")

    async def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        async with Remote(self._server, self._token) as remote:
            return await remote.ask("POST", path, body=body, headers={"Idempotency-Key": str(uuid4())})


def _body(said: Said) -> dict[str, Any]:
    from detector.model.clock import print_time

    until = {"until": said.until} if said.until else {}
    return {"reason": said.reason, "expires": print_time(said.expires_at.replace(microsecond=0)), **until}


def _in_use(error: StoreInUseError) -> StoreInUseError:
    # A service of this machine would have been asked through its socket.
    remedy = "or ask the service with --server URL, or write a file with --print"
    return StoreInUseError(f"{error}, {remedy}")
