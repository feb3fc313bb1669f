"""A private Docker Engine with its own bridge, socket and namespaces; several run beside each other."""

import io
import ipaddress
import json
import os
import secrets
import subprocess
import tarfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException, NotFound
from docker.models.containers import Container

from tests.servers.process import LOOPBACK, ServerFailed, ServerMissing, ServerProcess, required

_INSTALL = "apt-get install --no-install-recommends docker.io"
_SUBNETS = ipaddress.IPv4Network("172.30.0.0/16")


class DockerEngine(ServerProcess):
    """A `dockerd` that touches neither iptables, forwarding, nor another engine's files.

    It runs in its own mount and process namespaces: when its first process ends, however it ends, its
    containers, shims and mounts end with it. What is left, the bridge and the cgroup, goes in `close`.
    Needs root.
    """

    name = "docker"
    orphan_signal = "KILL"  # the outer process ignores SIGTERM; its death ends the namespaces

    def __init__(self) -> None:
        if os.geteuid() != 0:
            raise ServerMissing("Docker Engine", "run the tests as root")
        self._dockerd = required("dockerd", "Docker Engine", _INSTALL)
        self._ip = required("ip", "Docker Engine", "apt-get install iproute2")
        self._unshare = required("unshare", "Docker Engine", "apt-get install util-linux")
        super().__init__()
        self._bridge = f"parity-{secrets.token_hex(4)}"
        self.socket = self.folder / "s"
        self.client = docker.DockerClient(base_url=self.url, version="1.41", timeout=30)

    @property
    def url(self) -> str:
        """Address of its socket, as in DOCKER_HOST."""
        return f"unix://{self.socket}"

    def build(self, tag: str, context: Mapping[str, bytes]) -> str:
        """Build an image without network and return its id.

        `context` holds the Dockerfile and what it copies; programs (ELF files and scripts) become executable.
        """
        image, _log = self.client.images.build(
            fileobj=_tar(context), custom_context=True, tag=tag, rm=True, forcerm=True, network_mode="none"
        )
        assert image.id is not None
        return image.id

    def send(self, tag: str, to: "DockerEngine") -> None:
        """Copy an image to another engine, as save and load do: the id stays, no digest comes."""
        to.client.images.load(b"".join(self.client.images.get(tag).save(named=True)))

    def run(
        self,
        image: str,
        name: str,
        *,
        env: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        ports: Mapping[int, int] | None = None,
        command: Sequence[str] | None = None,
        healthcheck: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Container:
        """Start a container, replacing one of this name.

        `ports` maps ports of the container to loopback ports of the host, 0 for any. `healthcheck` and
        `options` are those of docker-py (times in nanoseconds). Names have two characters or more.
        """
        self.rm(name)
        published: dict[str, tuple[str, int] | None] = {
            f"{inside}/tcp": (LOOPBACK, outside) for inside, outside in (ports or {}).items()
        }
        container: Container = self.client.containers.run(
            image,
            list(command) if command is not None else None,
            name=name,
            detach=True,
            environment=dict(env or {}),
            labels=dict(labels or {}),
            ports=published,
            healthcheck=dict(healthcheck) if healthcheck else None,
            **options,
        )
        container.reload()
        return container

    def rm(self, name: str) -> None:
        """Remove a container and its anonymous volumes, running or not, there or not."""
        try:
            self.client.containers.get(name).remove(force=True, v=True)
        except NotFound:
            return

    def until_health(self, name: str, health: str = "healthy", seconds: float = 20.0) -> None:
        """Wait until the health check of a container says so; ServerFailed when it does not in time."""
        deadline = time.monotonic() + seconds
        while (now := self.client.containers.get(name).health) != health:
            if time.monotonic() > deadline:
                raise ServerFailed(f"container {name} is {now}, not {health}, after {seconds:g} s")
            time.sleep(0.05)

    def published_port(self, name: str, inside: int) -> int:
        """The loopback port of the host that leads to this port of a container."""
        ports = self.client.containers.get(name).attrs["NetworkSettings"]["Ports"]
        return int(ports[f"{inside}/tcp"][0]["HostPort"])

    def _prepare(self) -> None:
        (self.folder / "daemon.json").write_text("{}")
        gateway = _free_subnet(self._ip)
        for words in (
            ["link", "add", self._bridge, "type", "bridge"],
            ["addr", "add", gateway, "dev", self._bridge],
            ["link", "set", self._bridge, "up"],
        ):
            done = subprocess.run([self._ip, *words], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise ServerMissing(
                    "Docker Engine", f"it needs the right to make a bridge ({done.stderr.strip()})"
                )

    def _command(self) -> Sequence[str]:
        dockerd = [self._dockerd, "--config-file", f"{self.folder}/daemon.json", "-H", self.url]
        dockerd += ["--data-root", f"{self.folder}/data", "--exec-root", f"{self.folder}/exec"]
        dockerd += ["-p", f"{self.folder}/pid", "--storage-driver", "overlay2", f"--bridge={self._bridge}"]
        dockerd += ["--iptables=false", "--ip6tables=false", "--ip-masq=false", "--ip-forward=false"]
        dockerd += ["--cgroup-parent", f"/{self._bridge}"]
        # A key and the sockets of its shims: what it writes elsewhere goes where nobody else sees it.
        hidden = "mount -t tmpfs tmpfs /run; if [ -d /etc/docker ]; then mount -t tmpfs tmpfs /etc/docker; fi"
        hidden += '; rm -f "$0"; exec "$@"'
        namespaces = ["--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"]
        return [self._unshare, *namespaces, "sh", "-c", hidden, f"{self.folder}/pid", *dockerd]

    def _ready(self) -> bool:
        if not self.socket.exists():
            return False
        try:
            return bool(self.client.ping())
        except (DockerException, OSError):
            return False

    def _ask_to_stop(self) -> None:
        # Containers first: one that ignores SIGTERM holds dockerd for ten seconds.
        for container in self.client.containers.list():
            try:
                container.kill()
            except DockerException:
                continue
        inner = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        for pid in inner:
            os.kill(int(pid), self.stop_signal)

    def close(self) -> None:
        try:
            self.stop()
        except (DockerException, OSError):
            self.kill()  # it no longer answers: its namespaces end with it
        finally:
            self.client.close()
            subprocess.run([self._ip, "link", "del", self._bridge], capture_output=True, check=False)
            _remove_cgroup(self._bridge)
            super().close()


def _free_subnet(ip: str) -> str:
    """Gateway address of a /24 that no interface of this machine uses."""
    shown = subprocess.run([ip, "-j", "-4", "addr"], capture_output=True, text=True, check=True).stdout
    taken = [
        ipaddress.IPv4Interface(f"{address['local']}/{address['prefixlen']}").network
        for link in json.loads(shown)
        for address in link.get("addr_info", [])
    ]
    subnets = list(_SUBNETS.subnets(new_prefix=24))
    start = secrets.randbelow(len(subnets))
    for subnet in subnets[start:] + subnets[:start]:
        if not any(subnet.overlaps(other) for other in taken):
            return f"{subnet[1]}/24"
    raise ServerFailed(f"no free network left in {_SUBNETS}")


def _remove_cgroup(name: str) -> None:
    """Remove the cgroups that a killed engine leaves, innermost first."""
    roots = [Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").glob("*/")]
    for top in [root / name for root in roots if (root / name).is_dir()]:
        for folder, _folders, _files in os.walk(top, topdown=False):
            try:
                Path(folder).rmdir()
            except OSError:
                continue


def _tar(files: Mapping[str, bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            member.mode = 0o755 if content.startswith((b"\x7fELF", b"#!")) else 0o644
            archive.addfile(member, io.BytesIO(content))
    buffer.seek(0)
    return buffer
