"""The files of a container or an image of an engine, in one pass, in memory, by GET alone. Blocking."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from collectors._blob import Blob, Chunks, inflated
from collectors._docker_engine import streamed
from collectors._image_parts import ArchiveParts, found_in, tree_in
from collectors._layers import Budget, laid_over, read_layer
from collectors.readers.installed import Entry, Tree, wanted
from collectors.readers.installed.tree import shown
from detector.errors import UnseenError

if TYPE_CHECKING:
    from docker import APIClient

#: Raises where the run has no more time.
Check = Callable[[], None]

_REMOVED: Final = 2
_FILE: Final = Entry("file")


def tree_of_container(client: "APIClient", container: Mapping[str, Any], check: Check) -> Tree:
    """Return the files of a container, running or not. What stands in its mounts is not among them."""
    chunks = streamed(client, f"/containers/{container.get('Id')}/export", "/containers/{id}/export")
    stream, _ = inflated(Blob(Chunks(chunks, check)))
    tree = laid_over([read_layer(stream, Budget())])
    mounts = [str(mount.get("Destination") or "") for mount in container.get("Mounts") or ()]
    hidden = {path for path in mounts if path.strip("/") and any(_below(path, file) for file in tree.files())}
    for path in hidden:
        tree.drop(path)
        tree.tell(path, UnseenError("not_in_view", f"{shown(path)}: a mount hides what the image has there"))
    return tree


def tree_of_image(client: "APIClient", identity: str, check: Check) -> Tree:
    """Return the files of an image, without a container of it."""
    chunks = streamed(client, f"/images/{identity}/get", "/images/{name}/get")
    parts = ArchiveParts(Chunks(chunks, check), identity[:19])
    return tree_in(parts, found_in(parts, None, None))


def differs_from_image(client: "APIClient", identity: str) -> bool:
    """Tell whether a container may have installed or removed anything itself."""
    changes = client.diff(identity) or ()
    return any(
        change.get("Kind") == _REMOVED or wanted(str(change.get("Path")), _FILE) is not None
        for change in changes
    )


def _below(folder: str, path: str) -> bool:
    return path.startswith(f"{folder.rstrip('/')}/")
