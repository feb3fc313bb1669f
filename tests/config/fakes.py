"""Plugins of the tests: their contracts are real, and they do nothing."""

from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, SecretStr, model_validator

from detector.collector import API, CollectorOptions
from detector.notifier import API as NOTIFIER_API
from detector.notifier import NotifierOptions


class FileOptions(CollectorOptions):
    path: Path


class FileCollector:
    API: ClassVar[int] = API
    Options = FileOptions


class PythonOptions(FileOptions):
    component: str = "main"


class PythonCollector:
    API: ClassVar[int] = API
    Options = PythonOptions


class DockerOptions(CollectorOptions):
    host: str = "unix:///var/run/docker.sock"
    label: str | None = None
    as_: str = Field(default="main", alias="as")
    verify_tls: bool = True
    service_label: str = "app"
    ephemeral: tuple[str, ...] = ()


class DockerCollector:
    API: ClassVar[int] = API
    Options = DockerOptions


class EcsOptions(CollectorOptions):
    region: str
    cluster: str
    service: str | None = None
    role_arn: str | None = None
    service_tag: str | None = None


class EcsCollector:
    API: ClassVar[int] = API
    Options = EcsOptions


class RdsOptions(CollectorOptions):
    region: str
    id: str


class RdsCollector:
    API: ClassVar[int] = API
    Options = RdsOptions


class Login(CollectorOptions):
    user: str = "parity"
    password: SecretStr | None = None


class PostgresOptions(CollectorOptions):
    dsn: SecretStr
    login: Login = Login()
    mode: Literal["simple", "full"] = "simple"
    port: int = 5432


class PostgresCollector:
    API: ClassVar[int] = API
    Options = PostgresOptions


class WebOptions(CollectorOptions):
    """Options whose own check repeats what it was given: nobody can forbid that to a stranger."""

    url: str
    headers: dict[str, SecretStr] = Field(default={})
    polite: bool = True

    @model_validator(mode="after")
    def _is_secure(self) -> Self:
        if not self.url.startswith("https://"):
            raise ValueError(f"cannot call {self.url}" if not self.polite else "needs https://")
        return self


class WebCollector:
    API: ClassVar[int] = API
    Options = WebOptions


class SlackOptions(NotifierOptions):
    channel: str = Field(pattern="^C", description="Id of the channel, not its name.")
    bot_token: SecretStr | None = None
    signing_secret: SecretStr | None = None
    api_url: str = "https://slack.com/api/"


class SlackNotifier:
    API: ClassVar[int] = NOTIFIER_API
    Options = SlackOptions


class WebhookOptions(NotifierOptions):
    url: str
    secret: SecretStr


class WebhookNotifier:
    API: ClassVar[int] = NOTIFIER_API
    Options = WebhookOptions
