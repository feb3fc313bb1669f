"""Sees services of Amazon ECS: what their task definitions configure and which images run."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar, Final

from pydantic import Field

from collectors import _aws
from collectors._containers import OF_CONTAINERS
from collectors._ecs_facts import kind_of, main_container, sections_of
from collectors._replicas import merged
from collectors._unseen import unseen_part
from detector.collector import Collected, Context, Seen
from detector.errors import NotThereError, UnseenError
from detector.model.facts import Section
from detector.model.words import MAIN, Basis, SectionName, Traffic

#: What the API takes in one call.
_SERVICES_A_CALL: Final = 10
_TASKS_A_CALL: Final = 100
#: Services that are asked about at the same time.
_AT_ONCE: Final = 4
#: Tasks that weigh in the values of a rollout.
_MOST_WEIGHT: Final = 100


class EcsOptions(_aws.AwsOptions):
    """Which cluster and service."""

    cluster: str = Field("default", description="Name or ARN of the cluster.", min_length=1)
    service: str | None = Field(
        None, description="Name of the ECS service; else the name that the service has in Parity."
    )
    container: str | None = Field(
        None,
        description="Name of the container that is the service itself; else the one of the service's name, "
        "else the first essential one. Others are its sidecars.",
    )
    service_tag: str | None = Field(
        None, description="Tag of the ECS service that names the service, where a discovery sees many."
    )
    compare: tuple[str, ...] = Field(
        (), description="Variables that carry a fingerprint although they are booleans or short words."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What ECS said of one service."""

    service: Mapping[str, Any]
    #: By ARN, every task definition that a deployment or task set of the service uses.
    definitions: Mapping[str, Mapping[str, Any]]
    tasks: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    #: Why the running tasks could not be read.
    tasks_unseen: UnseenError | None = None


class EcsCollector:
    """Sees one service, or with a discovery every service of a cluster."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "ecs"
    Options: ClassVar[type[EcsOptions]] = EcsOptions
    basis: ClassVar[Basis] = "running"
    #: Of ``dependencies`` it only knows the architecture: its failure says nothing of packages.
    sections: ClassVar[tuple[SectionName, ...]] = ("config", "release", *OF_CONTAINERS)
    cannot_see: ClassVar[tuple[str, ...]] = (
        "what is installed inside an image",
        "libraries inside binaries and jars",
        "values of secrets: only which one is referred to",
    )

    async def collect(self, options: EcsOptions, context: Context) -> Collected:
        client = await context.in_thread(_aws.client, "ecs", options, self.name)
        run = partial(context.in_thread, _aws.answer, client)
        run_pages = partial(context.in_thread, _aws.pages, client)
        if context.service is not None:
            names = [options.service or context.service]
        else:
            names = await run_pages("list_services", "serviceArns", cluster=options.cluster)
        described = await _described(run, options, names)
        if context.service is not None and not described:
            detail = f"no active ECS service {names[0]} in cluster {options.cluster} of {options.region}"
            raise NotThereError(detail)
        turn = asyncio.Semaphore(_AT_ONCE)

        async def ask(service: Mapping[str, Any]) -> tuple[tuple[Seen, ...], tuple[str, ...]]:
            async with turn:
                try:
                    answers = await _fetch(run, run_pages, options.cluster, service)
                except UnseenError as error:
                    if context.service is not None:
                        raise
                    return (), (f"{service.get('serviceName')}: {error}",)
            return facts_from_answers(answers, options, context), ()

        results = await asyncio.gather(*(ask(service) for service in described))
        warnings = tuple(warning for _, more in results for warning in more)
        seen = tuple(one for found, _ in results for one in found)
        return Collected(seen=seen, warnings=warnings, complete=not warnings)


async def _described(run: Any, options: EcsOptions, names: Sequence[str]) -> list[Mapping[str, Any]]:
    # Tags ask for a right of their own: only where one is wanted.
    include = {"include": ["TAGS"]} if options.service_tag else {}
    found: list[Mapping[str, Any]] = []
    for start in range(0, len(names), _SERVICES_A_CALL):
        some = names[start : start + _SERVICES_A_CALL]
        answer = await run("describe_services", cluster=options.cluster, services=list(some), **include)
        _require_told(answer)
        found += [one for one in answer.get("services") or () if one.get("status") != "INACTIVE"]
    return found


def _require_told(answer: Mapping[str, Any]) -> None:
    """Raise UnseenError where AWS leaves out a service for another reason than that there is none."""
    for failure in answer.get("failures") or ():
        if failure.get("reason") != "MISSING":
            raise UnseenError("unreachable", "ecs:DescribeServices: AWS told of some services only")


async def _fetch(run: Any, run_pages: Any, cluster: str, service: Mapping[str, Any]) -> Answers:
    arns = dict.fromkeys(
        str(one["taskDefinition"]) for one in (service, *_rounds(service)) if one.get("taskDefinition")
    )
    definitions = {
        arn: (await run("describe_task_definition", taskDefinition=arn)).get("taskDefinition") or {}
        for arn in arns
    }
    tasks: list[Mapping[str, Any]] = []
    try:
        running = await run_pages(
            "list_tasks", "taskArns", cluster=cluster, serviceName=service["serviceName"]
        )
        for start in range(0, len(running), _TASKS_A_CALL):
            some = running[start : start + _TASKS_A_CALL]
            tasks += (await run("describe_tasks", cluster=cluster, tasks=some)).get("tasks") or ()
    except UnseenError as error:
        return Answers(service=service, definitions=definitions, tasks_unseen=error)
    return Answers(service=service, definitions=definitions, tasks=tasks)


def _rounds(service: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return deployments (rolling) or task sets (blue/green, external), the primary one first."""
    found = [*(service.get("taskSets") or ()), *(service.get("deployments") or ())]
    return sorted(found, key=lambda one: one.get("status") != "PRIMARY")


def facts_from_answers(answers: Answers, options: EcsOptions, context: Context) -> tuple[Seen, ...]:
    """Return what one service says of each of its containers.

    Of a rolling deployment both task definitions take traffic: release values are counts per task, the rest
    is that of most tasks. Of a blue/green one, task sets that are not primary are idle.
    """
    service = answers.service
    rounds = [one for one in _rounds(service) if one.get("taskDefinition") in answers.definitions]
    sets = {str(one.get("taskDefinition")) for one in service.get("taskSets") or ()}
    if sets or not rounds:
        live = str((rounds or [service])[0].get("taskDefinition"))
    else:
        # The first of equals is the primary one.
        live = str(max(rounds, key=lambda one: int(one.get("runningCount") or 0)).get("taskDefinition"))

    def of(arn: str, traffic: Traffic = "live") -> tuple[Seen, ...]:
        return _seen(answers, arn, traffic, options, context)

    if not sets:
        return _rolled_out(live, rounds, of)
    idle = [arn for arn in dict.fromkeys(str(one["taskDefinition"]) for one in rounds) if arn != live]
    return (*of(live), *(one for arn in idle for one in of(arn, "idle")))


def _seen(
    answers: Answers, arn: str, traffic: Traffic, options: EcsOptions, context: Context
) -> tuple[Seen, ...]:
    definition = answers.definitions.get(arn) or {}
    name = str(answers.service.get("serviceName") or "")
    main = main_container(definition, name, options.container)
    tasks = [task for task in answers.tasks if task.get("taskDefinitionArn") == arn]
    found = []
    for container in definition.get("containerDefinitions") or ():
        kind = kind_of(definition, container, main)
        sections = sections_of(definition, container, tasks, context.fingerprinter, options.compare)
        if kind != "job":
            counted = sections["concurrency"]
            desired = answers.service.get("desiredCount")
            sections["concurrency"] = replace(counted, facts={**counted.facts, "replicas": desired})
        if answers.tasks_unseen is not None and "image#digest" not in sections["release"].facts:
            sections["release"] = _without_digest(sections["release"], answers.tasks_unseen)
        found.append(
            Seen(
                service=_named(answers.service, options) if context.service is None else None,
                component=MAIN if kind == "process" else str(container.get("name")),
                component_kind=kind,
                traffic=traffic,
                sections=sections,
            )
        )
    return tuple(found)


def _named(service: Mapping[str, Any], options: EcsOptions) -> str:
    """Return what a discovered service is called: by its tag, without one by its own name."""
    tags = {str(tag.get("key")): str(tag.get("value")) for tag in service.get("tags") or ()}
    return tags.get(options.service_tag or "") or str(service.get("serviceName") or "")


def _without_digest(release: Section, error: UnseenError) -> Section:
    part = unseen_part("image#digest", error)
    return replace(release, status="partial", unseen=(*release.unseen, part))


def _rolled_out(
    live: str, rounds: Sequence[Mapping[str, Any]], of: Callable[[str], tuple[Seen, ...]]
) -> tuple[Seen, ...]:
    """Return the live definition, its release with the values of every deployment that runs tasks."""
    weights = {str(one["taskDefinition"]): int(one.get("runningCount") or 0) for one in rounds}
    running = {arn: min(weight, _MOST_WEIGHT) for arn, weight in weights.items() if weight}
    if len(running) < 2:
        return of(live)
    releases: dict[str, list[dict[SectionName, Section]]] = defaultdict(list)
    for arn in (live, *(other for other in running if other != live)):
        for one in of(arn):
            releases[one.component] += [{"release": one.sections["release"]}] * running[arn]
    return tuple(
        replace(one, sections={**one.sections, **merged(releases[one.component])}) for one in of(live)
    )
