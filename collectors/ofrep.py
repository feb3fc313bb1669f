"""Sees the feature flags of a provider that speaks the OpenFeature Remote Evaluation Protocol."""

from typing import Any, ClassVar

import orjson
from pydantic import Field, SecretStr

from collectors._http import json_at
from collectors._key_options import KeyOptions
from collectors.readers._keys import Keys
from collectors.readers.settings import is_setting
from detector.collector import Collected, Context, Seen
from detector.errors import UnseenError
from detector.model.facts import Section, Unseen
from detector.model.shapes import shape_of
from detector.model.words import MAIN, Basis, SectionName


class OfrepOptions(KeyOptions):
    """Where the provider is, and for whom flags are evaluated."""

    url: str = Field(
        description="Address of the provider, without user and password.", pattern=r"^https?://[^@\s?#]+$"
    )
    authorization: SecretStr | None = Field(None, description="The header Authorization, such as `Bearer …`.")
    context: dict[str, str] = Field(
        {"targetingKey": "parity"}, description="The evaluation context for which flags are asked."
    )
    prefix: str = Field(
        "flag/",
        description="Put in front of each name, so that flags stand apart from variables.",
        pattern=r"^([A-Za-z_][A-Za-z0-9_./-]*)?$",
    )
    component: str = Field(MAIN, description="Component of the service that asks for the flags.")


class OfrepCollector:
    """Evaluates all flags at once for one context."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "ofrep"
    Options: ClassVar[type[OfrepOptions]] = OfrepOptions
    basis: ClassVar[Basis] = "running"
    sections: ClassVar[tuple[SectionName, ...]] = ("config",)
    cannot_see: ClassVar[tuple[str, ...]] = (
        "what a flag is for another context: rules and percentages",
        "flags that a provider does not evaluate at once",
    )

    async def collect(self, options: OfrepOptions, context: Context) -> Collected:
        headers = {}
        if options.authorization is not None:
            headers["Authorization"] = options.authorization.get_secret_value()
        url = f"{options.url.rstrip('/')}/ofrep/v1/evaluate/flags"
        answer, _ = await json_at(context, url, headers=headers, body={"context": options.context})
        keys = options.new_keys(context.fingerprinter, valid=is_setting, source_class="platform")
        section = config_from_flags(answer, keys)
        return Collected(seen=(Seen(sections={"config": section}, component=options.component),))


def config_from_flags(answer: Any, keys: Keys) -> Section:
    """Return the flags, each with the shape of its variant or else of its value. Raises UnseenError."""
    flags = answer.get("flags") if isinstance(answer, dict) else None
    if not isinstance(flags, list):
        raise UnseenError("malformed", "the answer has no flags: is this an OFREP provider?")
    refused = 0
    for flag in flags:
        name = flag.get("key") if isinstance(flag, dict) else None
        if not isinstance(name, str) or not keys.allows(name):
            refused += 1
        elif "errorCode" in flag:
            keys.hide(name, "the provider could not evaluate it")
        else:
            variant = flag.get("variant") or flag.get("value")
            text = variant if isinstance(variant, str) else orjson.dumps(variant).decode()
            key = keys.naming.key(name)
            # The name of a variant is a short word, and no secret.
            keys.shaped(name, shape_of(key, text, keys.fingerprinter, source_class="platform", compare=True))
    if refused:
        detail = f"{refused} names of flags that can be no keys"
        keys.unseen.append(Unseen(item="*", reason="unsupported", detail=detail))
    return keys.section("running", ("platform",))
