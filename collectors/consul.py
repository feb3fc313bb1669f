"""Sees the config keys that Consul's KV store holds (/v1/kv)."""

from typing import Any, ClassVar

from pydantic import Field, SecretStr

from collectors._http import json_at
from collectors._stores import SEEN_IN_A_STORE, StoreOptions, text_of
from collectors.readers._keys import Keys
from collectors.readers.settings import is_setting
from detector.collector import Collected, Context, Seen
from detector.errors import UnseenError
from detector.model.facts import Section, Unseen
from detector.model.shapes import reference_shape
from detector.model.words import Basis, SectionName

_FILTERED = "X-Consul-Results-Filtered-By-ACLs"


class ConsulOptions(StoreOptions):
    """Where Consul is, and which of its keys are of this service."""

    token: SecretStr | None = Field(None, description="ACL token that may read the keys.")
    datacenter: str | None = Field(None, description="A datacenter other than the agent's.", max_length=64)
    values: bool = Field(True, description="Whether values are asked for; without them only names are.")


class ConsulCollector:
    """Asks for all keys below a path at once."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "consul"
    Options: ClassVar[type[ConsulOptions]] = ConsulOptions
    basis: ClassVar[Basis] = "running"
    sections: ClassVar[tuple[SectionName, ...]] = ("config",)
    cannot_see: ClassVar[tuple[str, ...]] = ("which of the keys a service reads",)

    async def collect(self, options: ConsulOptions, context: Context) -> Collected:
        token = options.token.get_secret_value() if options.token else ""
        headers = {"X-Consul-Token": token} if token else {}
        query = "recurse=true" if options.values else "keys=true"
        if options.datacenter:
            query += f"&dc={options.datacenter}"
        remedy = "the token needs key_prefix with policy read, and list where `values` is false"
        try:
            url = f"{options.asked('v1/kv', options.path)}?{query}"
            answer, told = await json_at(context, url, headers=headers, remedy=remedy)
        except UnseenError as error:
            if error.reason == "not_in_view":
                detail = f"Consul shows no key below {options.path or 'the root'}: {remedy}"
                raise UnseenError("not_in_view", detail) from None
            raise
        keys = options.new_keys(context.fingerprinter, valid=is_setting)
        if told.get(_FILTERED, "").lower() == "true":
            keys.unseen.append(Unseen(item="*", reason="denied", detail=f"Consul left keys out: {remedy}"))
        section = config_from_kv(answer, keys, options.path)
        return Collected(seen=(Seen(sections={"config": section}, component=options.component),))


def config_from_kv(answer: Any, keys: Keys, path: str) -> Section:
    """Return the keys of an answer: names alone, or names with values in base64. Raises UnseenError."""
    if not isinstance(answer, list):
        raise UnseenError("malformed", "Consul answered no list of keys")
    refused = 0
    for entry in answer:
        name = entry.get("Key") if isinstance(entry, dict) else entry
        if not isinstance(name, str) or name.endswith("/"):
            continue  # a folder
        name = name.removeprefix(path)
        if not keys.allows(name):
            refused += 1
        elif isinstance(entry, dict):
            keys.set(name, text_of(entry.get("Value")))
        else:
            keys.shaped(name, reference_shape("literal"))
    if refused:
        detail = f"{refused} names of Consul that can be no keys"
        keys.unseen.append(Unseen(item="*", reason="unsupported", detail=detail))
    return keys.section("running", SEEN_IN_A_STORE)
