"""`parity init`: a first parity.yml from what lies around, which says something true at once."""

import json
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from detector.cli.init_content import by_content
from detector.cli.init_machine import machine
from detector.cli.init_walk import walk
from detector.config.load import load
from tests.cli.conftest import Parity

UV = """\
version = 1

[[package]]
name = "django"
version = "{}"
source = {{ registry = "https://registry.example/simple" }}
"""
PACKAGE_LOCK = {
    "name": "web",
    "lockfileVersion": 3,
    "packages": {"": {"name": "web"}, "node_modules/express": {"version": "4.21.2"}},
}
COMPOSE = """\
services:
  api:
    build: .
    environment: {DEBUG: "1"}
  db:
    image: postgres:16.3
"""


def lay(folder: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


@pytest.fixture(autouse=True)
def alone(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine but what a test puts there."""
    home = tmp_path_factory.mktemp("home")
    for name, value in {"HOME": home, "DOCKER_HOST": f"unix://{home}/none.sock"}.items():
        monkeypatch.setenv(name, str(value))
    for name in ("AWS_CONFIG_FILE", "KUBECONFIG", "PARITY_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def proposed(parity: Parity) -> dict[str, Any]:
    answer = parity("init", "--print")
    assert answer.code == 0, answer.err
    found: dict[str, Any] = yaml.safe_load(answer.out)
    return found


def sources(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Service -> environment -> its sources as a list."""
    return {
        one["name"]: {
            environment: some if isinstance(some, list) else [some]
            for environment, some in one["sources"].items()
        }
        for one in document["services"]
        if "name" in one
    }


def test_a_newcomer_sees_a_real_drift_after_three_commands(folder: Path, parity: Parity) -> None:
    lay(
        folder,
        {
            "compose.yaml": COMPOSE,
            ".env": "STRIPE_KEY=a\nLOG_LEVEL=debug\n",
            ".env.production": "LOG_LEVEL=info\n",
            "uv.lock": UV.format("5.2.8"),
        },
    )
    init = parity("init", "--yes")
    assert (init.code, init.why) == (0, "init: wrote parity.yml; next: parity check && parity once")
    assert all(len(line) <= 80 for line in init.out.splitlines())
    check = parity("check")
    assert (check.code, check.why) == (0, "check: the configuration is right")
    once = parity("once")
    assert once.code == 1, once.err
    assert "STRIPE_KEY" in parity("diff", "dev", "prod").out


def test_what_is_read_is_neither_changed_nor_told(folder: Path, parity: Parity) -> None:
    lay(folder, {".env": "TOKEN=canary-value\n", "compose.yaml": "services: [canary-value\n"})
    before = {path: path.read_bytes() for path in folder.iterdir()}
    answer = parity("init", "--print")
    assert "canary-value" not in answer.out + answer.err
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    # What is not understood is told with its place, and no source is made of it.
    assert "compose.yaml" in answer.err
    assert "compose.yaml" not in answer.out


ECOSYSTEMS = {
    "python/uv.lock": UV.format("5.2.8"),
    "node/package-lock.json": json.dumps(PACKAGE_LOCK),
    "rust/Cargo.lock": 'version = 3\n\n[[package]]\nname = "serde"\nversion = "1.0.0"\n'
    'source = "registry+https://registry.example"\nchecksum = "00"\n',
    "go/go.mod": "module shop.example/app\n\ngo 1.22\n\nrequire golang.org/x/text v0.14.0\n",
    "ruby/Gemfile.lock": "GEM\n  remote: https://registry.example/\n  specs:\n    rack (3.0.8)\n\n"
    "PLATFORMS\n  ruby\n\nDEPENDENCIES\n  rack\n\nBUNDLED WITH\n   2.4.20\n",
    "php/composer.lock": json.dumps(
        {"packages": [{"name": "monolog/monolog", "version": "3.5.0"}], "packages-dev": []}
    ),
    "yarn/yarn.lock": '# yarn lockfile v1\n\n\nleft-pad@^1.0.0:\n  version "1.3.0"\n',
    "poetry/poetry.lock": '[[package]]\nname = "flask"\nversion = "3.1.1"\n\n'
    '[metadata]\nlock-version = "2.0"\n',
}


def test_every_lockfile_that_a_reader_knows_is_found_in_its_own_service(folder: Path, parity: Parity) -> None:
    from detector import plugins

    lay(folder, ECOSYSTEMS)
    reader = plugins.load("parity.readers", "lockfile")()
    known = [path for path in ECOSYSTEMS if reader.matches(path)]
    assert len(known) >= 3
    found = sources(proposed(parity))
    assert found == {
        path.partition("/")[0]: {"dev": [{"type": "lockfile", "path": path}]} for path in sorted(known)
    }


def test_one_folder_with_many_formats_is_one_service_with_one_source(folder: Path, parity: Parity) -> None:
    lay(folder, {"uv.lock": UV.format("5"), "package-lock.json": json.dumps(PACKAGE_LOCK)})
    (source,) = sources(proposed(parity))[folder.name]["dev"]
    assert source == {"type": "lockfile", "paths": ["package-lock.json", "uv.lock"]}


def test_environments_are_found_by_the_names_that_people_give_files(folder: Path, parity: Parity) -> None:
    lay(
        folder,
        dict.fromkeys(
            (".env", ".env.stage", ".env.production", ".env.prod-eu", ".env.example", ".env.test"), "A=1\n"
        ),
    )
    answer = parity("init", "--print")
    document = yaml.safe_load(answer.out)
    assert document["environments"] == [
        {"name": "dev", "tier": "development", "presence": "intermittent"},
        {"name": "staging", "tier": "staging"},
        {"name": "prod", "tier": "production"},
        {"name": "prod-eu", "tier": "production"},
    ]
    ((_, found),) = sources(document).items()
    assert found["staging"] == [{"type": "dotenv", "path": ".env.stage"}]
    assert ".env.example  a pattern to copy, of no environment" in answer.err
    assert ".env.test     by its name for automated tests" in answer.err


def test_one_environment_makes_a_file_that_is_right_and_says_what_is_missing(
    folder: Path, parity: Parity
) -> None:
    lay(folder, {".env": "A=1\n"})
    answer = parity("init")
    assert answer.code == 0
    assert "Only one environment was found" in answer.out
    assert "# - {name: prod, tier: production}" in (folder / "parity.yml").read_text()
    assert parity("check").code == 0
    assert parity("once").code == 0


def test_an_empty_folder_makes_a_file_that_is_right(folder: Path, parity: Parity) -> None:
    assert parity("init").code == 0
    assert parity("check").code == 0
    assert "Found no file that a reader knows" in parity("init", "--print").err


def test_a_monorepo_is_one_service_for_each_folder(folder: Path, parity: Parity) -> None:
    lay(
        folder,
        {
            "services/api/uv.lock": UV.format("5"),
            "services/api/app/main.py": "import os\nos.environ['STRIPE_KEY']\n",
            "services/web/package-lock.json": json.dumps(PACKAGE_LOCK),
            "deploy/prod/.env.api": "A=1\n",
            "deploy/prod/.env.web": "A=1\n",
            "deploy/dev/compose.yaml": COMPOSE,
            "deploy/prod/compose.yaml": COMPOSE,
            "services/api/node_modules/x/package-lock.json": json.dumps(PACKAGE_LOCK),
        },
    )
    document = proposed(parity)
    found = sources(document)
    assert found["api"] == {
        "dev": [
            {"type": "compose", "path": "deploy/dev/compose.yaml"},
            {"type": "lockfile", "path": "services/api/uv.lock"},
            {"type": "reads", "path": "services/api"},
        ],
        "prod": [
            {"type": "compose", "path": "deploy/prod/compose.yaml"},
            {"type": "dotenv", "path": "deploy/prod/.env.api"},
        ],
    }
    assert found["web"]["prod"] == [{"type": "dotenv", "path": "deploy/prod/.env.web"}]
    assert {one["name"]: one.get("kind") for one in document["services"]}["db"] == "backing_service"


def test_two_folders_of_one_name_are_two_services(folder: Path, parity: Parity) -> None:
    lay(folder, {"legacy/api/uv.lock": UV.format("4"), "services/api/uv.lock": UV.format("5")})
    found = sources(proposed(parity))
    assert found == {
        "api": {"dev": [{"type": "lockfile", "path": "services/api/uv.lock"}]},
        "legacy-api": {"dev": [{"type": "lockfile", "path": "legacy/api/uv.lock"}]},
    }


def test_every_proposal_is_a_configuration_that_is_right(folder: Path, parity: Parity) -> None:
    # Names that YAML, the interpolation or the names of services would take for something else.
    lay(
        folder,
        {
            "no/.env": "A=1\n",
            "a b/.env.prod": "A=1\n",
            "${HOME}/.env.prod": "A=1\n",
            "x: y/.env": "A=1\n",
            "1e3/.env": "A=1\n",
            "a..b/.env": "A=1\n",
            "über/.env": "A=1\n",
            "'q\"/uv.lock": UV.format("1"),
            "new\nline/.env": "A=1\n",
        },
    )
    assert parity("init").code == 0
    config = load(folder / "parity.yml", os.environ)
    assert {path for source in config.sources for path in source.options.model_dump()["path"].parts[:1]} == {
        "no", "a b", "${HOME}", "x: y", "1e3", "a..b", "über", "'q\"",
    }  # fmt: skip


def test_a_file_that_is_there_is_never_written_over_unasked(folder: Path, parity: Parity) -> None:
    (folder / "parity.yml").write_text("mine")
    answer = parity("init")
    assert answer.code == 2
    assert answer.why == (
        "parity: parity.yml is there already: --yes writes over it, --print shows what it would be"
    )
    assert (folder / "parity.yml").read_text() == "mine"
    assert parity("init", "--yes").code == 0
    assert (folder / "parity.yml").read_text() != "mine"


def test_a_folder_that_cannot_be_written_says_what_to_do(folder: Path, parity: Parity) -> None:
    (folder / "parity.yml").mkdir()
    answer = parity("init", "--yes")
    assert answer.code == 2
    assert "take --print" in answer.why
    assert [path.name for path in folder.iterdir()] == ["parity.yml"]


def test_the_walk_is_bounded_and_follows_no_link(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.cli.init_walk.MOST_ENTRIES", 50)
    lay(folder, {f"many/f{number:03}": "" for number in range(60)} | {"a/.env": ""})
    (folder / "loop").symlink_to(folder)
    found = walk(".", {"dotenv": _Dotenv()})  # type: ignore[dict-item]
    assert found.cut
    assert found.entries == 50
    # What lies near is looked at before what lies deep.
    assert found.files == {"a/.env": "dotenv"}


class _Dotenv:
    def matches(self, name: str) -> bool:
        return name.endswith(".env")


def test_a_folder_that_may_not_be_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(folder, {"closed/.env": ""})
    scandir = os.scandir

    def refused(path: str) -> Any:
        if path.endswith("closed"):
            raise PermissionError
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    assert walk(".", {}).unreadable == ("closed",)


class _Manifests:
    """A reader of what no name tells, of files and of folders."""

    def matches(self, name: str) -> bool:
        return False

    def recognizes(self, beginning: bytes) -> bool:
        return beginning.startswith(b"apiVersion:")

    def below(self, folder: str) -> None:
        """It has one."""


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: "shop/api:1.4.2", envFrom: [{configMapRef: {name: api}}]}]}
"""
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: api}\ndata: {LOG_LEVEL: info}\n"


def test_manifests_of_a_folder_are_one_source_with_what_they_refer_to(folder: Path, parity: Parity) -> None:
    lay(
        folder,
        {
            ".env": "LOG_LEVEL=debug\nSTRIPE_KEY=a\n",
            "k8s/prod/api.yaml": DEPLOYMENT,
            "k8s/prod/config.yaml": CONFIG_MAP,
        },
    )
    assert parity("init").code == 0
    found = sources(yaml.safe_load((folder / "parity.yml").read_text()))
    assert found["api"]["prod"] == [{"type": "manifests", "path": "k8s/prod"}]
    parity("once")
    diff = parity("diff", "dev", "prod")
    # The key of the map is seen; the one that is in no manifest is missing.
    assert "STRIPE_KEY missing in prod" in diff.out
    assert "LOG_LEVEL" not in diff.out


def test_what_no_name_tells_is_recognized_by_how_it_begins_folder_by_folder(folder: Path) -> None:
    manifest = "apiVersion: apps/v1\nkind: Deployment\n"
    lay(
        folder,
        {
            "k8s/prod/api.yaml": manifest,
            "k8s/prod/web.yml": manifest,
            "k8s/prod/values.yaml": "replicas: 3\n",
            # A folder that holds another one is not taken whole.
            "deploy/a.yaml": manifest,
            "deploy/more/b.yaml": manifest,
            "overlays/prod/kustomization.yaml": "resources: [../base]\n",
            "overlays/prod/patch.yaml": manifest,
            "data.json": "{}",
        },
    )
    looked = walk(".", {})
    found, left = by_content(looked.unnamed, {"manifests": _Manifests()})  # type: ignore[dict-item]
    assert found == {
        "k8s/prod": ("manifests", ("k8s/prod/api.yaml", "k8s/prod/web.yml")),
        "deploy/a.yaml": ("manifests", ("deploy/a.yaml",)),
        "deploy/more": ("manifests", ("deploy/more/b.yaml",)),
    }
    assert left == [("overlays/prod", "for a tool: keep what `kustomize build` prints, and name that")]


# --- the machine ----------------------------------------------------------------------------------


@pytest.fixture
def engine(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[bytes]]:
    """An engine that answers once with the containers of a compose project."""
    labels = {
        "com.docker.compose.project": "shop",
        "com.docker.compose.project.working_dir": str(folder),
    }
    answers = [json.dumps([{"Labels": labels}, {"Labels": {"secret": "canary"}}]).encode()]
    path = tmp_path_factory.mktemp("engine") / "docker.sock"
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(str(path))
        server.listen()

        def serve() -> None:
            connection, _ = server.accept()
            with closing(connection):
                connection.recv(4096)
                body = answers[0]
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
        yield answers
        thread.join(5)


def test_containers_of_this_folder_become_a_discovery(
    folder: Path, engine: list[bytes], parity: Parity
) -> None:
    answer = parity("init", "--print")
    (service,) = yaml.safe_load(answer.out)["services"]
    assert service["discover"] == {
        "type": "docker",
        "environment": "dev",
        "label": "com.docker.compose.project=shop",
    }
    assert "2 containers running: compose project shop" in answer.err
    assert "canary" not in answer.out + answer.err


def test_without_the_library_of_docker_a_discovery_is_a_comment(
    folder: Path, engine: list[bytes], parity: Parity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detector.cli.init.find_spec", lambda name: None)
    answer = parity("init", "--print")
    assert yaml.safe_load(answer.out)["services"] == []
    assert "# - discover: {type: docker, environment: dev," in answer.out
    assert "pip install 'parity-detector[docker]'" in answer.out


@pytest.mark.parametrize(
    "body", [b"{", b"[" * 100_000, b'"text"', b'[1, {"Labels": 5}]', b'[{"Labels": {"a": 1}}]']
)
def test_an_engine_that_answers_otherwise_is_no_reason_to_stop(
    folder: Path, engine: list[bytes], body: bytes
) -> None:
    engine[0] = body
    assert machine(".", os.environ).projects == ()


def test_names_of_profiles_and_contexts_are_told_and_nothing_else_of_their_files(
    folder: Path, parity: Parity
) -> None:
    home = Path(os.environ["HOME"])
    lay(
        home,
        {
            ".aws/config": "[default]\nregion = canary\n[profile prod-eu]\naws_secret_access_key = canary\n"
            "[sso-session canary]\n[canary\n",
            ".kube/config": "contexts:\n- name: kind-shop\n  context: {user: canary}\n- {}\n"
            "- name: [canary]\nusers: [{name: canary, user: {token: canary}}]\n",
        },
    )
    answer = parity("init", "--print")
    told = answer.out + answer.err
    assert "canary" not in told
    assert "AWS profiles  default, prod-eu" in answer.err
    assert "# AWS, with the profile of whoever runs parity: default, prod-eu" in answer.out
    assert "# Kubernetes contexts that kubectl knows: kind-shop" in answer.out
    assert yaml.safe_load(answer.out)["services"] == []


@pytest.mark.parametrize("text", ["contexts: [", "contexts: 5", "- a", "!!python/object:x {}", "\0"])
def test_a_damaged_kubeconfig_has_no_contexts(folder: Path, text: str) -> None:
    lay(Path(os.environ["HOME"]), {".kube/config": text})
    assert machine(".", os.environ).contexts == ()
