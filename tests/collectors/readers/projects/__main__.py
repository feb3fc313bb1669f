"""Writes the lockfiles under ``lockfiles/`` anew, each by its own tool."""

import re
import tempfile
from pathlib import Path

from tests.collectors.readers.projects import Listed, bundler, cargo, composer, go

FILES = Path(__file__).parents[1] / "lockfiles"
_REGISTRIES = re.compile(r"(?<=registry\+)https://[^\"]*|file:///[^\"\s]*(?<!\.git)")


def _keep(lock: Path, folder: str, listed: Listed | None = None) -> None:
    (FILES / folder).mkdir(exist_ok=True)
    (FILES / folder / lock.name).write_text(_REGISTRIES.sub("https://registry.example/", lock.read_text()))
    if listed:
        lines = "".join(f"{item} {version}\n" for item, version in sorted(listed))
        (FILES / folder / "listing.txt").write_text(lines)


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        for locked in (cargo.locked, bundler.locked, composer.locked):
            tool = locked.__module__.rpartition(".")[2]
            lock, listed = locked(Path(made, tool))
            _keep(lock, tool, listed)
        shop, env = go.tidy(Path(made, "go"))
        _keep(shop / "go.mod", "go", go.listed(shop, env))
        _keep(shop / "go.sum", "go-sum")


if __name__ == "__main__":
    main()
