"""Programs of Go: what they were built of, as their own build information says it."""

from io import BytesIO
from typing import BinaryIO, ClassVar

from collectors.readers.programs.go import build_info, sections_of
from collectors.readers.programs.parts import Program, is_program
from detector.errors import UnseenError
from detector.model.fingerprints import Fingerprinter
from detector.reader import API, Part, Read


class BinaryReader:
    """Reads the build information of Go programs in ELF, PE and Mach-O; of others it knows nothing."""

    API: ClassVar[int] = API
    name: ClassVar[str] = "binary"

    def matches(self, name: str) -> bool:
        return False  # programs have names of all kinds; their first bytes tell: `knows`

    def knows(self, head: bytes) -> bool:
        """Tell whether the first eight bytes of a file say that it is a program."""
        return is_program(head)

    def read(self, data: bytes, name: str, fingerprinter: Fingerprinter) -> Read:
        return self.read_file(BytesIO(data), name)

    def read_file(self, file: BinaryIO, name: str) -> Read:
        """Return what a program says, of whatever size it is. Blocking. Raises UnseenError."""
        info = build_info(Program(file, name))
        if info is None:
            raise UnseenError("unsupported", f"{name}: a program without build information of Go")
        return Read(parts=(Part(sections=sections_of(info, name)),))
