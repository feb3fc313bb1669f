"""The collector `image`: the same image from every place that can hold it, and places that lie."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from collectors._docker_engine import streamed
from collectors._docker_trees import tree_of_container, tree_of_image
from collectors._image_packages import Known
from collectors.image import ImageCollector, ImageOptions
from collectors.readers.installed import Tree
from detector.collector import Seen
from detector.errors import NotThereError, UnseenError
from detector.model.facts import Section
from tests.collectors.archives import (
    Layout,
    described,
    file,
    image_config,
    link,
    saved,
    tar,
    tar_of,
)
from tests.collectors.archives import compressed as squeezed
from tests.collectors.lent import context
from tests.servers import images
from tests.servers.docker_engine import DockerEngine
from tests.servers.packages import DEB_PACKAGES, dpkg_status

BASE = tar(
    file("usr/lib/os-release", "ID=debian\nVERSION_ID=12\n"),
    link("etc/os-release", "../usr/lib/os-release"),
    file("var/lib/dpkg/status", dpkg_status(DEB_PACKAGES[:3])),
)
UPPER = tar(file("var/lib/dpkg/status", dpkg_status(DEB_PACKAGES)), file("srv/app", b"x" * 5000, 0o755))
CONFIG = {
    "config": {
        "Env": ["PATH=/usr/bin", "STRIPE_KEY=canary-env", "NODE_VERSION=v22.1.0", 7],
        "Entrypoint": ["tini", "--", "gunicorn", "--password=canary-arg", "shop.wsgi"],
        "Cmd": None,
        "User": "10001",
        "ExposedPorts": {"8000/tcp": {}, "canary": {}},
        "StopSignal": "SIGQUIT",
        "Healthcheck": {"Test": ["CMD-SHELL", "curl -H canary-health"], "Interval": 5_000_000_000},
        "Labels": {
            "org.opencontainers.image.revision": "4f1d0a9c2be87f36a5c4e0d19b3a7f5c8e2d6b10",
            "org.opencontainers.image.source": "https://user:canary-url@git.example/acme/shop?canary",
            "org.opencontainers.image.base.name": "registry.example/library/debian:12-slim",
            "secret": "canary-label",
        },
    }
}
NAMED = {"io.containerd.image.name": "registry.example/acme/shop:1.4.2"}


def _layout(form: str = "") -> dict[str, bytes]:
    layout = Layout()
    return layout.holds(layout.image(BASE, UPPER, config=CONFIG, form=form, annotations=NAMED)).files


def _written(root: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


async def _seen(path: Path, **options: Any) -> Seen:
    collected = await ImageCollector().collect(
        ImageOptions(path=path, **options), context(folder=path.parent)
    )
    return collected.seen[0]


async def _packages(path: Path, **options: Any) -> Section:
    return (await _seen(path, **options)).sections["dependencies"]


Write = Callable[[Path], Path]


def _file(data: bytes) -> Write:
    def write(folder: Path) -> Path:
        (folder / "api.tar").write_bytes(data)
        return folder / "api.tar"

    return write


def _folder(files: Mapping[str, bytes]) -> Write:
    return lambda folder: _written(folder / "layout", files)


@pytest.mark.parametrize(
    "write",
    [
        _file(tar_of(saved(BASE, UPPER, tags=["acme/shop:1.4.2"], config=CONFIG))),
        _file(squeezed(tar_of(saved(BASE, UPPER, tags=["acme/shop:1.4.2"], config=CONFIG)), "gzip")),
        _file(tar_of(dict(reversed(saved(BASE, UPPER, tags=["acme/shop:1.4.2"], config=CONFIG).items())))),
        _folder(saved(BASE, UPPER, tags=["acme/shop:1.4.2"], config=CONFIG)),
        _file(tar_of(_layout())),
        _folder(_layout("gzip")),
        _folder(_layout("zstd")),
        _file(squeezed(tar_of(_layout("gzip")), "zstd")),
    ],
)
async def test_an_image_says_the_same_from_every_place(write: Write, tmp_path: Path) -> None:
    seen = await _seen(write(tmp_path))
    packages = seen.sections["dependencies"]
    assert (packages.status, packages.basis) == ("complete", "built")
    assert packages.facts["os#release"] == "debian 12"
    assert packages.facts["os#arch"] == "amd64"
    assert packages.facts["runtime#node"] == "22.1.0"
    debian = {item for item in packages.facts if item.startswith("pkg:deb/")}
    assert len(debian) == len([one for one in DEB_PACKAGES if one.status.endswith(" installed")])
    release = dict(seen.sections["release"].facts)
    assert release.pop("image#id").startswith("sha256:")  # type: ignore[union-attr]
    release.pop("image#digest", None)
    assert release == {
        "image#repository": "acme/shop",
        "image#tag": "1.4.2",
        "image#platform": "linux/amd64",
        "image#base": "debian:12-slim",
        "release#built_at": "2026-11-01T10:00:00Z",
    }
    assert seen.sections["codebase"].facts["repo#commit"] == "4f1d0a9c2be87f36a5c4e0d19b3a7f5c8e2d6b10"
    assert seen.sections["codebase"].facts["repo#url"] == "git.example/acme/shop"
    assert seen.sections["processes"].facts == {"user": "10001", "command": "gunicorn", "server": "gunicorn"}
    assert seen.sections["ports"].facts == {"8000/tcp": None}
    assert seen.sections["disposability"].facts["pid1"] == "init"
    assert seen.sections["disposability"].facts["stop_signal"] == "SIGQUIT"
    assert "config" not in seen.sections
    assert "canary" not in repr(seen)


async def test_the_manifest_of_a_layout_has_a_digest(tmp_path: Path) -> None:
    layout = Layout()
    entry = layout.image(BASE)
    index = layout.index(
        entry, {**entry, "annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    )
    sections = (await _seen(_written(tmp_path / "o", layout.holds(index).files))).sections
    assert sections["release"].facts["image#digest"] == entry["digest"]
    assert sections["release"].facts["image#index"] == index["digest"]


def _for(architecture: str, **more: str) -> dict[str, Any]:
    return {"platform": {"os": "linux", "architecture": architecture, **more}}


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize(
    ("platform", "expected"),
    [(None, "amd64"), ("linux/arm64", "arm64"), ("linux/arm64/v8", "arm64"), ("linux/s390x", None)],
)
async def test_the_platform_is_chosen(
    *, nested: bool, platform: str | None, expected: str | None, tmp_path: Path
) -> None:
    layout = Layout()
    entries = [
        layout.image(BASE, config={"architecture": "arm64", "variant": "v8"}, **_for("arm64", variant="v8")),
        layout.image(BASE, config={"architecture": "amd64"}, **_for("amd64")),
    ]
    if nested:
        entries = [layout.index(*entries)]
    path = _written(tmp_path / "layout", layout.holds(*entries).files)
    if expected is None:
        with pytest.raises(
            UnseenError, match=r"no image for linux/s390x; there is linux/amd64, linux/arm64/v8"
        ):
            await _seen(path, platform=platform)
    else:
        assert (await _packages(path, platform=platform)).facts["os#arch"] == expected


async def test_one_of_several_images_is_named(tmp_path: Path) -> None:
    files = saved(BASE, tags=["acme/shop:1"], config={"architecture": "arm64"})
    other = saved(BASE, tags=["acme/shop:2", "registry.example/acme/other:3"])
    both = json.loads(files["manifest.json"]) + json.loads(other["manifest.json"])
    path = _file(tar_of({**files, **other, "manifest.json": json.dumps(both).encode()}))(tmp_path)
    assert (await _packages(path, image="acme/shop:1")).facts["os#arch"] == "arm64"
    for name in ("acme/shop:2", "registry.example/acme/shop:2", "acme/other:3"):
        assert (await _packages(path, image=name)).facts["os#arch"] == "amd64"
    with pytest.raises(UnseenError, match=r"holds 2 images \(acme/shop:1, acme/shop:2\): name one"):
        await _seen(path)
    with pytest.raises(UnseenError, match="not acme/shop:9"):
        await _seen(path, image="acme/shop:9")


async def test_podman_and_skopeo_name_by_the_tag_alone(tmp_path: Path) -> None:
    layout = Layout()
    entry = layout.image(BASE, annotations={"org.opencontainers.image.ref.name": "1.4.2"})
    path = _written(tmp_path / "layout", layout.holds(entry).files)
    assert (await _packages(path, image="1.4.2")).status == "complete"
    assert "image#repository" not in (await _seen(path)).sections["release"].facts


def _forged(files: Mapping[str, bytes], layer: bytes) -> dict[str, bytes]:
    return {
        name: data.replace(b"openssl", b"openssh") if data == layer else data for name, data in files.items()
    }


@pytest.mark.parametrize("files", [_layout(), saved(BASE, UPPER)])
async def test_a_layer_with_another_content_is_refused(files: dict[str, bytes], tmp_path: Path) -> None:
    path = _file(tar_of(_forged(files, UPPER)))(tmp_path)
    seen = await _seen(path)
    section = seen.sections["dependencies"]
    assert (section.status, section.facts, section.unseen[0].reason) == ("failed", {}, "malformed")
    assert "layer 2: sha256:" in section.unseen[0].detail
    assert seen.sections["release"].status == "complete"


@pytest.mark.parametrize("part", [b'"rootfs"', b'"layers": ['])
async def test_a_document_with_another_content_is_refused(part: bytes, tmp_path: Path) -> None:
    files = _layout()
    (name,) = (name for name, data in files.items() if part in data)
    files[name] = files[name].replace(b"{", b"{ ", 1)
    with pytest.raises(UnseenError, match="another content than its digest"):
        await _seen(_written(tmp_path / "layout", files))


async def test_without_one_layer_nothing_is_certain(tmp_path: Path) -> None:
    files = {name: data for name, data in _layout().items() if data != BASE}
    for path in (_written(tmp_path / "layout", files), _file(tar_of(files))(tmp_path)):
        section = await _packages(path)
        assert (section.status, section.facts) == ("failed", {})
        assert "layer 1" in section.unseen[0].detail


def _entry(media_type: str) -> dict[str, Any]:
    return {"digest": _DIGEST, "size": 1, "mediaType": media_type}


def _layout_with(**changes: Any) -> dict[str, bytes]:
    """A layout whose manifest is another; None takes a key away."""
    layout = Layout()
    config = layout.blob(image_config([BASE], {}))
    layer = layout.blob(BASE)
    manifest = {
        "schemaVersion": 2,
        "config": described(config, "application/vnd.oci.image.config.v1+json"),
        "layers": [described(layer, "application/vnd.oci.image.layer.v1.tar")],
        **changes,
    }
    raw = layout.blob({key: value for key, value in manifest.items() if value is not None})
    return layout.holds(described(raw, "application/vnd.oci.image.manifest.v1+json")).files


_ENCRYPTED = "application/vnd.oci.image.layer.v1.tar+encrypted"
_DIGEST = f"sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "unsupported"),
        ({"readme": b"x"}, "unsupported"),
        ({"index.json": b"{"}, "malformed"),
        ({"index.json": b"[]"}, "malformed"),
        ({"index.json": b'{"a":1,"a":2}'}, "malformed"),
        ({"index.json": b'{"manifests":' + b"[" * 5000 + b"]" * 5000 + b"}"}, "malformed"),
        ({"index.json": b'{"manifests":[]}'}, "not_in_view"),
        ({"index.json": b'{"manifests":[{"digest":"sha256:../../etc/passwd","size":1}]}'}, "malformed"),
        ({"index.json": b'{"manifests":[{"digest":"md5:0","size":1}]}'}, "malformed"),
        ({"index.json": b'{"manifests":[{"digest":"%b","size":-1}]}' % _DIGEST.encode()}, "malformed"),
        ({"index.json": b'{"manifests":[{"digest":"%b","size":1}]}' % _DIGEST.encode()}, "malformed"),
        ({"manifest.json": b"{}"}, "not_in_view"),
        ({"manifest.json": b"[1]"}, "not_in_view"),
        ({"manifest.json": b'[{"Config":"../../etc/passwd","Layers":[]}]'}, "malformed"),
        ({"manifest.json": b'[{"Config":7,"Layers":[]}]'}, "malformed"),
        ({"manifest.json": b'[{"Config":"a.json","Layers":"x"}]', "a.json": b"{}"}, "malformed"),
        (_layout_with(schemaVersion=1), "unsupported"),
        (_layout_with(config=None), "malformed"),
        (_layout_with(layers=None), "malformed"),
        (_layout_with(layers={}), "malformed"),
        (_layout_with(layers=[1] * 600), "malformed"),
        (
            _layout_with(config={"digest": _DIGEST, "size": 1, "mediaType": "application/vnd.helm"}),
            "unsupported",
        ),
        (
            _layout_with(
                layers=[
                    {
                        "digest": _DIGEST,
                        "size": 1,
                        "mediaType": "application/vnd.oci.image.layer.v1.tar+encrypted",
                    }
                ]
            ),
            "unsupported",
        ),
    ],
)
@pytest.mark.parametrize("archive", [True, False])
async def test_what_is_no_image_is_unseen(
    *, files: dict[str, bytes], reason: str, archive: bool, tmp_path: Path
) -> None:
    (tmp_path / "layout").mkdir()
    path = _file(tar_of(files))(tmp_path) if archive else _written(tmp_path / "layout", files)
    with pytest.raises(UnseenError) as caught:
        await _seen(path)
    assert caught.value.reason == reason
    assert "passwd" not in caught.value.detail


async def test_a_layout_reaches_nothing_outside_of_itself(tmp_path: Path) -> None:
    (tmp_path / "layer.tar").write_bytes(BASE)
    files = saved(BASE)
    (layer,) = json.loads(files["manifest.json"])[0]["Layers"]
    del files[layer]
    for outside in ("../layer.tar", str(tmp_path / "layer.tar"), "a/../../layer.tar"):
        manifest = files["manifest.json"].replace(layer.encode(), outside.encode())
        path = _written(tmp_path / "layout", {**files, "manifest.json": manifest})
        assert (await _packages(path)).status == "failed"
    (tmp_path / "layout" / layer).parent.mkdir(exist_ok=True)
    (tmp_path / "layout" / layer).symlink_to("../../layer.tar")
    section = await _packages(_written(tmp_path / "layout", files))
    assert section.unseen[0].reason == "denied"


async def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UnseenError, match="does not exist"):
        await _seen(tmp_path / "none.tar")
    os.mkfifo(tmp_path / "pipe.tar")
    with pytest.raises(UnseenError, match="no regular file"):
        await _seen(tmp_path / "pipe.tar")


@pytest.mark.parametrize(
    "config",
    [
        {"config": [], "os": 7, "architecture": None, "created": {}, "rootfs": []},
        {
            "config": {
                "Env": "A=1",
                "Labels": [],
                "Entrypoint": "x",
                "ExposedPorts": 1,
                "Healthcheck": "x",
                "User": 5,
            }
        },
        {"config": {"Healthcheck": {"Test": "x", "Interval": "many"}, "Env": [None], "Labels": {"a": 1}}},
        {"config": {"Labels": {"org.opencontainers.image.revision": ["x"]}, "StopSignal": "a b"}},
    ],
)
async def test_a_configuration_of_other_types_breaks_nothing(config: dict[str, Any], tmp_path: Path) -> None:
    seen = await _seen(_file(tar_of(saved(BASE, config=config)))(tmp_path))
    assert seen.sections["dependencies"].facts["os#release"] == "debian 12"


@pytest.mark.parametrize("files", [_layout("gzip"), saved(BASE, UPPER)])
async def test_a_cut_archive_loses_no_package(files: dict[str, bytes], tmp_path: Path) -> None:
    data = tar_of(files)
    whole = await _packages(_file(data)(tmp_path))
    for percent in range(100):
        path = _file(data[: len(data) * percent // 100])(tmp_path)
        try:
            section = await _packages(path)
        except UnseenError:
            continue
        assert section.status == "failed" or section.facts == whole.facts


async def test_a_flipped_bit_changes_nothing_or_is_seen(tmp_path: Path) -> None:
    data = tar_of(_layout("gzip"))
    whole = await _packages(_file(data)(tmp_path))
    for at in range(0, len(data), max(1, len(data) // 150)):
        path = _file(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])(tmp_path)
        try:
            section = await _packages(path)
        except UnseenError:
            continue
        assert section.status == "failed" or section.facts == whole.facts


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({}, "give `image`"),
        ({"image": "Not A Name"}, "no name of an image"),
        ({"path": "a.tar", "platform": "amd64"}, "linux/arm64"),
        ({"image": "a", "host": "tcp://user:canary@engine:2375"}, "host"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, str], word: str) -> None:
    with pytest.raises(ValueError, match=word) as caught:
        ImageOptions.model_validate(options)
    assert "canary" not in str(caught.value)


async def test_debian_packages_are_those_that_dpkg_lists(tmp_path: Path) -> None:
    made = tmp_path / "made"
    root = tmp_path / "root"
    for folder in ("var/lib/dpkg/info", "var/lib/dpkg/updates", "etc"):
        (root / folder).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    (root / "etc/os-release").write_text("ID=debian\nVERSION_ID=13\n")
    for name, version in (("libstdc++6", "14.2.0-19"), ("zlib1g", "1:1.3.1-1+b1"), ("tzdata", "2025b~rc1-0")):
        (made / name / "DEBIAN").mkdir(parents=True)
        fields = {"Package": name, "Version": version, "Architecture": "all", "Description": "x"}
        fields["Maintainer"] = "Packagers <packagers@lists.example>"
        control = "".join(f"{key}: {value}\n" for key, value in fields.items())
        (made / name / "DEBIAN/control").write_text(control)
        deb = str(tmp_path / f"{name}.deb")
        subprocess.run(["dpkg-deb", "--build", str(made / name), deb], check=True, capture_output=True)
        install = ["dpkg", f"--root={root}", "--force-not-root", "--force-bad-path", "--install", deb]
        subprocess.run(install, check=True, capture_output=True)
    query = ["dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", "-f=${Package} ${Version}\n"]
    listed = subprocess.run(query, check=True, capture_output=True, text=True).stdout.splitlines()
    packed = subprocess.run(["tar", "-C", str(root), "-c", "."], check=True, capture_output=True).stdout
    section = await _packages(_file(tar_of(saved(packed)))(tmp_path))
    found = {
        f"{unquote(item.rpartition('/')[2])} {version}"
        for item, version in section.facts.items()
        if item.startswith("pkg:deb/debian/")
    }
    assert found == set(listed)
    assert len(found) == 3


# --- engines ---------------------------------------------------------------------------------------------

#: What builds do to files, in layers of their own: all that an overlay knows.
BUSY = """
FROM python:3.12-slim
COPY one two three /
RUN ["/bin/sh", "/one"]
RUN ["/bin/sh", "/two"]
RUN ["/bin/sh", "/three"]
"""
_BELOW = """
busybox mkdir -p /usr/lib64 /data/keep /data/gone /opq/a /etc/links
busybox ln -s usr/lib64 /lib64
busybox touch /lib64/through-a-link /opq/a/old /data/gone/x /data/keep/y
busybox ln /etc/os-release /etc/links/second
"""
_ABOVE = """
busybox rm -r /data/gone /opq
busybox mkdir /opq
busybox touch /opq/new /lib64/again
busybox ln /etc/links/second /etc/links/fourth
busybox ln -s /etc/links/second /etc/links/third
"""
_ATOP = """
busybox rm /data/keep/y /etc/os-release
busybox mkdir /data/keep/y
busybox touch /data/keep/y/z
busybox ln -s links/fourth /etc/os-release
busybox rm -r /usr/local/bin
busybox ln -s /bin /usr/local/bin
"""


@pytest.fixture(scope="module")
def engine(docker_staging: DockerEngine) -> DockerEngine:
    docker_staging.build("python:3.12-slim", images.python_base())
    docker_staging.build("acme/shop:1.4.2", images.app("python:3.12-slim", title="of no registry"))
    scripts = {"one": _BELOW, "two": _ABOVE, "three": _ATOP}
    context = {"Dockerfile": BUSY, **{name: f"#!/bin/sh\nset -e{text}" for name, text in scripts.items()}}
    docker_staging.build("acme/busy:1", {name: text.encode() for name, text in context.items()})
    return docker_staging


def _all(tree: Tree) -> dict[str, tuple[str, str]]:
    return {
        f"{folder.rstrip('/')}/{name}": (entry.kind, entry.target)
        for folder in tree.folders()
        for name, entry in tree.names(folder).items()
    }


#: Made by the engine when a container is made.
_OF_CONTAINERS = ("/dev", "/proc", "/sys", "/.dockerenv", "/etc/mtab", "/etc/host", "/etc/resolv.conf")


def test_layers_lie_over_each_other_as_in_the_engine(engine: DockerEngine) -> None:
    client = engine.client.api
    container = client.create_container("acme/busy:1")
    try:
        exported = tree_of_container(client, {"Id": container["Id"]}, lambda: None)
    finally:
        client.remove_container(container["Id"])
    laid = tree_of_image(client, str(engine.client.images.get("acme/busy:1").id), lambda: None)
    ours, theirs = (
        {path: entry for path, entry in _all(tree).items() if not path.startswith(_OF_CONTAINERS)}
        for tree in (laid, exported)
    )
    assert ours == theirs
    assert {"/opq/new", "/data/keep/y/z", "/usr/lib64/through-a-link"} <= set(ours)
    assert laid.read("/etc/os-release") == exported.read("/etc/os-release")
    assert (laid.unseen, exported.unseen) == ({}, {})


async def test_an_image_of_an_engine_needs_no_container(engine: DockerEngine, tmp_path: Path) -> None:
    before = engine.client.api.containers(all=True)
    options = ImageOptions(image="acme/shop:1.4.2", host=engine.url)
    (seen,) = (await ImageCollector().collect(options, context())).seen
    assert seen.sections["dependencies"].facts["pkg:deb/debian/openssl"] == "3.0.14-1~deb12u2"
    assert seen.sections["release"].facts["image#tag"] == "1.4.2"
    assert seen.sections["processes"].facts["user"] == "10001"
    assert engine.client.api.containers(all=True) == before
    path = tmp_path / "shop.tar"
    path.write_bytes(b"".join(engine.client.images.get("acme/shop:1.4.2").save(named=True)))
    archived = await _seen(path)
    assert archived.sections == seen.sections


async def test_an_image_that_is_not_there_is_gone(engine: DockerEngine) -> None:
    with pytest.raises(NotThereError, match="no image acme/none:1 at unix://"):
        await ImageCollector().collect(ImageOptions(image="acme/none:1", host=engine.url), context())


async def test_what_was_read_once_is_not_read_again(
    engine: DockerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def counted(client: Any, path: str, route: str) -> Iterator[bytes]:
        read.append(path)
        return streamed(client, path, route)

    monkeypatch.setattr("collectors._docker_trees.streamed", counted)
    monkeypatch.setattr("collectors.image.KNOWN", Known())
    options = ImageOptions(image="acme/shop:1.4.2", host=engine.url)
    first, second = [await ImageCollector().collect(options, context()) for _ in range(2)]
    assert first == second
    assert len(read) == 1


@pytest.mark.parametrize(("status", "reason"), [(403, "denied"), (404, "not_in_view"), (500, "unreachable")])
async def test_an_engine_that_gives_no_files_blinds_packages_alone(status: int, reason: str) -> None:
    methods = set()

    async def handle(request: web.Request) -> web.Response:
        methods.add(request.method)
        if request.path.endswith("/get"):
            return web.Response(status=status, text="canary")
        if request.path.endswith("/version"):
            return web.json_response({"ApiVersion": "1.41"})
        return web.json_response({"Id": _DIGEST, "Config": {}, "Architecture": "amd64", "Os": "linux"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app) as server:
        options = ImageOptions(image="acme/shop", host=f"tcp://127.0.0.1:{server.port}")
        (seen,) = (await ImageCollector().collect(options, context())).seen
    section = seen.sections["dependencies"]
    assert [one.reason for one in section.unseen] == [reason]
    assert seen.sections["release"].facts["image#platform"] == "linux/amd64"
    assert "canary" not in repr(seen)
    assert methods == {"GET"}


async def test_a_run_without_time_says_so(engine: DockerEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collectors.image.KNOWN", Known())
    options = ImageOptions(image="acme/shop:1.4.2", host=engine.url)
    (seen,) = (await ImageCollector().collect(options, context(seconds=1.0))).seen
    assert seen.sections["dependencies"].unseen[0].reason == "timeout"
    assert seen.sections["release"].facts["image#tag"] == "1.4.2"
