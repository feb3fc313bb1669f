"""Sees the pinned packages of lockfiles."""

from collections.abc import Sequence
from typing import ClassVar

from collectors._files import FileOptions, beside, read_file
from collectors.readers.lockfile import LockfileReader
from detector.collector import Collected, Context, Seen
from detector.errors import UnseenError
from detector.model.facts import Section, Unseen, Value
from detector.model.words import Basis, SectionName


class LockfileCollector:
    """Sees the packages of one lockfile, or of several of which each adds its own."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "lockfile"
    Options: ClassVar[type[FileOptions]] = FileOptions
    basis: ClassVar[Basis] = "declared"
    sections: ClassVar[tuple[SectionName, ...]] = ("dependencies",)
    cannot_see: ClassVar[tuple[str, ...]] = (
        "what is installed in the end",
        "native libraries inside wheels: OpenSSL in cryptography, libpq in psycopg2-binary",
        "code that was copied into the repository",
    )

    async def collect(self, options: FileOptions, context: Context) -> Collected:
        return await context.in_thread(_collected, options, context)


def _collected(options: FileOptions, context: Context) -> Collected:
    sections: list[Section] = []
    warnings: list[str] = []
    errors: list[UnseenError] = []
    for path in options.files:
        try:
            data = read_file(context.folder, path)
            read = LockfileReader().read_beside(
                data, path.as_posix(), context.fingerprinter, beside(context.folder, path)
            )
        except UnseenError as error:
            errors.append(error)
        else:
            sections += [part.sections["dependencies"] for part in read.parts]
            warnings += [f"{path}: {line}" for line in read.warnings]
    if len(errors) == len(options.files):
        raise errors[0]
    section = _united(sections, [Unseen(item="*", reason=e.reason, detail=e.detail) for e in errors])
    return Collected(
        seen=(Seen(sections={"dependencies": section}, component=options.component),),
        warnings=tuple(warnings),
    )


def _united(sections: Sequence[Section], errors: Sequence[Unseen]) -> Section:
    """Return all packages of several lockfiles: versions of one package are united, none wins."""
    if len(sections) == 1 and not errors:
        return sections[0]
    versions: dict[str, list[Value]] = {}
    for section in sections:
        for item, value in section.facts.items():
            members = value if isinstance(value, list) else [value]
            versions.setdefault(item, []).extend(members)
    facts: dict[str, Value] = {}
    for item, members in versions.items():
        distinct = list(dict.fromkeys(members))
        facts[item] = distinct[0] if len(distinct) == 1 else distinct
    unseen = (*errors, *(entry for section in sections for entry in section.unseen))
    return Section(
        basis="declared",
        status="partial" if unseen else "complete",
        facts=facts,
        hints={item: hints for section in sections for item, hints in section.hints.items()},
        covers=tuple(dict.fromkeys(glob for section in sections for glob in section.covers)),
        unseen=unseen,
    )
