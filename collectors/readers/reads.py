"""Which config keys the code reads, and where: Python by its syntax tree, JavaScript by its tokens.

Nothing is imported, run or expanded. Of a default only its class is kept: what it would stand in for.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from collectors.readers import dotenv
from collectors.readers._config import is_variable
from collectors.readers._env_lines import Binding
from collectors.readers._reads import ReadAt, Reads, reads_section, shown_path
from collectors.readers._reads_javascript import TRIGGERS as JAVASCRIPT_TRIGGERS
from collectors.readers._reads_javascript import javascript_reads
from collectors.readers._reads_names import Env, Lent, Wrapper
from collectors.readers._reads_python import TRIGGERS as PYTHON_TRIGGERS
from collectors.readers._reads_python import PythonReads, parse_python, python_reads
from collectors.readers._source_tree import MOST_FILES, bytes_of, files_below
from detector.errors import UnseenError
from detector.model.facts import Unseen
from detector.model.fingerprints import Fingerprinter
from detector.reader import API, Part, Read

_PYTHON: Final = (".py", ".pyw")
_JAVASCRIPT: Final = (
    *(".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".vue", ".svelte", ".astro"),
)
_NO_CODE: Final = (".min.js", ".d.ts", ".d.mts", ".d.cts")
_EXAMPLES: Final = frozenset(
    (".env.example", ".env.sample", ".env.template", ".env.dist", ".env.defaults", "env.example")
)
#: Files of tests beside the code that they test.
_TESTS: Final = (
    "_test.py",
    ".test.js",
    ".test.jsx",
    ".test.ts",
    ".test.tsx",
    ".spec.js",
    ".spec.ts",
    ".spec.tsx",
)
#: Languages in which a service may read keys and which nobody here understands.
_FOREIGN: Final[Mapping[str, str]] = {
    ".go": "Go", ".rb": "Ruby", ".java": "Java", ".kt": "Kotlin", ".php": "PHP", ".rs": "Rust", ".cs": "C#",
    ".ex": "Elixir", ".exs": "Elixir", ".scala": "Scala", ".clj": "Clojure",
}  # fmt: skip
#: Files that are named one by one before the rest is only counted.
_MOST_NAMED: Final = 20
_MOST_BYTES: Final = 256 * 1024 * 1024
#: Files of any name that are passed on the way.
_MOST_ENTRIES: Final = 200_000

#: Gives the bytes of a file when they are needed: a tree of code is never held whole.
Load = Callable[[], bytes]


class ReadsReader:
    """Reads source files: not what a key is set to, but where the code asks for it."""

    API: ClassVar[int] = API
    name: ClassVar[str] = "reads"

    def matches(self, name: str) -> bool:
        return False

    def read(self, data: bytes, name: str, fingerprinter: Fingerprinter) -> Read:
        own = name.rpartition("/")[2]
        if _reader_of(own) is None:
            known = "Python, JavaScript, TypeScript, .env.example"
            raise UnseenError("unsupported", f"{name}: no language that is read ({known})")
        return _Code({own: lambda: data}).read()

    def below(
        self, folder: str | Path, exclude: Collection[str] = (), *, late: Callable[[], bool] = lambda: False
    ) -> Read:
        """Return what the code of a folder reads. Raises UnseenError where it cannot be listed.

        ``exclude`` are globs of paths inside the folder; ``late`` says when to stop and to tell so.
        """
        files: dict[str, Load] = {}
        unseen: list[Unseen] = []
        foreign: dict[str, int] = {}
        unlisted: list[str] = []
        for count, file in enumerate(files_below(Path(folder), exclude, unlisted=unlisted.append)):
            if count >= _MOST_ENTRIES or late():
                detail = (
                    "more than could be looked through; narrow the path, or leave folders out with exclude"
                )
                unseen.append(Unseen(item="reads#*", reason="too_large", detail=detail))
                break
            own = file.path.rpartition("/")[2]
            suffix = f".{own.rpartition('.')[2]}"
            if suffix in _FOREIGN:
                foreign[_FOREIGN[suffix]] = foreign.get(_FOREIGN[suffix], 0) + 1
            if _reader_of(own) is None:
                continue
            if len(files) >= MOST_FILES:
                detail = f"more than {MOST_FILES} files; narrow the path, or leave folders out with exclude"
                unseen.append(Unseen(item="reads#*", reason="too_large", detail=detail))
                break
            files[file.path] = partial(bytes_of, file)
        for path in unlisted[:_MOST_NAMED]:
            detail = f"{shown_path(path)}: a folder that cannot be listed, or lies too deep"
            unseen.append(Unseen(item=f"reads#{shown_path(path)}", reason="denied", detail=detail))
        if len(unlisted) > _MOST_NAMED:
            unseen.append(Unseen(item="reads#*", reason="denied", detail="more folders cannot be listed"))
        for language, count in sorted(foreign.items()):
            known = "only Python, JavaScript and TypeScript are read"
            detail = f"{count} file{'s' * (count != 1)} of {language}: {known}"
            unseen.append(Unseen(item=f"reads#{language}", reason="unsupported", detail=detail))
        return _Code(files, unseen, late).read()


def _reader_of(own: str) -> str | None:
    """Return how a file of this name is read, None where it is not."""
    if own in _EXAMPLES:
        return "example"
    if own.endswith((*_NO_CODE, *_TESTS)) or own.startswith("test_") or own == "conftest.py":
        return None
    if own.endswith(_PYTHON):
        return "python"
    return "javascript" if own.endswith(_JAVASCRIPT) else None


class _Code:
    """The files of one project, each read when its turn comes."""

    def __init__(
        self,
        files: Mapping[str, Load],
        unseen: Iterable[Unseen] = (),
        late: Callable[[], bool] = lambda: False,
    ) -> None:
        self._files = files
        self._unseen = list(unseen)
        self._late = late
        self._left = _MOST_BYTES
        self._named = 0
        self._broken: set[str] = set()

    def read(self) -> Read:
        """Return what all files together read."""
        found: dict[str, Reads] = {}
        python: dict[str, PythonReads] = {}
        for path, data in self._each(self._files):
            try:
                match _reader_of(path.rpartition("/")[2]):
                    case "python" if _has(data, PYTHON_TRIGGERS):
                        python[path] = python_reads(parse_python(data, shown_path(path)))
                    case "javascript" if _has(data, JAVASCRIPT_TRIGGERS):
                        found[path] = javascript_reads(data.decode("utf-8", errors="replace"))
                    case "example":
                        found[path] = _example(data, path)
            except UnseenError as error:
                self._note(path, error)
        python |= self._borrowers(_lent_by(python))
        found |= {path: here.reads for path, here in python.items()}
        return Read(parts=(Part(sections={"config": reads_section(found, self._unseen)}),))

    def _borrowers(self, lent: Lent) -> dict[str, PythonReads]:
        """Return what modules read that use a wrapper or an environment object of another one."""
        found: dict[str, PythonReads] = {}
        names = [name.encode() for _, name in lent]
        files = {path: load for path, load in self._files.items() if path.endswith(_PYTHON)} if lent else {}
        for path, data in self._each(files):
            if path in self._broken or b"import" not in data or not _has(data, names):
                continue
            others = {key: thing for key, thing in lent.items() if key[0] != _stem(path)}
            try:
                found[path] = python_reads(parse_python(data, shown_path(path)), others)
            except UnseenError as error:
                self._note(path, error)
        return found

    def _each(self, files: Mapping[str, Load]) -> Iterator[tuple[str, bytes]]:
        for path, load in files.items():
            if self._left < 0:
                detail = f"more than {_MOST_BYTES // 1024 // 1024} MiB of code; narrow the path"
                self._unseen.append(Unseen(item="reads#*", reason="too_large", detail=detail))
                return
            if self._late():
                self._unseen.append(
                    Unseen(item="reads#*", reason="timeout", detail="no time left; narrow the path")
                )
                return
            try:
                data = load()
            except UnseenError as error:
                self._note(path, error)
                continue
            self._left -= len(data)
            yield path, data

    def _note(self, path: str, error: UnseenError) -> None:
        if path in self._broken:
            return
        self._broken.add(path)
        self._named += 1
        if self._named <= _MOST_NAMED:
            item, detail = f"reads#{shown_path(path)}", error.detail
            self._unseen.append(Unseen(item=item, reason=error.reason, detail=detail))
        elif self._named == _MOST_NAMED + 1:
            detail = "more files could not be read"
            self._unseen.append(Unseen(item="reads#*", reason=error.reason, detail=detail))


def _has(data: bytes, words: Iterable[bytes]) -> bool:
    return any(word in data for word in words)


def _lent_by(modules: Mapping[str, PythonReads]) -> Lent:
    """Return the wrappers and environment objects that modules may import, by the module's own name."""
    lent: dict[tuple[str, str], Wrapper | Env] = {}
    for path, here in modules.items():
        things: dict[str, Wrapper | Env] = {**here.envs, **here.wrappers}
        for name, thing in things.items():
            if "." not in name:
                lent.setdefault((_stem(path), name), thing)
    return lent


def _stem(path: str) -> str:
    """Return the name by which a module is imported last: its own, or of a package its folder's."""
    own = path.rpartition("/")[2].rpartition(".")[0]
    return path.rpartition("/")[0].rpartition("/")[2] if own == "__init__" else own


def _example(data: bytes, path: str) -> Reads:
    text = data.decode("utf-8-sig", errors="replace")
    names = [
        ReadAt(name=entry.name, line=entry.line, default=True, declared=True)
        for entry in dotenv.entries(text, shown_path(path))
        if isinstance(entry, Binding) and is_variable(entry.name)
    ]
    return Reads(found=names)
