"""Discovery by files: targets that another program writes down, in the form of Prometheus' file_sd."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydantic import Field

from detector.config.draft import Draft, Piece
from detector.config.fields import EnvironmentName, Name, Strict
from detector.config.globs import bytes_of, named
from detector.config.problems import Problems
from detector.config.yaml import parse
from detector.errors import ConfigError

_MAX_BYTES: Final = 4 * 1024 * 1024


class FileDiscovery(Strict):
    """A discovery by files."""

    type: str
    paths: tuple[str, ...] = Field(min_length=1, description="Globs of files in YAML or JSON")


class Labels(Strict):
    """Whose the targets are."""

    environment: EnvironmentName
    service: Name
    component: Name | None = None


class TargetGroup(Strict):
    """Sources of one service in one environment."""

    labels: Labels
    targets: tuple[dict[str, object], ...]


def groups_of(draft: Draft, piece: Piece) -> Iterator[tuple[Draft, Piece]]:
    """Yield the groups in the files that a discovery names, each with the draft of its file.

    Notes what is wrong in any of them, each with its own file.
    """
    if draft.problems.check(FileDiscovery, piece.node, piece.path) is None:
        return
    for path, shown in named(draft, piece.at("paths").each()):
        problems = Problems(Path(shown), draft.root.node)
        try:
            data = bytes_of(path, _MAX_BYTES)
            node, doubles = parse(data, shown, main=False)
        except ConfigError as error:
            problems.extend(list(error.problems))
        except OSError:
            problems.add(("paths",), "config-unreadable", f"{shown} cannot be read")
        else:
            problems.root = node
            problems.extend(doubles)
            options = replace(draft.options, problems=problems)
            here = replace(draft, root=Piece((), node), problems=problems, options=options)
            if not node.value and b"[" not in data:
                problems.add((), "config-empty", "is empty, as one that was cut off: write [] for no targets")
            for group in _groups(here):
                yield here, group
        draft.problems.take_over(problems)


def _groups(draft: Draft) -> Iterator[Piece]:
    if not isinstance(draft.root.node.value, tuple):
        draft.problems.add((), "config-type", "must be a list of groups: labels and targets")
        return
    for piece, _ in draft.all(TargetGroup):
        yield piece
