"""SPDX 2.2 and 2.3 as tag and value, read as the same document that JSON would be."""

from collections.abc import Iterator
from typing import Any, Final

from collectors.readers.sbom.decoding import converted, fault
from collectors.readers.sbom.spdx import Document, read_document
from detector.model.wire_json import WireError
from detector.reader import Read

_BEGIN: Final = "<text>"
_END: Final = "</text>"
#: Tag of a package -> its name in JSON.
_OF_PACKAGE: Final = {
    "SPDXID": "SPDXID",
    "PackageVersion": "versionInfo",
    "PrimaryPackagePurpose": "primaryPackagePurpose",
}
#: Tags that begin another element than a package.
_ELSEWHERE: Final = frozenset({"FileName", "SnippetSPDXID", "LicenseID", "Reviewer", "Annotator"})


def read_tags(data: bytes, name: str) -> Read:
    """Return what a document of tags says. Raises WireError."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise fault("", "sbom-invalid", f"not UTF-8 at line {line}") from None
    document = converted(_document(text), Document)
    return read_document(document, name, cut_off=not text.endswith(("\n", "\r")))


def _document(text: str) -> dict[str, Any]:
    packages: list[dict[str, Any]] = []
    relationships: list[dict[str, str]] = []
    files: list[dict[str, str]] = []
    document: dict[str, Any] = {"packages": packages, "relationships": relationships, "files": files}
    element: dict[str, Any] = document
    for line, tag, value in _tags(text):
        if tag == "SPDXVersion":
            document["spdxVersion"] = value
        elif tag == "PackageName":
            element = {"name": value, "externalRefs": []}
            packages.append(element)
        elif tag in _ELSEWHERE:
            element = {"SPDXID": value} if tag == "SnippetSPDXID" else {}
            files.append(element)
        elif tag == "Relationship":
            relationships.append(_relationship(line, value))
        elif tag == "ExternalRef" and "externalRefs" in element:
            words = value.split()
            if len(words) >= 3:
                element["externalRefs"].append({"referenceType": words[1], "referenceLocator": words[2]})
        elif tag in _OF_PACKAGE and (element is not document or tag == "SPDXID"):
            if _OF_PACKAGE[tag] in element:
                raise _invalid(line, "a tag that its element has already")
            element[_OF_PACKAGE[tag]] = value
    return document


def _relationship(line: int, value: str) -> dict[str, str]:
    words = value.split()
    if len(words) != 3:
        raise _invalid(line, "a relationship has two elements and a type between them")
    return dict(zip(("spdxElementId", "relationshipType", "relatedSpdxElement"), words, strict=True))


def _tags(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield (line, tag, value). Of a text that runs over lines only the end is looked for."""
    inside = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if inside:
            inside = 0 if _END in line else inside
            continue
        tag, colon, value = line.partition(":")
        if not line.strip() or line.startswith("#"):
            continue
        if not colon or not tag.strip().isalnum():
            raise _invalid(number, "no tag and value")
        value = value.strip()
        if value.startswith(_BEGIN) and _END not in value:
            inside = number
        yield number, tag.strip(), value.removeprefix(_BEGIN).removesuffix(_END)
    if inside:
        raise _invalid(inside, "a text that has no end; is the file cut off?")


def _invalid(line: int, message: str) -> WireError:
    return fault("", "sbom-invalid", f"line {line}: {message}")
