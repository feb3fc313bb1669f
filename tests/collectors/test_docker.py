"""The collector `docker` against real engines, and against one that fails in every way."""

import asyncio
import copy
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from collectors._docker_engine import answer
from collectors._image_packages import Known
from collectors.docker import DockerCollector, DockerOptions
from detector.collector import Collected
from detector.errors import UnseenError
from tests.collectors.archives import file, tar
from tests.collectors.lent import context
from tests.servers import images
from tests.servers.docker_engine import DockerEngine

RECORDED = Path(__file__).parent / "recorded" / "docker"
CONTAINER, IMAGE, LISTED = (
    json.loads((RECORDED / f"{name}.json").read_text()) for name in ("container", "image", "list")
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _summary(identity: str, state: str | None = "running", **labels: str) -> dict[str, Any]:
    summary: dict[str, Any] = copy.deepcopy(LISTED[0]) | {
        "Id": identity,
        "State": state,
        "Status": "Up 2 hours",
    }
    summary["Labels"] = {"com.docker.compose.service": "checkout"} | labels
    if state is None:
        del summary["State"]
    return summary


def _says(status: int, text: str = "canary", content_type: str = "text/plain") -> Handler:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, text=text, content_type=content_type)

    return handler


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collectors.docker.KNOWN", Known())


class Engine:
    """An engine of recorded answers whose every answer a test may change."""

    def __init__(self) -> None:
        self.listed: Any = [_summary("c1")]
        self.answers: dict[str, Handler] = {}
        self.methods: set[str] = set()
        self.filters: dict[str, Any] = {}
        self.files = tar(file("etc/os-release", "ID=debian\nVERSION_ID=12\n"))
        self.changes: Any = None
        self.exports = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.methods.add(request.method)
        path = "/" + request.path.lstrip("/").removeprefix("v1.41/")
        for end, special in self.answers.items():
            if path.endswith(end):
                return await special(request)
        if path == "/version":
            return web.json_response({"ApiVersion": "1.41"})
        if path == "/containers/json":
            self.filters = json.loads(request.query["filters"])
            return web.json_response(self.listed)
        if path.endswith("/export"):
            self.exports += 1
            return web.Response(body=self.files)
        if path.endswith("/changes"):
            return web.json_response(self.changes)
        if path.startswith("/containers/") and path.endswith("/json"):
            return web.json_response(CONTAINER | {"Id": path.split("/")[2]})
        if path.startswith("/images/"):
            return web.json_response(IMAGE)
        return web.json_response({"message": "Could not find the file"}, status=404)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        async with TestServer(app) as server:
            yield f"tcp://127.0.0.1:{server.port}"


async def _collect(engine: Engine, service: str | None = "checkout", **options: Any) -> Collected:
    async with engine.serving() as host:
        return await DockerCollector().collect(DockerOptions(host=host, **options), context(service))


async def test_it_only_sends_get() -> None:
    engine = Engine()
    collected = await _collect(engine)
    assert collected.seen[0].sections["release"].facts["image#tag"] == "1.4.2"
    assert collected.seen[0].sections["dependencies"].facts == {
        "os#arch": "amd64",
        "os#release": "debian 12",
        "runtime#python": "3.12.7",
    }
    assert engine.methods == {"GET"}


@pytest.mark.parametrize(
    ("options", "filters"),
    [
        ({}, {"label": ["com.docker.compose.service=checkout"]}),
        ({"service_label": "app"}, {"label": ["app=checkout"]}),
        ({"label": "app=web"}, {"label": ["app=web"]}),
        ({"container": "checkout-1"}, {"name": ["checkout-1"]}),
    ],
)
async def test_which_containers_it_asks_for(options: dict[str, str], filters: dict[str, list[str]]) -> None:
    engine = Engine()
    await _collect(engine, **options)
    assert engine.filters == filters


async def test_a_name_is_no_pattern() -> None:
    engine = Engine()  # answers `checkout-1` to whatever it is asked
    with pytest.raises(UnseenError, match=r"not_in_view: no running container of checkout\.1"):
        await _collect(engine, container="checkout.1")


async def test_containers_that_do_not_run_are_counted_only() -> None:
    engine = Engine()
    engine.listed = [
        _summary("c1"),
        _summary("c2", None),  # an old engine says it in Status
        _summary("c3", "paused"),
        _summary("c4", "restarting"),
        _summary("c5", "exited"),
        _summary("c6", "dead"),
        _summary("c7", **{"com.docker.compose.oneoff": "True"}),
    ]
    collected = await _collect(engine)
    assert collected.seen[0].sections["concurrency"].facts["replicas"] == 4
    assert collected.warnings == (
        "2 containers are not running: not read",
        "1 one-off containers of `docker compose run`: not read",
    )


async def test_a_container_that_ends_in_between_is_no_failure() -> None:
    engine = Engine()
    engine.listed = [_summary("c1"), _summary("c2")]
    engine.answers["/c2/json"] = _says(404, '{"message": "No such container: c2"}')
    collected = await _collect(engine)
    assert collected.complete
    assert collected.seen[0].sections["concurrency"].facts["replicas"] == 1
    assert collected.seen[0].sections["release"].status == "complete"
    assert collected.warnings == ("1 containers ended while they were read",)


async def test_a_removed_image_leaves_config_unknown() -> None:
    engine = Engine()
    engine.answers[f"{IMAGE['Id']}/json"] = _says(404, '{"message": "No such image"}')
    sections = (await _collect(engine)).seen[0].sections
    assert (sections["config"].status, sections["config"].unseen[0].reason) == ("failed", "not_in_view")
    assert sections["release"].facts["image#tag"] == "1.4.2"


async def test_a_proxy_that_hides_files_leaves_packages_unknown() -> None:
    engine = Engine()
    engine.answers["/export"] = _says(403)
    section = (await _collect(engine)).seen[0].sections["dependencies"]
    assert (section.status, section.facts) == ("failed", {})
    assert "canary" not in repr(section)
    assert "GET /containers/{id}/export" in section.unseen[0].detail


_PATH = "/usr/local/lib/python3.12/site-packages/x-1.0.dist-info/METADATA"


@pytest.mark.parametrize(
    ("changes", "exports"),
    [
        (None, 1),
        ([{"Path": "/tmp/x", "Kind": 1}, {"Path": "/var/log", "Kind": 0}], 1),
        ([{"Path": _PATH, "Kind": 1}], 2),
        ([{"Path": "/var/lib/dpkg/status", "Kind": 0}], 2),
        ([{"Path": "/usr/local/lib/python3.12", "Kind": 2}], 2),  # whatever was in it
    ],
)
async def test_a_container_that_changed_nothing_is_read_once(changes: Any, exports: int) -> None:
    engine = Engine()
    engine.changes = changes
    async with engine.serving() as host:
        for _ in range(2):
            await DockerCollector().collect(DockerOptions(host=host), context())
    assert engine.exports == exports


async def test_where_nobody_tells_what_changed_it_is_read_each_time() -> None:
    engine = Engine()
    engine.answers["/changes"] = _says(403)
    async with engine.serving() as host:
        runs = [await DockerCollector().collect(DockerOptions(host=host), context()) for _ in range(2)]
    assert runs[1].seen[0].sections["dependencies"].status == "complete"
    assert engine.exports == 2


async def test_an_archive_that_is_none_is_malformed() -> None:
    engine = Engine()
    for files in (b"canary" * 1000, engine.files[:700]):
        engine.files = files
        section = (await _collect(engine)).seen[0].sections["dependencies"]
        assert (section.status, section.unseen[0].reason) == ("failed", "malformed")
        assert "canary" not in repr(section)


@pytest.mark.parametrize(
    ("path", "hidden"), [("/etc", True), ("/etc/", True), ("/etcetera", False), ("/srv", False)]
)
async def test_what_a_mount_hides_is_unseen(path: str, *, hidden: bool) -> None:
    engine = Engine()

    async def container(_: web.Request) -> web.Response:
        mounts = [{"Type": "bind", "Source": "/x", "Destination": path}]
        return web.json_response(CONTAINER | {"Id": "c1", "Mounts": mounts})

    engine.answers["/containers/c1/json"] = container
    section = (await _collect(engine)).seen[0].sections["dependencies"]
    assert ("os#release" not in section.facts) is hidden
    assert ("a mount hides" in repr(section.unseen)) is hidden
    assert section.status == ("partial" if hidden else "complete")


async def test_a_discovery_without_containers_is_complete() -> None:
    engine = Engine()
    engine.listed = []
    collected = await _collect(engine, None)
    assert (collected.seen, collected.complete) == ((), True)


async def test_more_containers_than_one_run_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collectors.docker._MOST_CONTAINERS", 2)
    engine = Engine()
    engine.listed = [_summary(f"c{number}") for number in range(3)]
    collected = await _collect(engine, None)
    assert not collected.complete
    assert "only 2 of 3" in collected.warnings[0]


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (_says(403), "denied"),
        (_says(500), "unreachable"),
        (_says(200, "<html>canary</html>", "text/html"), "malformed"),
    ],
)
@pytest.mark.parametrize("path", ["/version", "/containers/json"])
async def test_what_answers_is_no_engine_for_us(handler: Handler, path: str, reason: str) -> None:
    engine = Engine()
    engine.answers[path] = handler
    with pytest.raises(UnseenError) as caught:
        await _collect(engine)
    assert caught.value.reason == reason
    assert "canary" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


async def test_an_engine_that_hangs_is_a_timeout(silent: int) -> None:
    options = DockerOptions(host=f"tcp://127.0.0.1:{silent}")
    with pytest.raises(UnseenError, match="timeout: tcp://"):
        await DockerCollector().collect(options, context(seconds=0.1))


async def test_a_file_that_hangs_blinds_packages_alone() -> None:
    engine = Engine()
    ended = asyncio.Event()

    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = 10_000
        await response.prepare(request)
        await response.write(b"x" * 600)
        await ended.wait()
        return response

    engine.answers["/export"] = half
    async with engine.serving() as host:
        collected = await DockerCollector().collect(DockerOptions(host=host), context(seconds=1))
        ended.set()
    sections = collected.seen[0].sections
    assert [part.reason for part in sections["dependencies"].unseen] == ["timeout"]
    assert sections["config"].status == "complete"


async def test_no_engine_at_all(tmp_path: Path) -> None:
    regular = tmp_path / "file"
    regular.touch()
    for host, reason, word in (
        (f"unix://{tmp_path}/none.sock", "unreachable", "no socket"),
        (f"unix://{regular}", "unreachable", "is no socket"),
    ):
        with pytest.raises(UnseenError, match=word) as caught:
            await DockerCollector().collect(DockerOptions(host=host), context())
        assert caught.value.reason == reason


def test_no_permission_names_the_remedy() -> None:
    def refused() -> None:  # as root one is never refused
        raise ConnectionError("Connection aborted.", PermissionError(13, "Permission denied"))

    with pytest.raises(UnseenError, match="join the group that owns the socket"):
        answer("unix:///s", refused)


def test_addresses_with_credentials_are_refused() -> None:
    for host in ("tcp://user:canary@engine:2375", "ssh://engine", "http://engine/path"):
        with pytest.raises(ValueError, match="host") as caught:
            DockerOptions(host=host)
        assert "canary" not in str(caught.value)


@pytest.fixture(scope="module")
def staging(docker_staging: DockerEngine) -> Iterator[DockerEngine]:
    docker_staging.build("python:3.12-slim", images.python_base())
    docker_staging.build("acme/checkout:1.4.2", images.app("python:3.12-slim"))
    docker_staging.build("vendor/agent:7", images.alpine_base())
    labels = {"com.docker.compose.service": "checkout", "app": "checkout"}
    for number in (1, 2):
        docker_staging.run(
            "acme/checkout:1.4.2",
            f"checkout-{number}",
            env={"STRIPE_SECRET_KEY": "canary-env"},
            labels=labels,
        )
    sleep = ["/bin/busybox", "sleep", "3600"]
    docker_staging.run("vendor/agent:7", "agent", labels={"app": "checkout"}, command=sleep)
    yield docker_staging
    for name in ("checkout-1", "checkout-2", "agent"):
        docker_staging.rm(name)


async def test_a_real_engine(staging: DockerEngine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    options = DockerOptions(host=staging.url, label="app=checkout", main="acme/checkout")
    collected = await DockerCollector().collect(options, context())
    agent, main = collected.seen
    assert (agent.component, agent.component_kind) == ("agent", "sidecar")
    assert agent.sections["dependencies"].facts["pkg:apk/alpine/musl"] == "1.2.5-r0"
    dependencies = main.sections["dependencies"]
    assert dependencies.status == "complete"
    assert {"pkg:deb/*", "pkg:pypi/*"} <= set(dependencies.covers)
    assert dependencies.facts["os#release"] == "debian 12"
    assert dependencies.facts["pkg:deb/debian/openssl"] == "3.0.14-1~deb12u2"
    assert dependencies.facts["pkg:pypi/django"] == "5.1.2"
    assert main.sections["concurrency"].facts["replicas"] == 2
    assert main.sections["config"].facts["STRIPE_SECRET_KEY"]["source_class"] == "literal"  # type: ignore[index, call-overload]
    assert main.sections["config"].facts["GPG_KEY"]["source_class"] == "image_default"  # type: ignore[index, call-overload]
    assert "canary" not in repr(collected) + caplog.text


async def test_what_a_container_installs_itself_is_seen(staging: DockerEngine) -> None:
    container = staging.run("acme/checkout:1.4.2", "installs", labels={"app": "installs"}, user="0")
    options = DockerOptions(host=staging.url, label="app=installs")
    site = "/usr/local/lib/python3.12/site-packages"
    try:
        (before,) = (await DockerCollector().collect(options, context())).seen
        moved = f"cd {site} && busybox mv Django-5.1.2.dist-info Django-5.2.8.dist-info"
        moved += " && busybox sed -i s/5.1.2/5.2.8/ Django-5.2.8.dist-info/METADATA"
        assert container.exec_run(["/bin/sh", "-c", moved]).exit_code == 0
        (after,) = (await DockerCollector().collect(options, context())).seen
    finally:
        staging.rm("installs")
    facts = [seen.sections["dependencies"].facts["pkg:pypi/django"] for seen in (before, after)]
    assert facts == ["5.1.2", "5.2.8"]


async def test_an_unchanged_engine_says_the_same(staging: DockerEngine) -> None:
    options = DockerOptions(host=staging.url)
    first, second = [await DockerCollector().collect(options, context(None)) for _ in range(2)]
    assert first == second
    assert [one.service for one in first.seen] == ["checkout"]


async def test_a_container_that_mounts_the_engine_is_read_without_its_mounts(staging: DockerEngine) -> None:
    folder = {str(staging.folder): {"bind": "/host", "mode": "ro"}}
    staging.run("acme/checkout:1.4.2", "watcher", labels={"app": "watcher"}, volumes=folder)
    try:
        options = DockerOptions(host=staging.url, label="app=watcher")
        (seen,) = (await DockerCollector().collect(options, context())).seen
    finally:
        staging.rm("watcher")
    assert seen.sections["dependencies"].status == "complete"
    assert seen.sections["dependencies"].facts["pkg:pypi/django"] == "5.1.2"
    assert seen.sections["release"].facts["image#tag"] == "1.4.2"


async def test_a_container_says_by_its_label_that_it_takes_no_traffic() -> None:
    engine = Engine()
    engine.listed = [_summary("c1"), _summary("c2"), _summary("c3")]
    for identity, traffic in (("c2", "idle"), ("c3", "nonsense")):
        labels = {**CONTAINER["Config"]["Labels"], "parity.traffic": traffic}
        answered = CONTAINER | {"Id": identity, "Config": {**CONTAINER["Config"], "Labels": labels}}

        async def container(_: web.Request, answered: Any = answered) -> web.Response:
            return web.json_response(answered)

        engine.answers[f"/containers/{identity}/json"] = container
    seen = (await _collect(engine)).seen
    counts = {one.traffic: one.sections["concurrency"].facts["replicas"] for one in seen}
    assert counts == {"live": 2, "idle": 1}


async def test_labels_of_parity_name_service_and_component_before_all_others() -> None:
    engine = Engine()
    labels = {"parity.service": "cart", "parity.component": "worker"}
    engine.listed = [_summary("c1", **labels)]
    container = copy.deepcopy(CONTAINER) | {"Id": "c1"}
    container["Config"]["Labels"] |= labels

    async def says(request: web.Request) -> web.Response:
        return web.json_response(container)

    engine.answers["/containers/c1/json"] = says
    found = await _collect(engine, None)
    assert [(one.service, one.component) for one in found.seen] == [("cart", "worker")]
    # A source of one service is told its name by the configuration.
    found = await _collect(engine)
    assert [(one.service, one.component) for one in found.seen] == [(None, "worker")]
