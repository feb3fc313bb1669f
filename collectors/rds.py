"""Sees a database of Amazon RDS: its product, its version, and the settings of its parameter groups."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Final

from pydantic import Field

from collectors import _aws
from collectors._server_settings import MYSQL, POSTGRESQL, setting
from collectors._unseen import unseen_part
from detector.collector import Collected, Context, Seen
from detector.errors import UnseenError
from detector.model.facts import Section, Value
from detector.model.words import MAIN, Basis, SectionName

_PRODUCTS: Final = {"postgres": "postgresql"}
_PRODUCT: Final = re.compile(r"[a-z][a-z0-9-]{1,31}")
#: A value that AWS works out from the size of the machine is no setting that another server could share.
_FORMULA: Final = re.compile(r"[{}]")
#: Parameters that make the server refuse connections without TLS.
_TLS: Final = frozenset({"rds.force_ssl", "require_secure_transport"})


class RdsOptions(_aws.AwsOptions):
    """Which database."""

    id: str = Field(
        description="Identifier of the instance or of the cluster.", pattern=r"^[A-Za-z0-9-]{1,255}$"
    )
    alias: str = Field(
        MAIN, alias="as", description="Name of this server in items, where a service has several."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What RDS said of one database."""

    #: An entry of DescribeDBInstances or of DescribeDBClusters.
    database: Mapping[str, Any]
    #: Those of the instance after those of its cluster: the later one wins.
    parameters: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    unseen: tuple[UnseenError, ...] = ()
    #: Whether a change of the parameter groups waits for a restart.
    pending: bool = False


class RdsCollector:
    """Sees one instance or cluster from the outside, without a connection to it."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "rds"
    Options: ClassVar[type[RdsOptions]] = RdsOptions
    basis: ClassVar[Basis] = "running"
    sections: ClassVar[tuple[SectionName, ...]] = ("backing_services",)
    cannot_see: ClassVar[tuple[str, ...]] = (
        "settings that a session or a database overrides",
        "extensions and migrations: the source postgres sees them",
    )

    async def collect(self, options: RdsOptions, context: Context) -> Collected:
        client = await context.in_thread(_aws.client, "rds", options, self.name)
        answers = await _fetch(client, options, context)
        return Collected(
            seen=(Seen(sections={"backing_services": facts_from_answers(answers, options.alias)}),)
        )


async def _fetch(client: Any, options: RdsOptions, context: Context) -> Answers:
    run = partial(context.in_thread, _aws.answer, client)
    run_pages = partial(context.in_thread, _aws.pages, client)
    try:
        found = (await run("describe_db_instances", DBInstanceIdentifier=options.id)).get("DBInstances")
    except UnseenError as error:
        if error.reason != "not_in_view":
            raise
        found = (await run("describe_db_clusters", DBClusterIdentifier=options.id)).get("DBClusters")
    if not found:
        raise UnseenError("not_in_view", f"no database {options.id} in {options.region}")
    database: Mapping[str, Any] = found[0]
    groups = [
        ("describe_db_parameters", {"DBParameterGroupName": str(group["DBParameterGroupName"])})
        for group in database.get("DBParameterGroups") or ()
    ]
    unseen: list[UnseenError] = []
    cluster = database.get("DBClusterParameterGroup")
    if cluster is None and (member_of := database.get("DBClusterIdentifier")):
        try:
            clusters = await run("describe_db_clusters", DBClusterIdentifier=member_of)
            cluster = (clusters.get("DBClusters") or [{}])[0].get("DBClusterParameterGroup")
        except UnseenError as error:
            unseen.append(error)
    if cluster:
        groups.insert(0, ("describe_db_cluster_parameters", {"DBClusterParameterGroupName": str(cluster)}))
    parameters: list[Mapping[str, Any]] = []
    for operation, words in groups:
        try:
            parameters += await run_pages(operation, "Parameters", **words)
        except UnseenError as error:
            unseen.append(error)
    states = [str(one.get("ParameterApplyStatus")) for one in database.get("DBParameterGroups") or ()]
    return Answers(
        database=database,
        parameters=parameters,
        unseen=tuple(unseen),
        pending="pending-reboot" in states,
    )


def facts_from_answers(answers: Answers, alias: str = MAIN) -> Section:
    """Return what RDS says of a database. Parameters left at AWS's default are not told: not covered."""
    engine = str(answers.database.get("Engine") or "")
    product = _PRODUCTS.get(engine, engine)
    version = str(answers.database.get("EngineVersion") or "")
    facts: dict[str, Value] = {}
    if _PRODUCT.fullmatch(product):
        facts[f"{alias}#product"] = product
    hints: dict[str, dict[str, Any]] = {}
    if version:
        upgrades = bool(answers.database.get("AutoMinorVersionUpgrade"))
        facts[f"{alias}#version"] = version
        hints[f"{alias}#version"] = {"managed": True, "auto_minor_upgrade": upgrades}
    for name, value in _settings(answers.parameters, pending=answers.pending):
        if name in _TLS:
            if value is True:
                facts[f"{alias}#tls"] = True
        else:
            facts[f"{alias}#setting/{name}"] = value
    unseen = tuple(unseen_part(f"{alias}#setting/*", error) for error in answers.unseen)
    return Section(
        basis="running",
        status="partial" if unseen else "complete",
        facts=facts,
        hints=hints,
        covers=(),
        unseen=unseen,
    )


def _settings(parameters: Iterable[Mapping[str, Any]], *, pending: bool) -> Iterable[tuple[str, Value]]:
    for parameter in parameters:
        name = str(parameter.get("ParameterName") or "").lower()
        value = parameter.get("ParameterValue")
        if value is None or name not in POSTGRESQL | MYSQL | _TLS or _FORMULA.search(str(value)):
            continue
        if pending and parameter.get("ApplyType") == "static":
            continue  # the server still runs with the value before
        boolean = parameter.get("DataType") == "boolean" or name in _TLS
        yield name, setting(name, str(value), boolean=boolean)
