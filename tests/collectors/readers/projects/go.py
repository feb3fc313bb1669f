"""A module of Go: others of a proxy in a folder, one replaced by a fork, one by a folder, one by an older."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.collectors.readers.projects import CANARY, Listed, run, write

_PSEUDO = "v0.0.0-20240510120000-1a2b3c4d5e6f"
_MODULES: Sequence[tuple[str, str, tuple[tuple[str, str], ...]]] = (
    ("example.com/Log", "v1.2.0", ()),
    ("example.com/Log", "v1.3.0", ()),
    ("example.com/web", "v0.9.1", (("example.com/Log", "v1.3.0"), ("example.com/yaml/v3", "v3.0.1"))),
    ("example.com/yaml/v3", "v3.0.1", ()),
    ("example.com/old", "v2.1.0+incompatible", ()),
    ("example.com/forked", "v1.0.0", ()),
    ("example.org/fork/of", "v1.0.1", ()),
    ("example.com/pinned", "v1.0.0", ()),
    ("example.com/pinned", "v1.1.0", ()),
    ("example.com/pseudo", _PSEUDO, ()),
)
_MOD = f"""module example.org/acme/shop // the shop

go {{go}}

replace example.com/forked => example.org/fork/of v1.0.1
replace (
	example.com/beside v1.0.0 => ./beside
	example.com/pinned => example.com/pinned v1.0.0
)

require (
	example.com/Log v1.2.0
	"example.com/web" v0.9.1
	example.com/old v2.1.0+incompatible
	example.com/forked v1.0.0
	example.com/pinned v1.1.0
	example.com/pseudo {_PSEUDO}
	example.com/beside v1.0.0
)

exclude example.com/Log v1.2.5
retract [v0.1.0, v0.2.0] // broken
"""
_USED = ("Log", "web", "old", "forked", "pinned", "pseudo", "beside")


def _importing(paths: Sequence[str], package: str = "x") -> str:
    return f"package {package}\n\nimport (\n" + "".join(f'\t_ "{path}"\n' for path in paths) + ")\n"


def _publish(proxy: Path, path: str, version: str, requires: Sequence[tuple[str, str]]) -> None:
    """Write a module as a proxy serves it (GOPROXY protocol)."""
    escaped = "".join(f"!{letter.lower()}" if letter.isupper() else letter for letter in path)
    mod = f"module {path}\n\ngo 1.17\n" + "".join(f"require {one} {own}\n" for one, own in requires)
    info = json.dumps({"Version": version, "Time": "2024-05-10T12:00:00Z"})
    folder = write(proxy / escaped / "@v", {f"{version}.mod": mod, f"{version}.info": info})
    with zipfile.ZipFile(folder / f"{version}.zip", "w") as archive:
        for name, text in (("go.mod", mod), ("x.go", _importing([one for one, _ in requires]))):
            archive.writestr(zipfile.ZipInfo(f"{path}@{version}/{name}"), text)


def tidy(folder: Path, go: str = "1.19") -> tuple[Path, dict[str, str]]:
    """The folder of a module with its go.mod and go.sum, and the environment for its tools."""
    for path, version, requires in _MODULES:
        _publish(folder / "proxy", path, version, requires)
    shop = write(
        folder / "shop",
        {
            "go.mod": _MOD.format(go=go),
            "main.go": _importing([f"example.com/{name}" for name in _USED], "main") + "\nfunc main() {}\n",
            "beside/go.mod": "module example.com/beside\n\ngo 1.17\n",
            "beside/x.go": "package x\n",
        },
    )
    env = {
        "GOPROXY": f"file://{folder / 'proxy'}",
        "GOSUMDB": "off",
        "GOTOOLCHAIN": "local",
        "GOPATH": str(folder / "path"),
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "-modcacherw",  # so that whoever made the folder can remove it
    }
    run(shop, "go", "mod", "tidy", env=env)
    return shop, env


def listed(shop: Path, env: Mapping[str, str]) -> Listed:
    """The build list as `go list -m all` prints it, without the module itself."""
    lines = run(shop, "go", "list", "-m", "all", env=env).splitlines()[1:]
    return [(f"pkg:golang/{words[0].lower()}", _version(words)) for words in map(str.split, lines)]


def _version(words: Sequence[str]) -> str:
    """The version in ``MODULE VERSION [=> REPLACEMENT [VERSION]]``."""
    match words:
        case [_, version]:
            return version
        case [module, _, "=>", other, version]:
            return version if other == module else f"git+{other}@{version}"
        case _:
            return f"file:{words[-1].removeprefix('./')}"


def build(shop: Path, env: Mapping[str, str], *, target: str = "linux/amd64") -> Path:
    """A program of the module, with an option in it that nobody may see."""
    system, _, processor = target.partition("/")
    program = shop / f"shop-{system}"
    own = {**env, "GOOS": system, "GOARCH": processor, "CGO_ENABLED": "0"}
    run(shop, "go", "build", "-o", str(program), f"-ldflags=-X main.password={CANARY}", ".", env=own)
    return program
