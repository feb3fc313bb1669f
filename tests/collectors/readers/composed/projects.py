"""Compose projects that use one part of the specification each.

What docker compose makes of them stands in `config.json` beside this file. To ask it again (any 2.x):

    python -m tests.collectors.readers.composed.projects docker compose
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ANSWERS = Path(__file__).with_name("config.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Files by path, which of them are given with ``-f``, and what else docker compose is given."""

    files: dict[str, str]
    layers: tuple[str, ...] = ("compose.yaml",)
    profiles: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()

    def write(self, folder: Path) -> None:
        """Write the files below a folder."""
        for path, text in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)

    def arguments(self) -> list[str]:
        """What docker compose is given, in the folder of the project."""
        given = {"--file": self.layers, "--profile": self.profiles, "--env-file": self.env_files}
        return [word for option, values in given.items() for value in values for word in (option, value)]


VARIABLES = Project(
    files={
        ".env": "TAG=1.4.2\nEMPTY=\nHOST=db\nPRICE='5$$'\n",
        "compose.yaml": """
services:
  web:
    image: acme/web:${TAG}
    command: ["gunicorn", "--bind", "0.0.0.0:${PORT:-8000}"]
    user: "${UID:-1000}:${GID-1000}"
    ports: ["${PUBLISHED:-8080}:${PORT:-8000}"]
    stop_grace_period: ${GRACE:-30s}
    environment:
      PLAIN: $TAG
      BRACED: ${TAG}
      WITH_DEFAULT: ${MISSING:-postgres://app@${HOST}/shop}
      NESTED: ${MISSING:-${ALSO_MISSING-${EMPTY:-inner}}}
      EMPTY_IS_SET: ${EMPTY-default}
      EMPTY_IS_NOT_ENOUGH: ${EMPTY:-default}
      IF_SET: ${TAG:+yes}
      IF_UNSET: ${MISSING:+yes}
      REQUIRED: ${TAG:?is missing}
      DOLLAR: a$$b$$
      JSON: ${MISSING:-{"a":{"b":1}}}
      FROM_ENV: ${PRICE}
      HANDED_THROUGH:
      HOST:
""",
    }
)

LAYERS = Project(
    files={
        "base/compose.yaml": """
services:
  web:
    image: acme/web:1.0
    command: ["gunicorn", "--workers", "4", "app:app"]
    entrypoint: ["/sbin/tini", "--"]
    env_file: [one.env, two.env]
    environment: {KEPT: "1", CHANGED: "1", NULLED: "1"}
    ports: ["8080:80", "127.0.0.1:9000:9000"]
    expose: ["70"]
    volumes: ["./data:/data", "cache:/cache"]
    tmpfs: /tmp
    healthcheck: {test: ["CMD", "curl", "localhost"], interval: 10s}
    logging: {driver: json-file, options: {max-size: 1m}}
    depends_on: [db]
    deploy: {replicas: 2, resources: {limits: {memory: 512M}}}
    labels: {a: "1"}
  db:
    image: postgres:16
    logging: {driver: json-file, options: {max-size: 1m}}
volumes: {cache: {}}
""",
        "base/one.env": "A=one\nB=one\n",
        "base/two.env": "B=two\nC=two\n",
        "over/compose.yaml": """
services:
  web:
    image:
    command: uvicorn app:app
    env_file: [{path: one.env}, {path: none.env, required: false}]
    environment: [CHANGED=2, NULLED, ADDED=3]
    ports: ["8080:80", "443"]
    volumes: ["./other:/data:ro"]
    tmpfs: [/run]
    healthcheck: {test: curl localhost, retries: 5}
    logging: {options: {max-file: "3"}}
    depends_on: {db: {condition: service_healthy}}
    deploy: {resources: {limits: {cpus: "0.5"}}}
    user: nobody
  db:
    logging: {driver: syslog}
  worker: {image: acme/worker:1}
""",
    },
    layers=("base/compose.yaml", "over/compose.yaml"),
)

MARKS = Project(
    files={
        "compose.yaml": """
services:
  web:
    image: acme/web:1.0
    ports: ["80:80", "81:81"]
    environment: {A: "1", B: "2"}
    healthcheck: {test: curl localhost}
    user: "1000"
    command: a
  old: {image: acme/old:1}
""",
        "compose.prod.yaml": """
services:
  web:
    ports: !override ["443:443"]
    environment: {A: !reset null, C: "3"}
    healthcheck: !reset {}
    user: !reset ""
    command: !override ["gunicorn"]
  old: !reset null
""",
    },
    layers=("compose.yaml", "compose.prod.yaml"),
)

EXTENDS = Project(
    files={
        ".env": "LEVEL=info\n",
        "compose.yaml": """
services:
  web:
    extends: {file: shared/base.yaml, service: python}
    image: acme/web:1.0
    environment: {A: over}
    ports: ["80:80"]
  worker:
    extends: web
    command: celery worker
    ports: !override ["99:99"]
    environment: !reset null
""",
        "shared/base.yaml": """
services:
  python:
    extends: root
    env_file: shared.env
    environment: {A: base, LEVEL: "${LEVEL:-debug}"}
    healthcheck: {test: "true", interval: 5s}
  root:
    image: root:1
    user: "5"
    stop_signal: SIGINT
    volumes: ["./here:/here"]
""",
        "shared/shared.env": "SHARED=${LEVEL}\n",
    }
)

INCLUDES = Project(
    files={
        ".env": "COMMON=ours\n",
        "compose.yaml": """
include:
  - database/compose.yaml
  - path: [cache/compose.yaml, cache/more.yaml]
    env_file: cache/cache.env
    project_directory: cache
services:
  web:
    image: acme/web:${OWN:-1}
    depends_on: [db, cache]
    environment: {SEEN: "${OWN:-no}"}
""",
        "database/.env": "OWN=16.3\nCOMMON=theirs\n",
        "database/compose.yaml": """
include: [inner/compose.yaml]
services:
  db:
    image: postgres:${OWN}
    env_file: db.env
    environment: {COMMON: "${COMMON}"}
""",
        "database/db.env": "DB=${OWN:-none}\n",
        "database/inner/compose.yaml": "services:\n  inner: {image: 'busybox:1'}\n",
        "cache/cache.env": "CACHE=7.2\n",
        "cache/compose.yaml": "services:\n  cache: {image: 'redis:${CACHE}', ports: ['1:1']}\n",
        "cache/more.yaml": "services:\n  cache: {ports: ['2:2'], env_file: c.env}\n",
        "cache/c.env": "C=c\n",
    }
)

_PROFILES = {
    "compose.yaml": """
services:
  web: {image: "acme/web:1"}
  debug: {image: "busybox:1", profiles: [debug]}
  tools: {image: "busybox:2", profiles: [tools, debug]}
  admin: {image: "busybox:3", profiles: ["admin"]}
"""
}

ENV_FILES = Project(
    files={
        ".env": "ROOT=root\nDUP=fromroot\nUSES=${ROOT}x\n",
        "compose.yaml": """
services:
  web:
    image: acme/web:${USES}
    environment: {OWN: own, LAST: "yes", ROOT: mine}
    env_file:
      - a.env
      - path: b.env
      - path: raw.env
        format: raw
      - {path: none.env, required: false}
""",
        "a.env": "A1=a1\nA2=${A1}-${ROOT}-${DUP:-none}\nDUP=froma\nA3=$DUP\nA4=${OWN:-none}\nROOT\nLAST=no\n",
        "b.env": 'B1=${A1:-none}-${LAST:-none}\nB2="quoted ${ROOT}"\nB3=a#b # comment\nexport B4=4\n',
        "raw.env": 'R1="${ROOT}"\nR2=$$x\n',
    }
)

ENV_FILE_OPTION = Project(
    files={
        ".env": "TAG=no\n",
        "one.env": "TAG=1\nONE=${TAG}\n",
        "two.env": "TAG=2\nTWO=${TAG}-${ONE}\n",
        "compose.yaml": "services:\n  web: {image: 'acme/web:${TAG}-${ONE}-${TWO}'}\n",
    },
    env_files=("one.env", "two.env"),
)

MOUNTED = Project(
    files={
        "compose.yaml": """
services:
  web:
    image: acme/web:1
    init: true
    read_only: true
    platform: linux/arm64
    secrets: [password, {source: token, target: api-token}]
    configs: [nginx, {source: app, target: /etc/app.conf}, inline]
    volumes:
      - {type: bind, source: ./src, target: /src, read_only: true}
      - {type: tmpfs, target: /scratch}
      - cache:/cache:ro
    deploy:
      restart_policy: {condition: on-failure}
      resources: {limits: {memory: 1g, cpus: "1.5"}}
    restart: always
    stop_signal: SIGQUIT
    healthcheck: {disable: true}
secrets:
  password: {file: ./password.txt}
  token: {environment: HOME}
configs:
  nginx: {file: ./nginx.conf}
  app: {file: ./app.conf}
  inline: {content: "a=1"}
volumes: {cache: {}}
""",
        "password.txt": "C4n4ry\n",
        "nginx.conf": "",
        "app.conf": "",
    }
)

ANCHORS = Project(
    files={
        "compose.yaml": """
x-env: &env {LOG_LEVEL: info, REGION: eu}
x-base: &base
  image: acme/app:2
  restart: unless-stopped
  environment: *env
  logging: &logging {driver: local}
services:
  web:
    <<: *base
    environment: {<<: *env, LOG_LEVEL: debug}
    expose: ["8000", "9000-9001/udp"]
  worker:
    <<: [*base, {restart: "no", user: worker}]
    scale: 3
  cron:
    image: acme/cron:1
    logging: *logging
"""
    }
)

PROJECTS = {
    "variables": VARIABLES,
    "layers": LAYERS,
    "marks": MARKS,
    "extends": EXTENDS,
    "includes": INCLUDES,
    "no profile": Project(files=_PROFILES),
    "a profile": Project(files=_PROFILES, profiles=("debug",)),
    "every profile": Project(files=_PROFILES, profiles=("*",)),
    "profiles of .env": Project(files=_PROFILES | {".env": "COMPOSE_PROFILES=tools,admin\n"}),
    "profile over .env": Project(files=_PROFILES | {".env": "COMPOSE_PROFILES=tools\n"}, profiles=("admin",)),
    "env files": ENV_FILES,
    "env file option": ENV_FILE_OPTION,
    "mounted": MOUNTED,
    "anchors": ANCHORS,
}


def answers(command: list[str]) -> dict[str, Any]:
    """Ask docker compose what it makes of each project."""
    found = {}
    for name, project in PROJECTS.items():
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            project.write(Path(folder))
            arguments = [
                *command,
                "--project-name",
                "shop",
                *project.arguments(),
                "config",
                "--format",
                "json",
            ]
            asked = subprocess.run(
                arguments,
                cwd=folder,
                env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
                capture_output=True,
                check=True,
            )
            found[name] = json.loads(asked.stdout.decode().replace(folder, "/project"))
    return found


if __name__ == "__main__":
    ANSWERS.write_text(json.dumps(answers(sys.argv[1:]), indent=1, sort_keys=True) + "\n")
