"""A Docker registry on loopback: an image gets its repository digest by being pushed to one."""

import json
import subprocess
from collections.abc import Mapping, Sequence

from docker.errors import DockerException

from tests.servers.docker_engine import DockerEngine
from tests.servers.process import LOOPBACK, ServerFailed, ServerProcess, free_port, listens, required


class Registry(ServerProcess):
    """A plain HTTP registry; engines take it without TLS because it is on loopback."""

    name = "registry"

    def __init__(self, users: Mapping[str, str] | None = None) -> None:
        """`users` are names and passwords; without any everybody may do everything."""
        self._program = required("docker-registry", "Docker registry", "apt-get install docker-registry")
        super().__init__()
        self.port = free_port()
        self._users = users or {}

    def reference(self, repository: str, tag: str) -> str:
        """The reference of an image here, as `docker pull` takes it."""
        return f"{LOOPBACK}:{self.port}/{repository}:{tag}"

    def publish(
        self, image: str, repository: str, tag: str, *, source: DockerEngine, to: DockerEngine
    ) -> str:
        """Push an image of one engine and pull it into another; the reference that both know it by now."""
        reference = self.reference(repository, tag)
        source.client.images.get(image).tag(reference)
        for line in source.client.images.push(reference, stream=True, decode=True):
            if "error" in line:
                raise ServerFailed(f"push of {repository}:{tag}: {line['error']}")
        try:
            to.client.images.pull(reference)
        except DockerException as failure:
            raise ServerFailed(f"pull of {repository}:{tag}: {failure}") from failure
        return reference

    def _prepare(self) -> None:
        settings: dict[str, object] = {
            "version": "0.1",
            "log": {"level": "warn"},
            "storage": {"filesystem": {"rootdirectory": f"{self.folder}/images"}},
            "http": {"addr": f"{LOOPBACK}:{self.port}"},
        }
        if self._users:
            lines = (f"{name}:{_bcrypt(password)}\n" for name, password in self._users.items())
            (self.folder / "htpasswd").write_text("".join(lines))
            settings["auth"] = {"htpasswd": {"realm": "registry", "path": f"{self.folder}/htpasswd"}}
        (self.folder / "registry.yml").write_text(json.dumps(settings))  # JSON is YAML

    def _command(self) -> Sequence[str]:
        return [self._program, "serve", f"{self.folder}/registry.yml"]

    def _ready(self) -> bool:
        return listens(self.port)


def _bcrypt(password: str) -> str:
    """A password as the registry keeps it, by the C library that perl brings to light."""
    program = "print crypt($ARGV[0], q($2y$05$abcdefghijklmnopqrstuu))"
    done = subprocess.run(["perl", "-e", program, password], capture_output=True, text=True, check=True)
    return done.stdout
