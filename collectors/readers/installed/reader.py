"""What is installed below a folder of this machine, for the command line and the collector."""

from collections.abc import Collection
from pathlib import Path
from typing import ClassVar

from collectors.readers.installed import installed, wanted
from collectors.readers.installed.folder import folder_tree
from detector.errors import UnseenError
from detector.model.fingerprints import Fingerprinter
from detector.reader import API, Part, Read


class InstalledReader:
    """Reads what is installed below a folder: an application, a mounted image, the root itself."""

    API: ClassVar[int] = API
    name: ClassVar[str] = "installed"

    def matches(self, name: str) -> bool:
        return False

    def read(self, data: bytes, name: str, fingerprinter: Fingerprinter) -> Read:
        raise UnseenError("unsupported", f"{name}: installed: takes a folder, no file")

    def installed(self, root: str | Path, exclude: Collection[str] = ()) -> Read:
        """Return what is installed below a root, but for folders that a glob of ``exclude`` matches.

        Blocking. Raises UnseenError where nothing that is known is installed.
        """
        section = installed(folder_tree(Path(root), wanted, exclude), "running")
        if not section.covers and not section.unseen:
            raise UnseenError("not_in_view", f"{root}: no packages of a kind that is known in it")
        return Read(parts=(Part(sections={"dependencies": section}),))
