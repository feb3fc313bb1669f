"""The shape of parity.yml: its top level, the server, and what is compared with what."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, Tag, field_validator, model_validator
from pydantic_core import PydanticCustomError

from detector.config.alerting import AlertingEntry
from detector.config.fields import (
    BY_FORM,
    FREE_KEYS,
    MAPPING,
    NOT_EMPTY,
    WORD,
    Address,
    Cron,
    Duration,
    EnvironmentName,
    Every,
    Freeze,
    Glob,
    Name,
    Strict,
    Timeout,
    Timezone,
    Valid,
    Validity,
    split_address,
)
from detector.config.rules import RuleEntry
from detector.config.sources import ServiceEntry
from detector.model.words import Tier


class Oidc(Strict):
    """Sign-in through an OpenID Connect provider."""

    issuer: str
    client_id: str
    client_secret: SecretStr | None = None
    scopes_by_group: dict[str, tuple[str, ...]] = Field(default={})


class OidcAuth(Strict):
    """The long form of ``auth``."""

    oidc: Oidc


class Outgoing(Strict):
    """Private addresses that Parity may call all the same."""

    allow: tuple[Address, ...] = Field(default=(), description="host:port, each let through the guard")


class Retention(Strict):
    """How long what is over is kept."""

    history: Duration = timedelta(days=2 * 365)
    messages: Duration = timedelta(days=90)


class Server(Strict):
    """Where Parity listens, what it keeps and whom it lets in."""

    listen: Address = "127.0.0.1:8080"
    public_url: str = Field(default="http://localhost:8080", description="The address in links and messages")
    database_url: SecretStr = Field(
        default=SecretStr("sqlite:///parity.db"), description="sqlite:///FILE or postgresql://…"
    )
    data_dir: Path | None = Field(
        default=None, description="Fingerprint key, lock, socket, spool; default: the database's folder"
    )
    auth: Annotated[
        Annotated[Literal["token", "none"], Tag(WORD)] | Annotated[OidcAuth, Tag(MAPPING)], BY_FORM
    ] = "token"
    outgoing: Outgoing = Outgoing()
    retention: Retention = Retention()

    @property
    def host(self) -> str:
        """The host of ``listen``, without brackets."""
        return (split_address(self.listen) or ("", 0))[0]

    @property
    def port(self) -> int:
        """The port of ``listen``."""
        return (split_address(self.listen) or ("", 0))[1]

    @field_validator("public_url")
    @classmethod
    def _is_a_web_address(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            parts.port  # noqa: B018 - reading it is the check
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
            raise PydanticCustomError("config-type", "must be http:// or https:// and a host, nothing secret")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _is_a_database(cls, value: SecretStr) -> SecretStr:
        scheme, mark, _ = value.get_secret_value().partition("://")
        if not mark or scheme.partition("+")[0] not in ("sqlite", "postgresql"):
            raise PydanticCustomError("config-type", "must begin with sqlite:/// or postgresql://")
        return value


class Defaults(Strict):
    """What every source takes unless it says otherwise."""

    every: Every | None = None
    cron: Cron | None = None
    timezone: Timezone = "UTC"
    timeout: Timeout = timedelta(seconds=30)
    valid: Valid = Field(default=Validity(runs=3), description="Of scheduled sources")

    @model_validator(mode="after")
    def _one_schedule(self) -> Self:
        if self.every is not None and self.cron is not None:
            raise PydanticCustomError("config-schedule", "give every or cron, not both")
        return self


class Group(Strict):
    """Environments that are peers: several regions of production, or tenants."""

    spread: Literal["flagged", "allowed"] = "flagged"


class Calendar(Strict):
    """When the clock of an allowance stands still."""

    freeze: tuple[Freeze, ...] = ()
    business_days: bool = False
    timezone: Timezone = "UTC"


class Environment(Strict):
    """One environment. Their order is the promotion order."""

    name: EnvironmentName
    tier: Tier = "unknown"
    group: Name | None = None
    presence: Literal["permanent", "intermittent"] = "permanent"
    calendar: Calendar = Calendar()


class ComparisonEntry(Strict):
    """A pair of environments; left is the earlier one in the promotion order."""

    left: EnvironmentName
    right: EnvironmentName
    gate: bool = False
    alert: Literal["now", "digest"] = "now"


def _version(value: Any) -> int:
    if value not in ("1", 1):
        raise PydanticCustomError("config-semantics", "this Parity reads version 1")
    return 1


class ParityFile(Strict):
    """parity.yml: what to look at, what matters, who hears."""

    version: Annotated[int, BeforeValidator(_version), Field(ge=1, le=1)]
    server: Server = Server()
    defaults: Defaults = Defaults()
    groups: Annotated[dict[Name, Group], FREE_KEYS] = Field(default={})
    environments: Annotated[tuple[Environment, ...], NOT_EMPTY]
    comparisons: tuple[ComparisonEntry, ...] | None = None
    services: tuple[ServiceEntry, ...] = ()
    rules: tuple[RuleEntry, ...] = ()
    alerting: AlertingEntry = AlertingEntry()
    accepted_drift: tuple[Glob, ...] = ()
