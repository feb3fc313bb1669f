"""Makes the lockfiles of JavaScript here, and beside each what its own tool lists.

    python -m tests.collectors.readers.lockfiles.make_javascript [FOLDER…]

Each is made by the tool itself, which npx fetches. The project has a member of its workspace, two versions
of one package, an alias, packages for other platforms, one from a repository and one from a folder. Hosts
are replaced: by ``registry.example`` and ``git.example``.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from detector.model.items import package
from tests.collectors.readers.lockfiles.repository import ADDRESS, COMMIT, served

HERE = Path(__file__).parent
Listing = Iterator[tuple[str, str]]

DEPENDENCIES = {
    "alias": "npm:ms@2.1.3",
    "esbuild": "0.21.5",
    "local": "file:./local",
    "react": "18.3.1",
    "semver": "7.6.3",
    "shop": f"git+{ADDRESS}",
    "use-sync-external-store": "1.2.2",
}
ROOT: dict[str, Any] = {
    "name": "shopfront",
    "version": "2.0.0",
    "private": True,
    "workspaces": ["packages/ui"],
    "dependencies": DEPENDENCIES,
    "devDependencies": {"debug": "4.3.4"},
    "optionalDependencies": {"fsevents": "2.3.3"},
}
MEMBERS = {
    "packages/ui": {"name": "ui", "version": "1.0.0", "dependencies": {"semver": "6.3.1"}},
    "local": {"name": "local", "version": "0.9.0"},
}
OWN = ("shopfront", "ui")


def main(wanted: list[str]) -> None:
    with served():
        for folder, (packages, lock, install, listing) in TOOLS.items():
            if wanted and folder not in wanted:
                continue
            with tempfile.TemporaryDirectory() as home:
                project = Path(home)
                prepare(project, folder)
                run(project, packages, install)
                text = replaced((project / lock).read_text())
                pairs = sorted({f"{item} {version}" for item, version in listing(project, packages)})
            (HERE / folder).mkdir(exist_ok=True)
            (HERE / folder / lock).write_text(text)
            (HERE / folder / "package.json").write_text(
                replaced(json.dumps(manifest(folder), indent=2)) + "\n"
            )
            (HERE / folder / "listing.txt").write_text("".join(f"{pair}\n" for pair in pairs))
            print(folder, lock, len(text), "bytes,", len(pairs), "listed")


def manifest(folder: str) -> dict[str, Any]:
    if folder == "npm-6":  # older than workspaces
        return {key: value for key, value in ROOT.items() if key != "workspaces"}
    if folder.startswith("yarn-berry"):  # takes a repository without `git+`
        return ROOT | {"dependencies": DEPENDENCIES | {"shop": ADDRESS}}
    return ROOT


def prepare(project: Path, folder: str) -> None:
    for path, document in (("", manifest(folder)), *MEMBERS.items()):
        (project / path).mkdir(parents=True, exist_ok=True)
        (project / path / "package.json").write_text(json.dumps(document))
    if folder.startswith("pnpm"):
        (project / "pnpm-workspace.yaml").write_text("packages: ['packages/*']\n")
    if folder.startswith("yarn-berry"):
        (project / "yarn.lock").touch()
        (project / ".yarnrc.yml").write_text(
            "enableTelemetry: false\nenableScripts: false\nnodeLinker: node-modules\n"
            "unsafeHttpWhitelist: ['127.0.0.1']\n"
            + ("approvedGitRepositories: ['**']\n" if folder.endswith("4") else "")
            + "supportedArchitectures: {os: [linux, darwin, win32], cpu: [x64, arm64]}\n"
        )


def run(project: Path, packages: str, command: str) -> str:
    return subprocess.run(
        ["npx", "--yes", f"--package={packages}", "-c", command],
        cwd=project,
        env=os.environ
        | {"CI": "", "YARN_ENABLE_IMMUTABLE_INSTALLS": "0", "YARN_CACHE_FOLDER": str(project / ".cache")},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


def replaced(text: str) -> str:
    text = text.replace(ADDRESS.rpartition("/")[0], "https://git.example/acme")
    # pnpm names a repository by host and path alone.
    text = text.replace(ADDRESS.rpartition("/")[0].partition("://")[2].replace(":", "+"), "git.example/acme")
    return re.sub(
        r"https?://(?!git\.example|tidelift|github|opencollective)[a-z.]+/", "https://registry.example/", text
    )


def one(name: str, version: str) -> Listing:
    """Yield what a tool lists, as item and version; own code in a folder is none."""
    if name == "shop":
        yield package("npm", "shop"), f"git+git.example/acme/shop@{COMMIT}"
    elif name not in OWN:
        yield package("npm", "ms" if name == "alias" else name), version


def of_npm(project: Path, packages: str) -> Listing:
    # The newest lists what the older ones wrote.
    tree = json.loads(run(project, "npm@11", "npm ls --all --json --package-lock-only"))

    def below(found: dict[str, Any]) -> Listing:
        for name, dependency in found.get("dependencies", {}).items():
            # Without version: what is missing, and what npm 6 took from a repository.
            if not dependency.get("resolved", "file:").startswith("file:"):
                yield from one(name, dependency.get("version", ""))
            yield from below(dependency)

    yield from below(tree)


def of_yarn(project: Path, packages: str) -> Listing:
    lines = run(project, packages, "yarn list --json --no-progress").splitlines()

    def below(trees: list[dict[str, Any]]) -> Listing:
        for tree in trees:
            name, _, version = tree["name"].rpartition("@")
            # A shadow is what another package asks for, by its range.
            if not tree.get("shadow"):
                yield from one(name, version)
            yield from below(tree.get("children", []))

    yield from below(json.loads(lines[-1])["data"]["trees"])
    # Yarn lists what fits on this machine; the packages for others are one item of one version.
    yield package("npm", "fsevents"), "2.3.3"
    yield package("npm", "@esbuild/linux-x64"), "0.21.5"


def of_berry(project: Path, packages: str) -> Listing:
    for line in run(project, packages, "yarn info --all --recursive --json").splitlines():
        found = json.loads(line)
        name, _, _ = (
            found["value"].rpartition("@") if "@npm:" in found["value"] else found["value"].partition("@")
        )
        yield from one(name, found["children"]["Version"])


def of_pnpm(project: Path, packages: str) -> Listing:
    def below(found: dict[str, Any]) -> Listing:
        for kind in ("dependencies", "devDependencies", "optionalDependencies"):
            for name, dependency in found.get(kind, {}).items():
                version = dependency["version"]
                # A folder has its version in the lockfile only where it is written there.
                if not version.startswith("link:"):
                    yield from one(name, version)
                yield from below(dependency)

    for project_ in json.loads(run(project, packages, "pnpm ls -r --depth Infinity --json")):
        yield from below(project_)
    yield package("npm", "fsevents"), "2.3.3"


def of_bun(project: Path, packages: str) -> Listing:
    for line in run(project, packages, "bun pm ls --all").splitlines():
        name, _, version = line.strip("├─└│ ").rpartition("@")
        if name and not version.startswith("workspace:"):
            yield from one(name, f"file:{version}" if name == "local" else version)


Tool = tuple[str, str, str, Callable[[Path, str], Listing]]
NPM = "npm install --package-lock-only --ignore-scripts --no-audit --silent"
PNPM = "pnpm install --ignore-scripts --silent"
TOOLS: dict[str, Tool] = {
    "npm-6": ("npm@6", "package-lock.json", NPM, of_npm),
    "npm-8": ("npm@8", "package-lock.json", NPM, of_npm),
    "npm-11": ("npm@11", "package-lock.json", NPM, of_npm),
    "npm-shrinkwrap": ("npm@11", "npm-shrinkwrap.json", f"{NPM} && npm shrinkwrap --silent", of_npm),
    "yarn-1": ("yarn@1", "yarn.lock", "yarn install --ignore-scripts --silent --ignore-engines", of_yarn),
    "yarn-berry-3": ("@yarnpkg/cli-dist@3", "yarn.lock", "yarn install", of_berry),
    "yarn-berry-4": ("@yarnpkg/cli-dist@4", "yarn.lock", "yarn install", of_berry),
    "pnpm-7": ("pnpm@7", "pnpm-lock.yaml", PNPM, of_pnpm),
    "pnpm-8": ("pnpm@8", "pnpm-lock.yaml", PNPM, of_pnpm),
    "pnpm-10": ("pnpm@10", "pnpm-lock.yaml", PNPM, of_pnpm),
    "bun": ("bun@1", "bun.lock", "bun install --lockfile-only --ignore-scripts --silent", of_bun),
}

if __name__ == "__main__":
    main(sys.argv[1:])
