import io
import json
import subprocess
import tarfile
import urllib.request
from pathlib import Path

from docker.models.containers import Container

from tests.servers import images
from tests.servers.docker_engine import DockerEngine
from tests.servers.packages import DEB_PACKAGES


def _file(container: Container, path: str) -> bytes:
    chunks, _stat = container.get_archive(path)
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        member = archive.extractfile(archive.getmembers()[0])
        assert member is not None
        return member.read()


def test_two_engines_hold_their_own_containers_and_images(
    docker_staging: DockerEngine, docker_prod: DockerEngine
) -> None:
    for engine, colour in ((docker_staging, "green"), (docker_prod, "blue")):
        engine.build("shop:1", images.scratch(env={"COLOUR": colour, "PRICE": 'a"$b\\c'}))
        engine.run("shop:1", "shop", labels={"tier": colour})
    for engine, colour in ((docker_staging, "green"), (docker_prod, "blue")):
        (container,) = engine.client.containers.list()
        assert container.labels["tier"] == colour
        assert {f"COLOUR={colour}", 'PRICE=a"$b\\c'} <= set(container.attrs["Config"]["Env"])
    docker_prod.rm("shop")
    assert docker_prod.client.containers.list() == []
    assert len(docker_staging.client.containers.list()) == 1
    docker_staging.rm("shop")


def test_an_official_style_image_carries_what_a_real_one_does(
    docker_staging: DockerEngine, tmp_path: Path
) -> None:
    docker_staging.build("python:3.12-slim", images.python_base())
    docker_staging.build("acme/shop:1.4.2", images.app("python:3.12-slim", distributions={"Django": "5.1.2"}))
    container = docker_staging.run("acme/shop:1.4.2", "shop", env={"DEBUG": "0"})

    config = container.attrs["Config"]
    keys = [entry.partition("=")[0] for entry in config["Env"]]
    assert keys == ["DEBUG", "PATH", "LANG", "GPG_KEY", "PYTHON_VERSION", "PYTHON_SHA256"]
    assert config["Labels"]["org.opencontainers.image.version"] == "1.4.2"
    assert config["User"] == "10001"
    assert b'ID="debian"' in _file(container, "/etc/os-release")
    assert b"Version: 5.1.2" in _file(
        container, "/usr/local/lib/python3.12/site-packages/Django-5.1.2.dist-info/METADATA"
    )

    (tmp_path / "status").write_bytes(_file(container, "/var/lib/dpkg/status"))
    query = ["dpkg-query", f"--admindir={tmp_path}", "-W", "-f=${Package} ${Version} ${Status}\n"]
    listed = subprocess.run(query, capture_output=True, text=True, check=True)
    assert listed.stderr == ""
    assert listed.stdout.splitlines() == sorted(
        f"{deb.name} {deb.version} {deb.status}" for deb in DEB_PACKAGES
    )
    docker_staging.rm("shop")


def test_an_alpine_style_image_carries_the_apk_database(docker_prod: DockerEngine) -> None:
    docker_prod.build("alpine:3.20", images.alpine_base())
    container = docker_prod.run("alpine:3.20", "edge", command=["/bin/sh", "-c", "busybox sleep 600"])
    database = _file(container, "/lib/apk/db/installed").decode()
    assert "P:musl\nV:1.2.5-r0\n" in database
    assert database.endswith("\n\n")
    docker_prod.rm("edge")


def test_published_ports_and_health_checks_work(docker_prod: DockerEngine) -> None:
    docker_prod.build("python:3.12-slim", images.python_base())
    docker_prod.build("acme/shop:1.4.3", images.app("python:3.12-slim", version="1.4.3"))
    check = {
        "test": ["CMD-SHELL", "busybox wget -q -O /dev/null 127.0.0.1:8000/version.json"],
        "interval": 200_000_000,
    }
    docker_prod.run("acme/shop:1.4.3", "web", ports={8000: 0}, healthcheck=check)
    docker_prod.until_health("web")
    port = docker_prod.published_port("web", 8000)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/version.json", timeout=5) as answer:
        assert json.load(answer)["version"] == "1.4.3"
    docker_prod.rm("web")


def test_a_sent_image_keeps_its_id_and_a_rebuilt_one_does_not(
    docker_staging: DockerEngine, docker_prod: DockerEngine
) -> None:
    built = docker_staging.build("acme/sent:1", images.scratch())
    docker_staging.send("acme/sent:1", docker_prod)
    assert docker_prod.client.images.get("acme/sent:1").id == built
    assert docker_prod.build("acme/sent:1", images.scratch(labels={"built": "again"})) != built


def test_an_engine_comes_back_after_an_outage_and_leaves_nothing_behind() -> None:
    with DockerEngine() as engine:
        engine.build("shop:1", images.scratch())
        engine.run("shop:1", "shop")
        engine.stop()
        engine.start()
        assert engine.client.containers.get("shop").status == "exited"
        engine.run("shop:1", "shop")
        folder = str(engine.folder)
    assert not Path(folder).exists()
    assert folder not in Path("/proc/self/mounts").read_text()
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if _is_there(path)]
    assert not [command for command in commands if folder.encode() in command]
    assert (
        engine._bridge
        not in subprocess.run(["ip", "link"], capture_output=True, text=True, check=True).stdout
    )


def test_a_killed_engine_takes_its_containers_with_it() -> None:
    with DockerEngine() as engine:
        engine.build("shop:1", images.scratch(command=("/bin/busybox", "sleep", "86399")))
        engine.run("shop:1", "shop")
        engine.kill()
    assert not list(Path("/sys/fs/cgroup").glob(f"**/{engine._bridge}"))


def _is_there(path: Path) -> bool:
    try:
        path.read_bytes()
    except OSError:
        return False
    return True
