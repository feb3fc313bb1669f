"""A project of Bundler: gems of a repository in a folder, of git and of folders, one for two platforms."""

import re
from pathlib import Path

from tests.collectors.readers.projects import CANARY, Listed, repository, run, write

_ADDRESS = f"https://user:{CANARY}@git.example/acme/gitgem.git"
_GEMS = (
    ("rack", "2.2.8", "ruby"),
    ("rack", "2.2.9", "ruby"),
    ("native", "1.16.0", "ruby"),
    ("native", "1.16.0", "x86_64-linux"),
    ("native", "1.16.0", "arm64-darwin"),
    ("tool", "3.0.0.rc1", "ruby"),
)


def _spec(name: str, version: str, *rest: str) -> str:
    fields = (f'name = "{name}"', f'version = "{version}"', 'summary = "-"', 'authors = ["-"]', "files = []")
    more = ('homepage = "https://example.org"', 'license = "MIT"', *rest)
    return "Gem::Specification.new { |s| " + "; ".join(f"s.{field}" for field in (*fields, *more)) + " }\n"


def locked(folder: Path) -> tuple[Path, Listed]:
    """The lockfile, and the gems as `bundle list` lists them, with Bundler itself."""
    write(folder / "gitgem", {"gitgem.gemspec": _spec("gitgem", "2.0.0")})
    commit, env = repository(folder / "gitgem", _ADDRESS)
    gems = folder / "repository" / "gems"
    for name, version, platform in _GEMS:
        needs = ('add_dependency "native", ">= 1"',) if name == "rack" else ()
        write(gems, {"own.gemspec": _spec(name, version, f'platform = "{platform}"', *needs)})
        run(gems, "gem", "build", "-q", "own.gemspec")
    run(gems.parent, "gem", "generate_index", "-q", "-d", ".")
    write(folder / "billing", {"billing.gemspec": _spec("billing", "0.1.0", 'add_dependency "gitgem"')})
    gemfile = (
        f'source "file://{gems.parent}"\ngem "billing", path: "../billing"\ngem "gitgem", git: "{_ADDRESS}"\n'
        'gem "rack", "~> 2.0"\ngroup(:test) { gem "tool" }\n'
    )
    shop = write(folder / "shop", {"Gemfile": gemfile})
    env |= {"BUNDLE_PATH": str(folder / "vendor"), "BUNDLE_SILENCE_ROOT_WARNING": "1"}
    run(shop, "bundle", "lock", "--add-platform", "arm64-darwin", "x86_64-linux", env=env)
    run(shop, "bundle", "install", "--quiet", env=env)
    known = {"billing": "file:../billing", "gitgem": f"git+git.example/acme/gitgem@{commit}"}
    printed = run(shop, "bundle", "list", env=env) + "  * " + run(shop, "bundle", "version", env=env)
    listed = re.findall(r"  \* (\S+) (?:version )?\(?([0-9][^ )]*)", printed.replace("Bundler", "bundler"))
    return shop / "Gemfile.lock", [(f"pkg:gem/{name}", known.get(name, version)) for name, version in listed]
