"""The gate: one answer for a pipeline, on what is, or on what would be after a promotion."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from detector.config.policy import Policy
from detector.engine.arrival import Arrival, arrival_of
from detector.engine.comparison import ServiceVerdicts
from detector.engine.policy import Pair
from detector.errors import NotFoundError, UsageError, did_you_mean
from detector.model.expressions import AsOf, EnvironmentState, Now
from detector.model.records import Interval
from detector.model.words import Severity
from detector.queries.answering import FIRMNESS, Answer, answer_of
from detector.queries.arriving import arrival_document, attached
from detector.queries.comparison import Comparisons
from detector.store.store import Store

SCHEMA: Final = "parity.gate/v1"
#: What an image is known by.
_NAMES: Final = (
    ("release", "image#tag"),
    ("release", "image#digest"),
    ("release", "image#index"),
    ("release", "image#id"),
    ("release", "image#repository"),
    ("codebase", "repo#commit"),
)
#: Fewer letters of a commit are anything.
_SHORTEST_COMMIT: Final = 7
#: The last moment of a state that was replaced.
_BEFORE: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What is to be promoted: the state it is in, and of which services."""

    state: EnvironmentState
    #: None: of all.
    services: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Answers whether something may go on."""

    store: Store
    comparisons: Comparisons
    policy: Callable[[], Policy]

    async def standing(self, *, fail_on: Severity, allow_incomplete: bool, now: datetime) -> dict[str, Any]:
        """Return ``parity.gate/v1`` of every gated comparison as it is. Raises UsageError without any."""
        documents = []
        for pair in self._gated():
            left, right = Now(environment=pair.left.name), Now(environment=pair.right.name)
            found = (await self.comparisons.compare(left, right, now=now)).document()
            _count_due(found)
            documents.append(found)
        return _answered(documents, fail_on=fail_on, allow_incomplete=allow_incomplete)

    async def promoting(
        self, asked: str, *, to: str | None, fail_on: Severity, allow_incomplete: bool, now: datetime
    ) -> dict[str, Any]:
        """Return ``parity.gate/v1`` of what would be, were an environment's releases or an image promoted.

        Raises NotFoundError for a name that is neither an environment nor an image ever seen, UsageError for
        a promotion that leads nowhere.
        """
        release = await self._release(asked, to, now)
        documents, services = [], []
        for pair in self._ways(release.state.environment, to):
            arrivals: list[Arrival] = []

            def arriving(*both: Any, _found: list[Arrival] = arrivals, **rest: Any) -> ServiceVerdicts:
                _found.append(arrival_of(*both, **rest))
                return _found[-1].after

            right = Now(environment=pair.right.name)
            found = await self.comparisons.compare(
                release.state, right, now=now, services=self._with_servers(release), judging=arriving
            )
            documents.append(found.document())
            services += [
                arrival_document(arrival, pair, servers)
                for arrival, servers in attached(arrivals, self.policy().services)
            ]
        answered = _answered(documents, fail_on=fail_on, allow_incomplete=allow_incomplete)
        to_all = [document["right"]["environment"] for document in documents]
        promote = {"asked": asked, "from": str(release.state), "to": to_all}
        return {**answered, "promote": promote, "services": services}

    def _with_servers(self, release: Release) -> tuple[str, ...] | None:
        """Return the services that a promotion is about, with the servers that they use."""
        if release.services is None:
            return None
        every = self.policy().services.values()
        servers = (one.name for one in every if set(one.used_by) & set(release.services))
        return (*release.services, *servers)

    def _gated(self) -> list[Pair]:
        policy = self.policy()
        pairs = [pair for pair in policy.pairs if pair.name in policy.gated]
        pairs = pairs or [pair for pair in policy.pairs if pair.right.tier == "production" and not pair.peers]
        if not pairs:
            raise UsageError(
                "no comparison; mark one with gate: true, or give an environment tier: production"
            )
        return pairs

    def _ways(self, origin: str, to: str | None) -> list[Pair]:
        """Return the pairs that a promotion out of an environment crosses."""
        policy = self.policy()
        if to is not None:
            pair, turned = policy.pair(origin, to)
            if turned or pair.left == pair.right:
                raise UsageError(f"{origin} is not promoted to {to}: it does not come before it")
            return [pair]
        onward = [pair for pair in policy.pairs if pair.left.name == origin and not pair.peers]
        found = [pair for pair in onward if pair.name in policy.gated] or onward
        if not found:
            raise UsageError(
                f"nothing is promoted from {origin}: no comparison begins there; name one with --to"
            )
        return found

    async def _release(self, asked: str, to: str | None, now: datetime) -> Release:
        environments = self.policy().environments
        if asked in environments:
            return Release(state=Now(environment=asked))
        seen = await self._seen(asked)
        # Out of the environment that comes last before where it shall go.
        order = [name for name in environments if name in seen and name != to]
        for name in reversed(order):
            try:
                self._ways(name, to)
            except UsageError:
                continue
            return _of(name, seen[name], now)
        if not seen:
            hint = did_you_mean(asked, list(environments))
            raise NotFoundError(f"no environment {asked}{hint}, and no image of that name was ever seen")
        raise UsageError(f"{asked} was seen in {', '.join(seen)} alone: nothing is promoted from there")

    async def _seen(self, asked: str) -> dict[str, dict[str, Interval]]:
        """Return environment -> service -> when an image last ran there."""
        by_service: dict[tuple[str, str], dict[str, list[Interval]]] = {}
        for (environment, key), intervals in (await self.store.timelines(_NAMES)).items():
            service, _, _, item = key
            by_service.setdefault((environment, service), {}).setdefault(item, []).extend(intervals)
        found: dict[str, dict[str, Interval]] = {}
        for (environment, service), facts in by_service.items():
            sightings = _sightings(asked, facts)
            if sightings:
                # What still runs is the newest of all.
                last = max(sightings, key=lambda one: (one.closed is None, one.closed or one.opened))
                found.setdefault(environment, {})[service] = last
        return found


def _of(environment: str, seen: Mapping[str, Interval], now: datetime) -> Release:
    services = tuple(sorted(seen))
    closed = [one.closed for one in seen.values() if one.closed is not None]
    if len(closed) < len(seen):
        return Release(state=Now(environment=environment), services=services)
    return Release(state=AsOf(environment=environment, at=min(max(closed) - _BEFORE, now)), services=services)


def _sightings(asked: str, facts: Mapping[str, Sequence[Interval]]) -> list[Interval]:
    """Return when a service ran what is asked for: a tag, ``repository:tag``, a digest, an id or a commit."""
    name, at, digest = asked.partition("@")
    if at:
        return _with(facts, ("image#digest", "image#index"), digest)
    if asked.startswith("sha256:"):
        return _with(facts, ("image#digest", "image#index", "image#id"), asked)
    repository, colon, tag = name.rpartition(":")
    if colon:
        here = [one.value for one in facts.get("image#repository", ()) if isinstance(one.value, str)]
        return _with(facts, ("image#tag",), tag) if _is_called(repository, here) else []
    commits = facts.get("repo#commit", ()) if len(asked) >= _SHORTEST_COMMIT else ()
    return [
        *_with(facts, ("image#tag",), asked),
        *(one for one in commits if isinstance(one.value, str) and one.value.startswith(asked)),
    ]


def _is_called(repository: str, known: Sequence[str]) -> bool:
    """Tell whether a repository is one of the known: with its registry, or without its first part."""
    return any(
        one == repository or repository.endswith(f"/{one}") or one.endswith(f"/{repository}") for one in known
    )


def _with(facts: Mapping[str, Sequence[Interval]], items: Sequence[str], value: str) -> list[Interval]:
    return [one for item in items for one in facts.get(item, ()) if one.value == value]


def _answered(
    documents: Sequence[dict[str, Any]], *, fail_on: Severity, allow_incomplete: bool
) -> dict[str, Any]:
    answers = [
        answer_of(document, fail_on=fail_on, allow_incomplete=allow_incomplete, waits=True)
        for document in documents
    ]
    code = min((answer.code for answer in answers), key=FIRMNESS.index)
    return {
        "schema": SCHEMA,
        "exit_code": code,
        "reason": _why(code, documents, answers),
        "comparisons": list(documents),
    }


def _why(code: int, documents: Sequence[Mapping[str, Any]], answers: Sequence[Answer]) -> str:
    firmest = [
        (document, answer.why)
        for document, answer in zip(documents, answers, strict=True)
        if answer.code == code
    ]
    document, why = firmest[0]
    pair = f"{document['left']['expression']}..{document['right']['expression']}"
    more = f"; {len(firmest) - 1} more comparisons answer the same" if len(firmest) > 1 else ""
    return f"{why} ({pair}{more})"


def _count_due(document: dict[str, Any]) -> None:
    """Take for drift what a leading release needs and the right lacks, in the items and in the counts."""
    for item in document["items"]:
        if item["due"] and item["verdict"] == "expected":
            item["verdict"] = "drift"
            document["summary"]["expected"] -= 1
            document["summary"][item["severity"]] += 1
