"""Discovery of a monorepo: one service for each folder, with sources that are looked for in each of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from detector.config.draft import Draft, Piece
from detector.config.fields import NAME, EnvironmentName, Strict
from detector.config.globs import named
from detector.config.sources import ServiceFrom


class FolderDiscovery(Strict):
    """A discovery of one service for each folder."""

    type: str
    path: str = Field(min_length=1, description="Glob of folders, such as services/*")
    service_from: ServiceFrom | None = None
    sources: dict[EnvironmentName, Any] = Field(description="As of a service; paths begin in each folder")


def folders_of(draft: Draft, piece: Piece) -> Iterator[tuple[str, Path]]:
    """Yield (service, folder relative to the configuration) for each folder that a discovery stands for."""
    found = draft.problems.check(FolderDiscovery, piece.node, piece.path)
    if found is None:
        return
    strip = found.service_from.strip if found.service_from else ()
    first: dict[str, str] = {}
    for path, shown in named(draft, [piece.at("path")], folders=True):
        name = path.name
        for token in strip:
            name = name.removeprefix(token).removesuffix(token) or name
        if not NAME.fullmatch(name):
            draft.problems.warn(piece.at("path").path, "a folder whose name no service can have is left out")
        elif (before := first.setdefault(name, shown)) != shown:
            message = f"{before} and {shown} are services of one name: take a narrower glob"
            draft.problems.add(piece.at("path").path, "config-semantics", message)
        else:
            yield name, Path(shown)


def placed(options: BaseModel, folder: Path, home: Path) -> BaseModel | None:
    """Return options with their paths inside a folder; None where none of these is there."""
    moved: dict[str, Any] = {}
    for name in type(options).model_fields:
        value = getattr(options, name)
        if isinstance(value, Path):
            moved[name] = folder / value
        elif isinstance(value, tuple) and value and all(isinstance(each, Path) for each in value):
            moved[name] = tuple(folder / each for each in value)
    paths = [path for value in moved.values() for path in (value if isinstance(value, tuple) else (value,))]
    return options.model_copy(update=moved) if any((home / path).exists() for path in paths) else None
