"""The collector `registry` against Debian's registry, and against one that fails and lies in every way."""

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from collectors import registry as registry_collector
from collectors._image_packages import Known
from collectors._registry import Address, address_of
from collectors.registry import RegistryCollector, RegistryOptions
from detector.collector import Seen
from detector.errors import NotThereError, UnseenError
from tests.collectors.archives import INDEX, MANIFEST, Layout, digest_of, file, tar
from tests.collectors.lent import context
from tests.servers import images
from tests.servers.docker_engine import DockerEngine
from tests.servers.packages import DEB_PACKAGES, dpkg_status
from tests.servers.registry import Registry

BASE = tar(
    file("etc/os-release", "ID=debian\nVERSION_ID=12\n"),
    file("var/lib/dpkg/status", dpkg_status(DEB_PACKAGES[:3])),
)
UPPER = tar(file("var/lib/dpkg/status", dpkg_status(DEB_PACKAGES)))
OPENSSL = "pkg:deb/debian/openssl"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_collector, "KNOWN", Known())
    monkeypatch.setattr(registry_collector, "_IMAGES", Known())


async def _seen(image: str, *, seconds: float = 20.0, **options: Any) -> Seen:
    known = RegistryOptions.model_validate({"image": image, "plain_http": True, **options})
    async with aiohttp.ClientSession(trust_env=False) as session:
        return (await RegistryCollector().collect(known, context(session=session, seconds=seconds))).seen[0]


async def _pushed(
    layout: Layout,
    host: str,
    repository: str,
    tags: dict[str, dict[str, Any]],
    who: str = "",
) -> None:
    """Push a layout by the registry's own API; `tags` maps tags to descriptors."""
    base = f"http://{host}/v2/{repository}"
    blobs = [data for name, data in layout.files.items() if name.startswith("blobs/")]
    documents = [data for data in blobs if data.startswith(b'{"schemaVersion"')]
    async with aiohttp.ClientSession(headers={"Authorization": who} if who else {}) as session:
        for data in blobs:
            async with session.post(f"{base}/blobs/uploads/") as begun:
                place = begun.headers["Location"]
            joint = "&" if "?" in place else "?"
            async with session.put(f"{place}{joint}digest={digest_of(data)}", data=data) as put:
                assert put.status == 201, await put.text()
        # Images before the indexes that list them.
        for data in sorted(documents, key=lambda one: b'"manifests"' in one):
            kind = {"Content-Type": json.loads(data)["mediaType"]}
            named = [tag for tag, entry in tags.items() if entry["digest"] == digest_of(data)]
            for reference in [digest_of(data), *named]:
                async with session.put(f"{base}/manifests/{reference}", data=data, headers=kind) as put:
                    assert put.status == 201, await put.text()


@pytest.fixture
def host(registry: Registry) -> str:
    return f"127.0.0.1:{registry.port}"


@pytest.mark.parametrize("form", ["gzip", "zstd", ""])
async def test_an_image_of_a_registry(host: str, form: str, caplog: pytest.LogCaptureFixture) -> None:
    layout = Layout()
    entry = layout.image(
        BASE, UPPER, form=form, config={"config": {"User": "10001", "ExposedPorts": {"80/tcp": {}}}}
    )
    await _pushed(layout, host, f"acme/one{form}", {"1.4.2": entry})
    seen = await _seen(f"{host}/acme/one{form}:1.4.2")
    dependencies = seen.sections["dependencies"]
    assert (dependencies.status, dependencies.basis) == ("complete", "built")
    assert dependencies.facts[OPENSSL] == "3.0.14-1~deb12u2"
    assert dependencies.facts["os#release"] == "debian 12"
    release = seen.sections["release"].facts
    assert (release["image#repository"], release["image#tag"]) == (f"acme/one{form}", "1.4.2")
    assert release["image#digest"] == entry["digest"]
    assert "image#index" not in release
    assert seen.sections["processes"].facts["user"] == "10001"
    assert seen.sections["ports"].facts == {"80/tcp": None}
    by_digest = await _seen(f"{host}/acme/one{form}@{entry['digest']}")
    assert by_digest.sections["dependencies"] == dependencies
    assert caplog.records == []


async def test_what_an_engine_pushed_is_what_the_engine_has(
    host: str, registry: Registry, docker_staging: DockerEngine
) -> None:
    docker_staging.build("python:3.12-slim", images.python_base())
    built = docker_staging.build("acme/checkout:1.4.2", images.app("python:3.12-slim"))
    reference = registry.publish(
        "acme/checkout:1.4.2", "acme/checkout", "1.4.2", source=docker_staging, to=docker_staging
    )
    seen = await _seen(reference)
    dependencies, release = seen.sections["dependencies"].facts, seen.sections["release"].facts
    assert release["image#id"] == built
    (digest,) = docker_staging.client.images.get(reference).attrs["RepoDigests"]
    assert release["image#digest"] == digest.partition("@")[2]
    assert dependencies[OPENSSL] == "3.0.14-1~deb12u2"
    assert dependencies["pkg:pypi/django"] == "5.1.2"


async def test_an_index_is_followed_for_a_platform(host: str) -> None:
    layout = Layout()
    entries = [
        layout.image(BASE, config={"architecture": name}, platform={"os": "linux", "architecture": name})
        for name in ("amd64", "arm64")
    ]
    index = layout.index(*entries)
    await _pushed(layout, host, "acme/many", {"2": index})
    for platform, expected in ((None, 0), ("linux/arm64", 1)):
        seen = await _seen(f"{host}/acme/many:2", platform=platform)
        release = seen.sections["release"].facts
        assert (release["image#index"], release["image#digest"]) == (
            index["digest"],
            entries[expected]["digest"],
        )
        assert seen.sections["dependencies"].facts["os#arch"] == ("amd64", "arm64")[expected]
    with pytest.raises(UnseenError, match="no image for linux/s390x"):
        await _seen(f"{host}/acme/many:2", platform="linux/s390x")


async def test_a_tag_that_the_registry_does_not_know_is_gone(host: str) -> None:
    layout = Layout()
    await _pushed(layout, host, "acme/there", {"1": layout.image(BASE)})
    with pytest.raises(NotThereError, match="has no 9"):
        await _seen(f"{host}/acme/there:9")


# --- a registry that does what a test says -------------------------------------------------------------


class Double:
    """A registry of one layout, whose every answer a test may change; `asked` says what, and with which
    credentials.
    """

    def __init__(self, layout: Layout, tags: dict[str, dict[str, Any]]) -> None:
        self.blobs = {
            digest_of(data): data for name, data in layout.files.items() if name.startswith("blobs/")
        }
        self.tags = {tag: entry["digest"] for tag, entry in tags.items()}
        self.special: dict[str, Handler] = {}
        self.asked: list[tuple[str, str, str | None]] = []
        self.host = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.path_qs, request.headers.get("Authorization")))
        for part, special in self.special.items():
            if part in request.path:
                return await special(request)
        return self.answer(request)

    def answer(self, request: web.Request) -> web.Response:
        reference = request.path.rpartition("/")[2]
        data = self.blobs.get(self.tags.get(reference, reference))
        if data is None:
            return web.json_response(
                {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "canary"}]}, status=404
            )
        kind = MANIFEST if b'"layers"' in data else INDEX
        return web.Response(
            body=data, headers={"Docker-Content-Digest": digest_of(data), "Content-Type": kind}
        )

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        async with TestServer(app) as server:
            self.host = f"127.0.0.1:{server.port}"
            yield f"{self.host}/acme/api:1"


def _double(**config: Any) -> Double:
    layout = Layout()
    entry = layout.image(BASE, UPPER, form="gzip", config=config)
    return Double(layout, {"1": entry})


async def test_an_image_that_did_not_change_costs_one_question() -> None:
    double = _double()
    async with double.serving() as image:
        first = await _seen(image)
        assert len([path for _, path, _ in double.asked if "/blobs/" in path]) == 3
        double.asked.clear()
        assert await _seen(image) == first
    assert [(method, path) for method, path, _ in double.asked] == [("HEAD", "/v2/acme/api/manifests/1")]


async def test_without_packages_no_layer_is_asked_for() -> None:
    double = _double()
    async with double.serving() as image:
        seen = await _seen(image, packages=False)
    assert len([path for _, path, _ in double.asked if "/blobs/" in path]) == 1
    assert "dependencies" not in seen.sections
    assert seen.sections["release"].facts["image#tag"] == "1"
    assert {method for method, _, _ in double.asked} == {"GET", "HEAD"}


def _status(status: int, **headers: str) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(
            status=status, text="canary", headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    return handler


@pytest.mark.parametrize(
    ("handler", "reason", "word"),
    [
        (_status(401), "denied", "`username`"),
        (_status(401, WWW_Authenticate="Negotiate"), "denied", "`username`"),
        (_status(401, WWW_Authenticate='Bearer realm="ftp://x/y"'), "denied", "without encryption"),
        (_status(401, WWW_Authenticate='Bearer realm="::::"'), "denied", "without encryption"),
        (_status(401, WWW_Authenticate='Bearer realm="http://[x"'), "unreachable", "no connection"),
        (_status(403), "denied", "`username`"),
        (_status(404), "not_in_view", "or not for this user"),
        (_status(429, Retry_After="37"), "unreachable", "asks to wait for 37 s"),
        (_status(429, Retry_After="canary"), "unreachable", "asks to wait: "),
        (_status(500), "unreachable", "answered 500"),
        (_status(302, Location="file:///etc/passwd"), "denied", "without encryption"),
        (_status(302), "unreachable", "in a circle"),
        (_status(307, Location="/v2/acme/api/manifests/1"), "unreachable", "in a circle"),
        (_status(200), "malformed", "no JSON"),
    ],
)
async def test_an_answer_that_is_none(handler: Handler, reason: str, word: str) -> None:
    double = _double()
    double.special["/manifests/"] = handler
    async with double.serving() as image:
        with pytest.raises(UnseenError, match=word) as caught:
            await _seen(image)
    assert (caught.value.reason, isinstance(caught.value, NotThereError)) == (reason, False)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("status", [403, 404, 429, 500])
async def test_a_layer_that_is_not_handed_out_blinds_packages_alone(status: int) -> None:
    double = _double()
    async with double.serving() as image:
        layer = next(digest for digest, data in double.blobs.items() if data[:2] == b"\x1f\x8b")
        double.special[layer] = _status(status)
        seen = await _seen(image)
    assert (seen.sections["dependencies"].status, seen.sections["dependencies"].facts) == ("failed", {})
    assert seen.sections["release"].status == "complete"


def _sends(data: bytes) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=data)

    return handler


async def test_a_document_with_another_content_than_its_digest_is_refused() -> None:
    double = _double()
    manifest = next(digest for digest, data in double.blobs.items() if b"schemaVersion" in data)
    config = next(digest for digest, data in double.blobs.items() if b"rootfs" in data)
    async with double.serving() as image:
        double.special = {config: _sends(double.blobs[config].replace(b"amd64", b"arm64"))}
        with pytest.raises(UnseenError, match="another content"):
            await _seen(image)
        # By tag it would be another image; by digest it is a lie.
        double.special = {manifest: _sends(double.blobs[manifest] + b" ")}
        with pytest.raises(UnseenError, match="another content"):
            await _seen(f"{image.rpartition(':')[0]}@{manifest}")


async def test_a_layer_whose_digest_is_another_is_refused_although_it_is_whole() -> None:
    layout = Layout()
    double = Double(layout, {"1": layout.image(BASE, UPPER)})
    forged = UPPER.replace(b"openssl", b"openssh")
    async with double.serving() as image:
        double.special[digest_of(UPPER)] = _sends(forged)
        section = (await _seen(image)).sections["dependencies"]
    assert "layer 2 has another content than its digest says" in section.unseen[0].detail


async def test_a_layer_longer_than_its_manifest_says_is_ended() -> None:
    double = _double()
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 2**30:
            await response.write(bytes(2**16))
            sent += 2**16
        return response

    async with double.serving() as image:
        layer = next(digest for digest, data in double.blobs.items() if data[:2] == b"\x1f\x8b")
        double.special[layer] = endless
        section = (await _seen(image)).sections["dependencies"]
    assert section.unseen[0].reason == "malformed"
    assert sent < 64 * 2**20


async def test_a_document_without_end_is_too_large() -> None:
    double = _double()
    double.special["/manifests/"] = _sends(b"{" + b" " * (5 * 2**20) + b"}")
    async with double.serving() as image:
        with pytest.raises(UnseenError, match="too_large"):
            await _seen(image)


async def test_a_layer_that_is_cut_or_hangs_is_unseen() -> None:
    double = _double()

    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = 5000
        await response.prepare(request)
        await response.write(b"\x1f\x8b" + bytes(100))
        assert request.transport is not None
        request.transport.abort()
        return response

    async with double.serving() as image:
        layer = next(digest for digest, data in double.blobs.items() if data[:2] == b"\x1f\x8b")
        double.special[layer] = cut
        section = (await _seen(image)).sections["dependencies"]
        assert section.unseen[0].reason in {"unreachable", "malformed"}
        double.special.clear()
        section = (await _seen(image, seconds=1.0)).sections["dependencies"]
        assert section.unseen[0].reason == "timeout"


# --- signing in ----------------------------------------------------------------------------------------

CREDENTIALS: Mapping[str, Any] = {"username": "robot", "password": "canary-password"}
BASIC = "Basic " + base64.b64encode(b"robot:canary-password").decode()


def _asks(double: Double, challenge: Callable[[], str], accepted: str) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != accepted:
            return web.Response(status=401, headers={"WWW-Authenticate": challenge()})
        return double.answer(request)

    return handler


async def test_basic_credentials_go_to_the_registry_when_it_asks() -> None:
    double = _double()
    double.special["/v2/"] = _asks(double, lambda: 'Basic realm="registry"', BASIC)
    async with double.serving() as image:
        assert (await _seen(image, **CREDENTIALS)).sections["dependencies"].status == "complete"
        assert double.asked[0][2] is None
        with pytest.raises(UnseenError, match="look at `username` and `password`") as caught:
            await _seen(image, username="robot", password="wrong")
        with pytest.raises(UnseenError, match="give `username`"):
            await _seen(image)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("signed_in", [True, False])
@pytest.mark.parametrize("key", ["token", "access_token"])
async def test_a_token_is_fetched_for_reading_this_repository_alone(key: str, *, signed_in: bool) -> None:
    double = _double()

    async def token(request: web.Request) -> web.Response:
        return web.json_response({key: "t0ken", "expires_in": 60})

    double.special["/token"] = token
    challenge = (
        'Bearer realm="http://{}/token?x=1",service="reg",scope="repository:acme/api:pull,push,delete"'
    )
    double.special["/v2/"] = _asks(double, lambda: challenge.format(double.host), "Bearer t0ken")
    async with double.serving() as image:
        seen = await _seen(image, **(CREDENTIALS if signed_in else {}))
    assert seen.sections["dependencies"].status == "complete"
    ((_, path, authorization),) = [one for one in double.asked if one[1].startswith("/token")]
    assert path == "/token?x=1&scope=repository:acme/api:pull&service=reg"
    assert authorization == (BASIC if signed_in else None)
    assert "canary" not in repr(seen)


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (_status(401), "denied"),
        (_status(500), "denied"),
        (_sends(b"canary"), "malformed"),
        (_sends(b'{"token": 7}'), "denied"),
        (_sends(b'{"token": "a\\r\\nX: y"}'), "denied"),
        (_sends(b'{"token": "' + b"x" * 70_000 + b'"}'), "too_large"),
        (_status(302, Location="http://127.0.0.1:9/"), "denied"),
    ],
)
async def test_a_token_that_is_none(handler: Handler, reason: str) -> None:
    double = _double()
    double.special["/token"] = handler
    challenge = 'Bearer realm="http://{}/token"'
    double.special["/v2/"] = _asks(double, lambda: challenge.format(double.host), "Bearer t0ken")
    async with double.serving() as image:
        with pytest.raises(UnseenError) as caught:
            await _seen(image, **CREDENTIALS)
    assert caught.value.reason == reason
    assert "canary" not in str(caught.value)


async def test_credentials_do_not_follow_a_redirect() -> None:
    double, storage = _double(), _double()
    double.special["/v2/"] = _asks(double, lambda: "Basic", BASIC)
    async with double.serving() as image, storage.serving():

        async def elsewhere(request: web.Request) -> web.Response:
            if request.headers.get("Authorization") != BASIC:
                return web.Response(status=401, headers={"WWW-Authenticate": "Basic"})
            place = f"http://{storage.host}{request.path}?X-Signature=a%2Fb%3D"
            return web.Response(status=307, headers={"Location": place})

        double.special = {"/blobs/": elsewhere, **double.special}
        seen = await _seen(image, **CREDENTIALS)
    assert seen.sections["dependencies"].status == "complete"
    assert len(storage.asked) == 3
    assert {authorization for _, _, authorization in storage.asked} == {None}
    assert all(path.endswith("?X-Signature=a%2Fb%3D") for _, path, _ in storage.asked)


async def test_a_realm_that_storage_asks_for_is_not_answered() -> None:
    double, storage = _double(), _double()
    storage.special["/"] = _status(401, WWW_Authenticate="Basic")
    async with double.serving() as image, storage.serving():

        async def elsewhere(request: web.Request) -> web.Response:
            return web.Response(status=307, headers={"Location": f"http://{storage.host}{request.path}"})

        double.special["/blobs/"] = elsewhere
        with pytest.raises(UnseenError, match="denied"):
            await _seen(image, **CREDENTIALS)
    assert {authorization for _, _, authorization in storage.asked} == {None}


async def test_a_registry_with_a_password_file_of_its_own() -> None:
    layout = Layout()
    entry = layout.image(BASE, UPPER)
    with Registry(users={"robot": "canary-password"}) as server:
        host = f"127.0.0.1:{server.port}"
        await _pushed(layout, host, "acme/closed", {"1": entry}, BASIC)
        seen = await _seen(f"{host}/acme/closed:1", **CREDENTIALS)
        assert seen.sections["dependencies"].facts[OPENSSL] == "3.0.14-1~deb12u2"
        with pytest.raises(UnseenError, match="denied"):
            await _seen(f"{host}/acme/closed:1")


# --- options -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("registry.example/acme/api:1.4.2", ("registry.example", "acme/api", "1.4.2")),
        ("registry.example:5000/api", ("registry.example:5000", "api", "latest")),
        ("localhost/api:1", ("localhost", "api", "1")),
        ("registry.example/library/debian:12", ("registry.example", "library/debian", "12")),
        (f"r.example/a:1@sha256:{'0' * 64}", ("r.example", "a", f"sha256:{'0' * 64}")),
        ("acme/api:1.4.2", None),
        ("debian", None),
        ("https://registry.example/acme/api:1", None),
        ("user:canary@registry.example/acme/api:1", None),
        ("registry.example/../x:1", None),
        ("registry.example/acme/api:1/../../x", None),
        ("registry.example/", None),
    ],
)
def test_an_address_names_its_registry(text: str, expected: tuple[str, str, str] | None) -> None:
    found = address_of(text)
    known = (
        None if expected is None else Address(host=expected[0], repository=expected[1], reference=expected[2])
    )
    assert found == known


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"image": "acme/api"}, "with its registry"),
        ({"image": "r.example/a", "username": "u"}, "give both"),
        ({"image": "r.example/a", "plain_http": True, **CREDENTIALS}, "not sent over plain HTTP"),
        ({"image": "r.example/a", "platform": "x"}, "linux/arm64"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word) as caught:
        RegistryOptions.model_validate(options)
    assert "canary" not in str(caught.value)
