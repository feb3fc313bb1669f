"""Sees what a Spring Boot application says of itself by its actuator: config, build, backing services."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, ClassVar, Final

from pydantic import Field, SecretStr

from collectors._actuator_facts import config_from_env, sections_from_info, services_from_health
from collectors._http import json_at
from collectors._key_options import KeyOptions
from collectors._unseen import unseen_section
from collectors.readers.settings import is_setting
from detector.collector import Collected, Context, Seen
from detector.errors import UnseenError
from detector.model.facts import Section
from detector.model.words import MAIN, Basis, SectionName

#: `/health` answers so when a component is down, and tells of all components all the same.
_HEALTHY: Final = (HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE)


class ActuatorOptions(KeyOptions):
    """Where the actuator is, and which of its properties are config."""

    url: str = Field(
        description="Address of the actuator, as http://checkout:8081/actuator; no user, no password.",
        pattern=r"^https?://[^@\s?#]+$",
    )
    authorization: SecretStr | None = Field(None, description="The header Authorization, such as `Basic …`.")
    property_sources: tuple[str, ...] = Field(
        (), description="Globs of the property sources whose keys are taken; without one all are."
    )
    component: str = Field(MAIN, description="Component of the service that answers.")


class ActuatorCollector:
    """Asks `/env`, `/info` and `/health` with GET, each for itself."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "actuator"
    Options: ClassVar[type[ActuatorOptions]] = ActuatorOptions
    basis: ClassVar[Basis] = "running"
    sections: ClassVar[tuple[SectionName, ...]] = (
        "config", "codebase", "release", "dependencies", "backing_services",
    )  # fmt: skip
    cannot_see: ClassVar[tuple[str, ...]] = (
        "values that the actuator masks",
        "endpoints that the application does not expose",
        "whether all replicas answer alike: it asks one",
    )

    async def collect(self, options: ActuatorOptions, context: Context) -> Collected:
        headers = {}
        if options.authorization is not None:
            headers["Authorization"] = options.authorization.get_secret_value()
        keys = options.new_keys(context.fingerprinter, valid=is_setting)

        def config(answer: Any) -> dict[SectionName, Section]:
            return {"config": config_from_env(answer, keys, options.property_sources)}

        def services(answer: Any) -> dict[SectionName, Section]:
            return {"backing_services": services_from_health(answer)}

        asked: tuple[tuple[str, SectionName, Callable[[Any], dict[SectionName, Section]]], ...] = (
            ("env", "config", config),
            ("info", "release", sections_from_info),
            ("health", "backing_services", services),
        )
        sections: dict[SectionName, Section] = {}
        errors: list[UnseenError] = []
        for endpoint, section, read in asked:
            url = f"{options.url.rstrip('/')}/{endpoint}"
            try:
                answer, _ = await json_at(context, url, headers=headers, fine=_HEALTHY)
                sections |= read(answer)
            except UnseenError as error:
                errors.append(error)
                sections[section] = unseen_section("running", _with_remedy(error, endpoint))
        if len(errors) == len(asked):
            raise errors[0]
        return Collected(seen=(Seen(sections=sections, component=options.component),))


def _with_remedy(error: UnseenError, endpoint: str) -> UnseenError:
    if error.reason != "not_in_view":
        return error
    exposed = f"add {endpoint} to management.endpoints.web.exposure.include"
    return UnseenError("not_in_view", f"{error.detail}: {exposed}")
