"""Sees what a JSON endpoint says of a service: its build, its commit, its version."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

import orjson
from pydantic import Field, SecretStr, StringConstraints, field_validator

from collectors._http import is_masked, json_at, place_of
from detector.collector import Collected, CollectorOptions, Context, Seen
from detector.errors import UnseenError
from detector.model.addresses import repository_url
from detector.model.facts import Section, Unseen, Value
from detector.model.fingerprints import Fingerprinter
from detector.model.items import is_config_key
from detector.model.shapes import reference_shape, shape_of
from detector.model.words import Basis, SectionName

_LONGEST_TEXT: Final = 512
_DEEPEST: Final = 64

Place = Annotated[str, StringConstraints(min_length=1, max_length=512)]


class HttpOptions(CollectorOptions):
    """Which endpoint, and where in its answer the facts stand."""

    url: str = Field(
        description="Address that answers JSON, without user and password.", pattern=r"^https?://[^@\s]+$"
    )
    paths: dict[SectionName, dict[str, Place]] = Field(
        description="Section -> item -> place in the answer: a dotted path (git.commit.id, modules.0.name) "
        "or a JSON pointer (/git/commit.id).",
        min_length=1,
    )
    authorization: SecretStr | None = Field(None, description="The header Authorization, such as `Bearer …`.")
    headers: dict[str, SecretStr] = Field({}, description="Further headers of the request.")
    compare: tuple[str, ...] = Field(
        (), description="Config keys that carry a fingerprint although they are booleans or short words."
    )

    @field_validator("paths")
    @classmethod
    def _keys(cls, paths: dict[SectionName, dict[str, str]]) -> dict[SectionName, dict[str, str]]:
        if not all(is_config_key(key) for key in paths.get("config", {})):
            raise ValueError("under config: a name that is no config key")
        return paths


class HttpCollector:
    """Asks one endpoint with GET. It follows no redirect: where one leads, nobody looked."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "http"
    Options: ClassVar[type[HttpOptions]] = HttpOptions
    basis: ClassVar[Basis] = "running"
    #: What such endpoints are for. Other sections of `paths` grow stale when it fails.
    sections: ClassVar[tuple[SectionName, ...]] = ("codebase", "release")
    cannot_see: ClassVar[tuple[str, ...]] = (
        "anything that the endpoint does not tell",
        "whether all replicas answer alike: it asks one",
    )

    async def collect(self, options: HttpOptions, context: Context) -> Collected:
        headers = {name: value.get_secret_value() for name, value in options.headers.items()}
        if options.authorization is not None:
            headers["Authorization"] = options.authorization.get_secret_value()
        document, _ = await json_at(context, options.url, headers=headers)
        sections = facts_from_document(document, options, context.fingerprinter)
        if not any(section.facts for section in sections.values()):
            raise UnseenError(
                "malformed", f"{place_of(options.url)}: the answer has none of the places in `paths`"
            )
        return Collected(seen=(Seen(sections=sections),))


def facts_from_document(
    document: Any, options: HttpOptions, fingerprinter: Fingerprinter
) -> dict[SectionName, Section]:
    """Return the facts that stand at the places of `paths`; a place that is not there is unseen."""
    sections: dict[SectionName, Section] = {}
    for name, places in options.paths.items():
        facts: dict[str, Value] = {}
        unseen: list[Unseen] = []
        for item, path in places.items():
            try:
                found = _at(document, path)
                facts[item] = (
                    _shape(item, found, options, fingerprinter) if name == "config" else _value(item, found)
                )
            except LookupError:
                detail = f"the answer has no {path} that is a text, a number or a truth"
                unseen.append(Unseen(item=item, reason="not_in_view", detail=detail))
        sections[name] = Section(
            basis="running",
            status="partial" if unseen else "complete",
            facts=facts,
            covers=(),
            unseen=tuple(unseen),
        )
    return sections


def _at(document: Any, path: str) -> Any:
    """Return what stands at a dotted path or JSON pointer (RFC 6901); LookupError where nothing does."""
    if path.startswith("/"):
        steps = [step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/")]
    else:
        steps = path.split(".")
    for step in steps[:_DEEPEST]:
        if isinstance(document, Mapping):
            document = document[step]
        elif isinstance(document, list) and step.isdecimal() and len(step) < 9:
            document = document[int(step)]
        else:
            raise LookupError
    if isinstance(document, dict | list) or len(steps) > _DEEPEST:
        raise LookupError
    return document


def _value(item: str, found: Any) -> Value:
    """Return a value as it is; one that is masked or too long was not shown."""
    if is_masked(found) or (isinstance(found, str) and len(found) > _LONGEST_TEXT):
        raise LookupError
    if item == "repo#url" and isinstance(found, str):
        url = repository_url(found)
        if url is None:
            raise LookupError
        return url
    value: Value = found
    return value


def _shape(key: str, found: Any, options: HttpOptions, fingerprinter: Fingerprinter) -> dict[str, Any]:
    if is_masked(found):
        return reference_shape("literal")
    if found is None:
        raise LookupError
    text = found if isinstance(found, str) else orjson.dumps(found).decode()
    return shape_of(key, text, fingerprinter, compare=key in options.compare)
