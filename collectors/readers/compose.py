"""Compose files: what each service declares, and the backing services among them (Compose specification)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from collectors._containers import ImageReference, image_reference
from collectors.readers._backing_images import backing_facts, product_of
from collectors.readers.composefiles.config import config_of
from collectors.readers.composefiles.facts import sections_of, word_at
from collectors.readers.composefiles.project import Beside, File, Loading
from collectors.readers.composefiles.references import dangling
from collectors.readers.composefiles.variables import Variables, written
from detector.errors import UnseenError
from detector.model.facts import Section, Unseen
from detector.model.fingerprints import Fingerprinter
from detector.model.shapes import shape_of
from detector.model.words import SectionName, SourceClass
from detector.reader import API, Part, Read

_ENV_FILE: Final = ".env"
#: Names of files, without their ending, that compose finds by itself.
_DEFAULT_NAMES: Final = ("compose", "docker-compose")


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """What the files of a project say, and whether that is all of its services."""

    read: Read
    complete: bool


class ComposeReader:
    """Reads ``compose.yaml`` and its older names: one part for each service that compose would start."""

    API: ClassVar[int] = API
    name: ClassVar[str] = "compose"

    def matches(self, name: str) -> bool:
        own = name.rpartition("/")[2]
        return own.endswith((".yml", ".yaml")) and own.startswith(("compose.", "docker-compose."))

    def read(self, data: bytes, name: str, fingerprinter: Fingerprinter) -> Read:
        return self.read_beside(data, name, fingerprinter, _nothing_beside)

    def read_beside(self, data: bytes, name: str, fingerprinter: Fingerprinter, beside: Beside) -> Read:
        """Return what the file says together with the files it names, as far as ``beside`` opens them."""
        return self.read_project([(name, data)], fingerprinter, beside).read

    def read_project(
        self,
        files: Sequence[File],
        fingerprinter: Fingerprinter,
        beside: Beside,
        *,
        env_files: Sequence[File] = (),
        profiles: Collection[str] = (),
        wanted: str | None = None,
        compare: Collection[str] = (),
    ) -> Composed:
        """Return what several files say, each laid over those before it.

        ``env_files`` stand in place of ``.env`` beside the first file. A service of a profile is read when
        its profile is active, or when it is ``wanted``. Raises UnseenError.
        """
        loading = Loading(beside)
        name = files[0][0]
        warnings: list[str] = []
        variables: Variables = None
        try:
            variables = loading.variables(env_files or _usual(loading), {}, warnings)
        except UnseenError as error:
            warnings.append(f"variables are not filled in: {error.detail}")
        project = loading.project(files, variables)
        missing = project.missing or dangling(project, name)
        if len(files) == 1 and (override := _override(name, loading)):
            warnings.append(f"{override} is not laid over it: name both as `paths`, where compose is run so")

        def shaped(key: str, value: str, source_class: SourceClass) -> dict[str, Any]:
            return shape_of(key, value, fingerprinter, source_class=source_class, compare=key in compare)

        active = frozenset(profiles) or _active(variables)
        parts = []
        inactive: set[str] = set()
        for service_name, service in project.services.items():
            asked = {profile for profile in service.get("profiles") or () if isinstance(profile, str)}
            if asked and not asked & active and "*" not in active and service_name != wanted:
                inactive |= {written(profile) for profile in asked}
                continue
            config, told = config_of(service, f"{name}: {service_name}", loading.open, variables, shaped)
            warnings += told
            sections = sections_of(service, project.declared) | {"config": config}
            image = image_reference(word_at(service, "image") or "")
            if image is not None and product_of(image) is not None:
                sections["backing_services"] = _backing_service(image)
            if gaps := (*project.gaps.get(service_name, ()), *missing):
                sections = _unsure(sections, gaps)
            parts.append(Part(service=service_name, sections=sections))
        if not project.services and not missing:
            raise UnseenError("malformed", f"{name}: no `services`; is this a compose file?")
        if not parts and missing:
            raise UnseenError(missing[0].reason, missing[0].detail)
        if inactive:
            warnings.append(_left_out(inactive))
        warnings += project.warnings
        return Composed(
            read=Read(parts=tuple(parts), warnings=tuple(dict.fromkeys(warnings))), complete=not missing
        )


def _usual(loading: Loading) -> list[File]:
    try:
        return [(_ENV_FILE, loading.open(_ENV_FILE, _ENV_FILE))]
    except UnseenError as error:
        if error.reason == "unreachable":
            return []
        raise


def _override(name: str, loading: Loading) -> str | None:
    """Return the file that `docker compose` without ``-f`` would lay over this one, where there is one."""
    stem, dot, ending = name.rpartition("/")[2].rpartition(".")
    override = f"{stem}.override{dot}{ending}"
    if stem not in _DEFAULT_NAMES:
        return None
    try:
        loading.open(override, override)
    except UnseenError:
        return None
    return override


def _active(variables: Variables) -> frozenset[str]:
    """Return the profiles that the variables of the project switch on."""
    stated = (variables or {}).get("COMPOSE_PROFILES", "")
    return frozenset(name.strip() for name in stated.split(",") if name.strip())


def _left_out(profiles: Collection[str]) -> str:
    shown = sorted(profiles)[:10]
    return f"services of profiles are left out, as compose does: {', '.join(shown)}"


def _nothing_beside(path: str) -> bytes:
    raise UnseenError("not_in_view", f"{path} was not read: only the compose file itself was")


def _backing_service(image: ImageReference) -> Section:
    facts = backing_facts(image)
    # A tag without a variant says that there is none; without a version it says nothing.
    covers = dict.fromkeys((*facts, "main#variant")) if "main#version" in facts else facts
    return Section(basis="declared", facts=facts, covers=tuple(covers))


def _unsure(sections: Mapping[SectionName, Section], gaps: Sequence[Unseen]) -> dict[SectionName, Section]:
    """Return sections of which more may be stated where it could not be read."""
    names: tuple[SectionName, ...] = (*sections, "release", "processes")
    known = {name: sections.get(name) or Section(basis="declared") for name in names}
    return {
        name: replace(section, status="partial", unseen=(*section.unseen, *gaps))
        for name, section in known.items()
    }
