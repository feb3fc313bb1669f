"""The collectors of key-value stores: etcd beside a real one, Consul and Vault beside faithful doubles."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from collectors.consul import ConsulCollector, ConsulOptions
from collectors.etcd import EtcdCollector, EtcdOptions, _end_of
from collectors.ofrep import OfrepCollector, OfrepOptions
from collectors.vault import VaultCollector, VaultOptions
from detector.errors import UnseenError
from detector.model.facts import Section
from tests.collectors.lent import FINGERPRINTER, context
from tests.servers.etcd import Etcd

KEYS = {
    "shop/prod/db/url": b"postgres://u:C4n4ry@db.internal/shop",
    "shop/prod/debug": b"false",
    "shop/prod/empty": b"",
    "shop/prod/blob": b"\xff\xfe C4n4ry",
    "shop/prod/bad name": b"C4n4ry",
    "shop/staging/db/url": b"C4n4ry of another",
}
REFERENCE = {"type": "text", "source_class": "literal", "opaque": True}


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as lent:
        yield lent


async def _section(collector: Any, options: Any, session: aiohttp.ClientSession) -> Section:
    (seen,) = (await collector().collect(options, context(session=session))).seen
    assert "C4n4ry" not in repr(seen) + json.dumps(dict(seen.sections["config"].facts))
    section: Section = seen.sections["config"]
    return section


def _check_keys(section: Section) -> None:
    """What both stores of values must say of the same keys."""
    assert list(section.facts) == ["blob", "db/url", "debug", "empty"]
    url: Any = section.facts["db/url"]
    assert url["fingerprint"] == FINGERPRINTER.of("db/url", KEYS["shop/prod/db/url"].decode())
    assert section.facts["empty"] == {"type": "empty", "source_class": "literal"}
    assert (section.basis, section.sees, section.status) == ("running", ("literal",), "partial")
    assert [(entry.item, entry.reason) for entry in section.unseen] == [("*", "unsupported")]


# --- etcd, a real one ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def etcd() -> Iterator[Etcd]:
    with Etcd() as server:
        server.put(KEYS)
        yield server


async def test_etcd_tells_the_keys_below_a_path(etcd: Etcd, session: aiohttp.ClientSession) -> None:
    _check_keys(await _section(EtcdCollector, EtcdOptions(url=etcd.url, path="shop/prod/"), session))


async def test_etcd_is_not_asked_for_values_that_nobody_wants(
    etcd: Etcd, session: aiohttp.ClientSession
) -> None:
    options = EtcdOptions(url=etcd.url, path="shop/prod/db/", values=False)
    assert (await _section(EtcdCollector, options, session)).facts == {"url": REFERENCE}


async def test_etcd_is_read_a_page_at_a_time(
    etcd: Etcd, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collectors.etcd._PAGE", 2)
    section = await _section(EtcdCollector, EtcdOptions(url=etcd.url), session)
    assert list(section.facts) == [
        *(f"shop/prod/{name}" for name in ("blob", "db/url", "debug", "empty")),
        "shop/staging/db/url",
    ]


@pytest.mark.parametrize(("path", "end"), [(b"a/", b"a0"), (b"a\xff", b"b"), (b"", b"\0"), (b"\xff", b"\0")])
def test_a_range_ends_behind_all_that_begin_so(path: bytes, end: bytes) -> None:
    assert _end_of(path) == end


async def test_etcd_with_users_tells_whom_to_name(session: aiohttp.ClientSession) -> None:
    with Etcd() as server:
        server.put(KEYS)
        server.ask("auth/user/add", {"name": "root", "password": "C4n4ry"})
        server.ask("auth/role/add", {"name": "root"})
        server.ask("auth/user/grant", {"user": "root", "role": "root"})
        server.ask("auth/enable", {})
        given: dict[str, Any] = {"url": server.url, "path": "shop/prod/"}
        for more in ({}, {"username": "root", "password": "wrong C4n4ry"}):
            with pytest.raises(UnseenError, match="give `username` and `password`") as caught:
                await _section(EtcdCollector, EtcdOptions.model_validate({**given, **more}), session)
            assert caught.value.reason == "denied"
            assert "C4n4ry" not in str(caught.value)
        options = EtcdOptions.model_validate({**given, "username": "root", "password": "C4n4ry"})
        _check_keys(await _section(EtcdCollector, options, session))


# --- Consul, a double of /v1/kv --------------------------------------------------------------------


class Consul:
    """Answers as the agent of Consul 1.x does: keys in order, 404 where there is none, ACLs by token."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.filtered = False

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path_qs}")
        if request.headers.get("X-Consul-Token") != "C4n4ry-token":
            return web.Response(status=403, text="rpc error: C4n4ry: Permission denied")
        below = sorted(key for key in (*KEYS, "shop/prod/") if key.startswith(request.match_info["path"]))
        if not below:
            return web.Response(status=404)
        headers = {"X-Consul-Results-Filtered-By-ACLs": "true"} if self.filtered else {}
        if "keys" in request.query:
            return web.json_response(below, headers=headers)
        entries = [
            {
                "LockIndex": 0,
                "Key": key,
                "Flags": 0,
                "Value": b64encode(KEYS[key]).decode() if KEYS.get(key) else None,
                "CreateIndex": 355,
            }
            for key in below
        ]
        return web.json_response(entries, headers=headers)


@pytest.fixture
async def consul() -> AsyncIterator[tuple[Consul, str]]:
    double, app = Consul(), web.Application()
    app.router.add_get("/v1/kv/{path:.*}", double.answer)
    async with TestServer(app) as server:
        yield double, str(server.make_url("/"))


def _of_consul(url: str, **more: Any) -> ConsulOptions:
    return ConsulOptions.model_validate({"url": url, "path": "shop/prod/", "token": "C4n4ry-token", **more})


async def test_consul_tells_the_keys_below_a_path(
    consul: tuple[Consul, str], session: aiohttp.ClientSession
) -> None:
    double, url = consul
    _check_keys(await _section(ConsulCollector, _of_consul(url, datacenter="eu"), session))
    assert double.asked == ["GET /v1/kv/shop/prod/?recurse=true&dc=eu"]


async def test_consul_is_not_asked_for_values_that_nobody_wants(
    consul: tuple[Consul, str], session: aiohttp.ClientSession
) -> None:
    double, url = consul
    section = await _section(ConsulCollector, _of_consul(url, values=False, only=["db/*"]), session)
    assert section.facts == {"db/url": REFERENCE}
    assert double.asked == ["GET /v1/kv/shop/prod/?keys=true"]


async def test_keys_that_consul_left_out_are_unknown(
    consul: tuple[Consul, str], session: aiohttp.ClientSession
) -> None:
    double, url = consul
    double.filtered = True
    section = await _section(ConsulCollector, _of_consul(url), session)
    assert ("*", "denied") in [(entry.item, entry.reason) for entry in section.unseen]


@pytest.mark.parametrize(
    ("more", "reason"), [({"token": "wrong C4n4ry"}, "denied"), ({"path": "shop/nowhere/"}, "not_in_view")]
)
async def test_what_consul_does_not_show_is_not_absent(
    consul: tuple[Consul, str], session: aiohttp.ClientSession, more: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UnseenError, match="key_prefix") as caught:
        await _section(ConsulCollector, _of_consul(consul[1], **more), session)
    assert caught.value.reason == reason
    assert "C4n4ry" not in str(caught.value)


# --- Vault, a double that would give the data away ---------------------------------------------------


class Vault:
    """Answers for a KV store of version 2 as Vault 1.x does; whoever asks for data is told on."""

    secrets: ClassVar[Any] = {
        "shop/prod": {"DB_PASSWORD": "C4n4ry", "stripe": {"key": "C4n4ry", "hook": "C4n4ry"}},
        "shop/prod/mail": {"SMTP_PASSWORD": "C4n4ry"},
        "shop/prod/old": {"GONE": "C4n4ry"},
        "shop/prod/later": {"STILL": "C4n4ry"},
        "shop/prod/deep/down": {"KEY": "C4n4ry"},
        "shop/prod/torn": {"DESTROYED": "C4n4ry"},
    }
    ends: ClassVar[Any] = {
        "shop/prod/old": "2026-11-01T10:00:00.123456789Z",
        "shop/prod/later": "2027-01-01T00:00:00Z",  # to be deleted in time
    }

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.denied = ""

    async def answer(self, request: web.Request) -> web.Response:
        kind, path = request.match_info["kind"], request.match_info["path"]
        self.asked.append(f"{request.method} {kind}")
        if request.headers.get("X-Vault-Token") != "C4n4ry-token" or path == self.denied:
            return web.json_response({"errors": ["1 error occurred: C4n4ry"]}, status=403)
        if request.query.get("list") == "true":
            front = f"{path}/" if path else ""
            below = {
                secret.removeprefix(front).partition("/")[0]
                + ("/" if "/" in secret.removeprefix(front) else "")
                for secret in self.secrets
                if secret.startswith(front)
            }
            return _data({"keys": sorted(below)}) if below else web.json_response({"errors": []}, status=404)
        if path not in self.secrets:
            return web.json_response({"errors": []}, status=404)
        if kind == "subkeys":
            return _data({"metadata": {"version": 2}, "subkeys": _without_values(self.secrets[path])})
        newest = {
            "created_time": "2026-10-01T10:00:00Z",
            "deletion_time": self.ends.get(path, ""),
            "destroyed": path.endswith("torn"),
        }
        old = {**newest, "deletion_time": "2020-01-01T00:00:00Z", "destroyed": True}
        custom = {"owner": "C4n4ry"}
        return _data({"current_version": 2, "versions": {"1": old, "2": newest}, "custom_metadata": custom})


def _data(data: Any) -> web.Response:
    return web.json_response({"request_id": "1", "lease_id": "", "renewable": False, "data": data})


def _without_values(tree: Any) -> Any:
    return {key: _without_values(inner) for key, inner in tree.items()} if isinstance(tree, dict) else None


@pytest.fixture
async def vault() -> AsyncIterator[tuple[Vault, str]]:
    double, app = Vault(), web.Application()
    app.router.add_route("*", "/v1/secret/{kind}/{path:.*}", double.answer)
    async with TestServer(app) as server:
        yield double, str(server.make_url("/"))


def _of_vault(url: str, **more: Any) -> VaultOptions:
    return VaultOptions.model_validate({"url": url, "path": "shop/prod", "token": "C4n4ry-token", **more})


async def test_vault_tells_names_and_is_never_asked_for_data(
    vault: tuple[Vault, str], session: aiohttp.ClientSession
) -> None:
    double, url = vault
    section = await _section(VaultCollector, _of_vault(url), session)
    assert list(section.facts) == [
        *("DB_PASSWORD", "stripe/key", "stripe/hook", "later/STILL", "mail/SMTP_PASSWORD", "deep/down/KEY")
    ]
    assert section.facts["DB_PASSWORD"] == {**REFERENCE, "source_class": "secret_ref"}
    assert (section.sees, section.status) == (("secret_ref",), "complete")
    assert set(double.asked) == {"GET metadata", "GET subkeys"}


async def test_vault_can_tell_the_secrets_alone(
    vault: tuple[Vault, str], session: aiohttp.ClientSession
) -> None:
    double, url = vault
    section = await _section(VaultCollector, _of_vault(url, path="shop", subkeys=False), session)
    assert list(section.facts) == ["prod", "prod/later", "prod/mail", "prod/deep/down"]
    assert set(double.asked) == {"GET metadata"}


async def test_a_secret_that_may_not_be_looked_at_hides_absence(
    vault: tuple[Vault, str], session: aiohttp.ClientSession
) -> None:
    double, url = vault
    double.denied = "shop/prod/mail"
    section = await _section(VaultCollector, _of_vault(url), session)
    assert "mail/SMTP_PASSWORD" not in section.facts
    assert [(entry.item, entry.reason) for entry in section.unseen] == [("*", "denied")]
    assert 'grant the token read on "secret/metadata/shop/prod/mail"' in section.unseen[0].detail


@pytest.mark.parametrize(
    ("more", "reason"), [({"token": "wrong C4n4ry"}, "denied"), ({"path": "shop/nowhere"}, "not_in_view")]
)
async def test_what_vault_does_not_show_is_not_absent(
    vault: tuple[Vault, str], session: aiohttp.ClientSession, more: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UnseenError) as caught:
        await _section(VaultCollector, _of_vault(vault[1], **more), session)
    assert caught.value.reason == reason
    assert "C4n4ry" not in str(caught.value)


# --- flags -----------------------------------------------------------------------------------------

FLAGS = {
    "flags": [
        {"key": "new-checkout", "value": True, "reason": "TARGETING_MATCH", "variant": "on"},
        {"key": "limit", "value": 17, "reason": "STATIC"},
        {"key": "theme", "value": {"colour": "C4n4ry"}, "metadata": {"owner": "C4n4ry"}},
        {"key": "broken", "errorCode": "PARSE_ERROR", "errorDetails": "C4n4ry"},
        {"key": "C4n4ry with blanks", "value": True},
    ]
}


async def test_flags_are_told_by_name_and_variant(session: aiohttp.ClientSession) -> None:
    bodies: list[Any] = []

    async def evaluate(request: web.Request) -> web.Response:
        bodies.append((request.headers["Authorization"], await request.json()))
        return web.json_response(FLAGS)

    app = web.Application()
    app.router.add_post("/ofrep/v1/evaluate/flags", evaluate)
    async with TestServer(app) as server:
        given = {
            "url": str(server.make_url("/")),
            "authorization": "Bearer C4n4ry",
            "context": {"tier": "pro"},
        }
        section = await _section(OfrepCollector, OfrepOptions.model_validate(given), session)
    assert bodies == [("Bearer C4n4ry", {"context": {"tier": "pro"}})]
    assert list(section.facts) == ["flag/new-checkout", "flag/limit", "flag/theme"]
    variant: Any = section.facts["flag/new-checkout"]
    assert variant["fingerprint"] == FINGERPRINTER.of("flag/new-checkout", "on")
    assert (section.covers, section.sees) == (("flag/*",), ("platform",))
    assert [(entry.item, entry.reason) for entry in section.unseen] == [
        ("flag/broken", "not_in_view"),
        ("*", "unsupported"),
    ]


async def test_another_answer_is_no_provider_of_flags(session: aiohttp.ClientSession) -> None:
    async def other(request: web.Request) -> web.Response:
        return web.json_response({"C4n4ry": 1})

    app = web.Application()
    app.router.add_post("/ofrep/v1/evaluate/flags", other)
    async with TestServer(app) as server:
        with pytest.raises(UnseenError, match="is this an OFREP provider"):
            await _section(OfrepCollector, OfrepOptions(url=str(server.make_url("/"))), session)
