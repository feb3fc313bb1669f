"""A workspace of Cargo: crates of a registry, of git and of folders, two versions of one of them."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from tests.collectors.readers.projects import CANARY, Listed, repository, run, write

_ADDRESS = f"https://user:{CANARY}@git.example/acme/shop-git"
#: Nobody asks for it: it is the project, not what the project needs.
PROJECT = "app"
_VENDORED = {
    "rand-0.7.3": '[dependencies]\nlibc = "0.2"\n',
    "rand-0.8.5": '[dependencies]\nlibc = "0.2"\n[target.\'cfg(windows)\'.dependencies]\nwinapi = "0.3"\n',
    "libc-0.2.150": "",
    "winapi-0.3.9": "",
    "curl-sys-0.4.72+curl-8.6.0": "",
    "pretty_assertions-1.4.0": "",
}


def _crate(name: str, version: str, rest: str = "") -> str:
    return f'[package]\nname = "{name}"\nversion = "{version}"\nedition = "2018"\n{rest}'


def locked(folder: Path) -> tuple[Path, Listed]:
    """The lockfile, and the packages as Cargo lists them: `local` ones of folders, without the project."""
    write(folder / "git", {"Cargo.toml": _crate("shop-git", "0.3.0"), "src/lib.rs": ""})
    _, env = repository(folder / "git", _ADDRESS)
    shop = folder / "shop"
    for key, rest in _VENDORED.items():
        name, version = re.split(r"-(?=[0-9])", key, maxsplit=1)
        files = {"Cargo.toml": _crate(name, version, rest), "src/lib.rs": ""}
        files[".cargo-checksum.json"] = json.dumps({"files": {}, "package": "0" * 64})
        write(shop / "vendor" / key, files)
    app = f'[dependencies]\nrand = "0.8"\nlib = {{ path = "../lib" }}\nshop-git = {{ git = "{_ADDRESS}" }}\n'
    lib = '[dependencies]\nold = { package = "rand", version = "0.7" }\nworkshop = { path = "../workshop" }\n'
    for name, version, rest in (
        (PROJECT, "1.0.0", app + '[dev-dependencies]\npretty_assertions = "1"\n'),
        ("lib", "0.1.0", lib),
        ("workshop", "0.9.0", '[workspace]\n[dependencies]\ncurl-sys = "0.4"\n'),
    ):
        write(shop / name, {"Cargo.toml": _crate(name, version, rest), "src/lib.rs": ""})
    settings = '[source.crates-io]\nreplace-with = "vendored"\n[source.vendored]\ndirectory = "vendor"\n'
    write(
        shop,
        {
            "Cargo.toml": '[workspace]\nmembers = ["app", "lib"]\nexclude = ["workshop"]\n',
            ".cargo/config.toml": settings + "[net]\ngit-fetch-with-cli = true\n",
        },
    )
    return shop / "Cargo.lock", metadata(shop, env)


def metadata(shop: Path, env: Mapping[str, str], *options: str) -> Listed:
    """The packages as `cargo metadata` lists them."""
    said = json.loads(run(shop, "cargo", "metadata", "--format-version", "1", *options, env=env))
    return [
        (f"pkg:cargo/{one['name']}", _version(one["version"], one["source"]))
        for one in said["packages"]
        if one["name"] != PROJECT
    ]


def _version(version: str, source: str | None) -> str:
    if source is None:
        return "local"
    commit = source.partition("#")[2]
    return f"git+git.example/acme/shop-git@{commit}" if source.startswith("git+") else version
