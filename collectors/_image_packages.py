"""What is installed in an image or a container, from its files and from what its image says of itself."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Generic, TypeVar

from collectors._docker_facts import architecture_of, variables
from collectors.readers.installed import Tree, installed
from detector.model.facts import Section, Value
from detector.model.words import Basis

_VERSION: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.!+_-]{0,63}")
#: What official images set -> runtime.
_RUNTIMES: Final = {
    "PYTHON_VERSION": "python",
    "NODE_VERSION": "node",
    "RUBY_VERSION": "ruby",
    "PHP_VERSION": "php",
    "GOLANG_VERSION": "go",
    "JAVA_VERSION": "java",
    "RUST_VERSION": "rust",
}
_MOST_KNOWN: Final = 256

T = TypeVar("T")


def packages_of(tree: Tree, image: Mapping[str, Any], basis: Basis) -> Section:
    """Return what is installed, and the architecture and runtimes that ``image`` (of the engine's API) names.

    A runtime that the files tell wins over a variable of the image.
    """
    said: dict[str, Value] = {}
    if architecture := architecture_of(image):
        said["os#arch"] = architecture
    known = variables(image)
    for name, runtime in _RUNTIMES.items():
        version = known.get(name, "").removeprefix("v")
        if _VERSION.fullmatch(version):
            said[f"runtime#{runtime}"] = version
    section = installed(tree, basis)
    return replace(section, facts={**said, **section.facts})


class Known(Generic[T]):
    """What was found in images, by what identifies a content that never changes. The last used are kept."""

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[str, ...], T] = OrderedDict()

    def get(self, key: tuple[str, ...]) -> T | None:
        """Return what was found before, or None."""
        found = self._found.get(key)
        if found is not None:
            self._found.move_to_end(key)
        return found

    def keep(self, key: tuple[str, ...], found: T) -> None:
        """Keep what was found."""
        self._found[key] = found
        if len(self._found) > _MOST_KNOWN:
            self._found.popitem(last=False)


#: Of this process: collectors come and go with each run.
KNOWN: Final[Known[Section]] = Known()
