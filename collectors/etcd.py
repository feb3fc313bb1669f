"""Sees the config keys that etcd holds, through its JSON gateway (v3, etcd 3.4 and later)."""

import base64
from http import HTTPStatus
from typing import Any, ClassVar, Final

from pydantic import Field, SecretStr

from collectors._http import json_at
from collectors._stores import SEEN_IN_A_STORE, StoreOptions, text_of
from collectors.readers._keys import MOST_KEYS, Keys
from collectors.readers.settings import is_setting
from detector.collector import Collected, Context, Seen
from detector.errors import UnseenError
from detector.model.facts import Unseen
from detector.model.shapes import reference_shape
from detector.model.words import Basis, SectionName

_PAGE: Final = 1_000
#: A name that was refused comes with this status as well, and says in the body what it was.
_ANSWERED: Final = (HTTPStatus.OK, HTTPStatus.BAD_REQUEST)


class EtcdOptions(StoreOptions):
    """Where etcd is, and which of its keys are of this service."""

    username: str | None = Field(None, description="User that may read the keys.", max_length=128)
    password: SecretStr | None = Field(None, description="Password of the user.")
    values: bool = Field(True, description="Whether values are asked for; without them only names are.")


class EtcdCollector:
    """Asks for all keys below a path, a page at a time, as they were at one revision."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "etcd"
    Options: ClassVar[type[EtcdOptions]] = EtcdOptions
    basis: ClassVar[Basis] = "running"
    sections: ClassVar[tuple[SectionName, ...]] = ("config",)
    cannot_see: ClassVar[tuple[str, ...]] = ("which of the keys a service reads",)

    async def collect(self, options: EtcdOptions, context: Context) -> Collected:
        headers = await _signed_in(options, context)
        keys = options.new_keys(context.fingerprinter, valid=is_setting)
        start, end = options.path.encode() or b"\0", _end_of(options.path.encode())
        asked: dict[str, Any] = {"range_end": _encoded(end), "limit": _PAGE, "keys_only": not options.values}
        refused = 0
        for _ in range(MOST_KEYS // _PAGE + 1):
            asked["key"] = _encoded(start)
            answer = await _answer(options, context, "v3/kv/range", asked, headers)
            pairs = answer.get("kvs") or []
            if not all(isinstance(pair, dict) for pair in pairs):
                raise UnseenError("malformed", "etcd answered no list of keys")
            refused += _set_all(keys, pairs, options)
            if not answer.get("more") or not pairs:
                break
            # What changes between two pages is not mixed in.
            asked.setdefault("revision", (answer.get("header") or {}).get("revision"))
            start = text_of(pairs[-1].get("key")).encode("utf-8", "surrogateescape") + b"\0"
        if refused:
            detail = f"{refused} names of etcd that can be no keys"
            keys.unseen.append(Unseen(item="*", reason="unsupported", detail=detail))
        section = keys.section("running", SEEN_IN_A_STORE)
        return Collected(seen=(Seen(sections={"config": section}, component=options.component),))


def _set_all(keys: Keys, pairs: Any, options: EtcdOptions) -> int:
    """Set the keys of one page; return how many names can be none."""
    refused = 0
    for pair in pairs:
        name = text_of(pair.get("key")).removeprefix(options.path)
        if not keys.allows(name):
            refused += 1
        elif options.values:
            keys.set(name, text_of(pair.get("value")))
        else:
            keys.shaped(name, reference_shape("literal"))
    return refused


async def _signed_in(options: EtcdOptions, context: Context) -> dict[str, str]:
    if options.username is None:
        return {}
    password = options.password.get_secret_value() if options.password else ""
    body = {"name": options.username, "password": password}
    answer = await _answer(options, context, "v3/auth/authenticate", body, {})
    return {"Authorization": str(answer.get("token", ""))}


async def _answer(
    options: EtcdOptions, context: Context, path: str, body: dict[str, Any], headers: dict[str, str]
) -> dict[str, Any]:
    remedy = f"give `username` and `password` of a user who may read {options.path or 'all keys'}"
    answer, _ = await json_at(
        context, options.asked(path), headers=headers, body=body, remedy=remedy, fine=_ANSWERED
    )
    if not isinstance(answer, dict):
        raise UnseenError("malformed", "etcd answered no object")
    if "error" in answer:
        raise UnseenError("denied", f"etcd refused {path}: {remedy}")
    return answer


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _end_of(path: bytes) -> bytes:
    """Return the first key behind all that begin so; a zero byte is behind all there are."""
    kept = path.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else b"\0"
