"""What the readers of config keys share."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from detector.model.facts import EVERYTHING, Section, Unseen
from detector.model.items import is_config_key
from detector.model.key_names import looks_like_a_value
from detector.model.words import Basis, SourceClass

#: A file or a list holds all that it hands to a process, whatever its class; what the image brings along
#: (`image_default`) it cannot know.
SEEN_IN_A_FILE: Final[tuple[SourceClass, ...]] = ("literal", "secret_ref", "env_file", "platform")


def is_variable(name: str) -> bool:
    """Tell whether a text may stand, be kept and be printed as the name of an environment variable."""
    return "/" not in name and "[" not in name and is_config_key(name) and not looks_like_a_value(name)


def config_section(
    shapes: Mapping[str, dict[str, Any]],
    unseen: Iterable[Unseen] = (),
    *,
    basis: Basis = "declared",
    covers: tuple[str, ...] = EVERYTHING,
    sees: tuple[SourceClass, ...] = SEEN_IN_A_FILE,
) -> Section:
    """Return the config of which ``unseen`` could not be read."""
    entries = tuple(unseen)
    return Section(
        basis=basis,
        status="partial" if entries else "complete",
        facts=shapes,
        covers=covers,
        sees=sees,
        unseen=entries,
    )


def lines_in_words(lines: Iterable[int]) -> str:
    """Return ``line 3`` or ``lines 3, 7 and 9``, at most ten of them."""
    numbers = sorted(set(lines))
    shown = [str(number) for number in numbers[:10]]
    if len(numbers) > len(shown):
        return f"lines {', '.join(shown)} and {len(numbers) - len(shown)} more"
    if len(shown) == 1:
        return f"line {shown[0]}"
    return f"lines {', '.join(shown[:-1])} and {shown[-1]}"
