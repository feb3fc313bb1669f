"""Kubernetes manifests: plain ones, and what kustomize, helm and kubectl print."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from collectors.readers.kubernetes.folder import File, files_below
from collectors.readers.kubernetes.objects import Object, Objects, objects_of
from collectors.readers.kubernetes.workloads import BESIDE, BY_LABELS, PODS, Naming, parts_of, workloads_of
from detector.errors import UnseenError
from detector.model.fingerprints import Fingerprinter
from detector.model.shapes import shape_of
from detector.model.words import SourceClass
from detector.reader import API, MAX_BYTES, Part, Read

_MOST_BYTES: Final = 4 * MAX_BYTES
_MOST_TOLD: Final = 10
#: Keys that every object has.
_OF_OBJECTS: Final = (b"apiVersion", b"kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifests:
    """What manifests say, and whether they were read whole."""

    read: Read
    complete: bool


class ManifestsReader:
    """Reads Kubernetes manifests: a part for each container of each workload. No file's name tells them."""

    API: ClassVar[int] = API
    name: ClassVar[str] = "manifests"

    def matches(self, name: str) -> bool:
        return False

    def recognizes(self, beginning: bytes) -> bool:
        """Tell whether a file begins like objects of Kubernetes, in YAML or in JSON."""
        return all(re.search(rb'^[ {]*"?%b"?:' % key, beginning, re.MULTILINE) for key in _OF_OBJECTS)

    def read(self, data: bytes, name: str, fingerprinter: Fingerprinter) -> Read:
        return self.read_files([(name, lambda: data)], fingerprinter).read

    def below(self, folder: str, fingerprinter: Fingerprinter) -> Read:
        """Return what the manifests of a folder say. Raises UnseenError."""
        return self.read_files(files_below(Path(folder)), fingerprinter).read

    def read_files(
        self,
        files: Sequence[File],
        fingerprinter: Fingerprinter,
        *,
        naming: Naming = BY_LABELS,
        namespace: str | None = None,
        compare: Collection[str] = (),
    ) -> Manifests:
        """Return what several files say together. What is given twice counts as the last one says it.

        Raises UnseenError where no file could be read, or two workloads would be one.
        """
        objects, errors = _opened(files)
        if errors and not objects:
            raise errors[0]
        known = Objects(objects, namespace=namespace)
        warnings = [f"{error.detail}" for error in errors[:_MOST_TOLD]]
        warnings += [
            f"{one.place}: {one.kind} {one.name} was there before; the last one counts"
            for one in known.repeated[:_MOST_TOLD]
        ]
        if others := known.other_kinds((*PODS, *BESIDE)):
            warnings.append(f"kinds that are not read: {', '.join(others[:_MOST_TOLD])}")

        def shaped(key: str, value: str, source_class: SourceClass) -> dict[str, Any]:
            return shape_of(key, value, fingerprinter, source_class=source_class, compare=key in compare)

        parts: list[Part] = []
        for workload in workloads_of(known, naming):
            parts += parts_of(workload, known, shaped)
        if not parts:
            raise UnseenError("unsupported", f"{_shown(files)}: no workload; is this all that was applied?")
        return Manifests(
            read=Read(parts=tuple(parts), warnings=tuple(warnings)),
            complete=not errors and not known.cut,
        )


def _opened(files: Sequence[File]) -> tuple[list[Object], list[UnseenError]]:
    objects: list[Object] = []
    errors: list[UnseenError] = []
    room = _MOST_BYTES
    for name, opened in files:
        try:
            data = opened()
            room -= len(data)
            if room < 0:
                raise UnseenError(
                    "too_large", f"{name}: more than {_MOST_BYTES // 1024 // 1024} MB of manifests"
                )
            objects += objects_of(data, name)
        except UnseenError as error:
            errors.append(error)
    return objects, errors


def _shown(files: Sequence[File]) -> str:
    return files[0][0] if len(files) == 1 else f"{len(files)} files"
