"""A project of Composer: packages of an archive, of git, of a folder, and a branch."""

import json
from pathlib import Path
from typing import Any

from tests.collectors.readers.projects import CANARY, Listed, repository, run, write

_ADDRESS = f"https://user:{CANARY}@git.example/acme/gitlib.git"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
_PACKAGES: list[dict[str, Any]] = [
    {
        "name": "acme/log",
        "version": "v2.1.0",
        "dist": {"type": "zip", "url": f"https://user:{CANARY}@registry.example/log.zip?token={CANARY}"},
        "require": {"php": "^8.0"},
    },
    {"name": "acme/check", "version": "3.0.0-RC1", "type": "metapackage", "require": {"acme/log": "^2"}},
    {
        "name": "acme/branch",
        "version": "dev-main",
        "dist": {"type": "zip", "url": f"https://registry.example/b?{CANARY}", "reference": COMMIT},
    },
]


def locked(folder: Path) -> tuple[Path, Listed]:
    """The lockfile, and the packages as `composer show` lists them; branches with their commit."""
    write(
        folder / "lib",
        {"composer.json": '{"name": "Acme/Lib", "version": "1.2.0", "require": {"php": ">=7.4"}}'},
    )
    write(folder / "gitlib", {"composer.json": '{"name": "acme/gitlib"}'})
    commit, env = repository(folder / "gitlib", _ADDRESS)
    document = {
        "name": "acme/shop",
        "repositories": [
            {"packagist": False},  # no default repository
            {"type": "path", "url": "../lib"},
            {"type": "vcs", "url": _ADDRESS},
            {"type": "package", "package": _PACKAGES},
        ],
        "require": {
            "php": "^8.0",
            "ext-json": "*",
            "acme/lib": "^1",
            "acme/gitlib": "dev-main",
            "acme/log": "^2",
            "acme/branch": "dev-main",
        },
        "require-dev": {"acme/check": "^3@RC"},
    }
    shop = write(folder / "shop", {"composer.json": json.dumps(document)})
    env |= {"COMPOSER_ALLOW_SUPERUSER": "1", "COMPOSER_NO_INTERACTION": "1"}
    run(shop, "composer", "update", "--no-install", "--quiet", env=env)
    said = json.loads(run(shop, "composer", "show", "--locked", "--format=json", env=env))
    known = {
        "1.2.0": "file:../lib",
        f"dev-main {commit[:7]}": f"git+git.example/acme/gitlib@{commit}",
        "dev-main": f"https://registry.example/b@{COMMIT}",
    }
    return shop / "composer.lock", [
        (f"pkg:composer/{one['name'].lower()}", known.get(one["version"], one["version"]))
        for one in said["locked"]
    ]
