"""Bills of materials in the forms that fewer tools write: XML, tags, and inside attestations."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.model.bom import Bom
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion

from collectors.readers.sbom import SbomReader
from detector.errors import UnseenError
from detector.model.facts import Section
from detector.model.fingerprints import Fingerprinter
from detector.reader import Read
from tests.collectors.readers.cuts import OF_A_HUNDRED_OR_ALL, SOME_FLIPS_OR_MANY, Cuts, Record

FINGERPRINTER = Fingerprinter(b"k" * 32)
FILES = Path(__file__).parent / "sboms"
NAMESPACE = "http://cyclonedx.org/schema/bom/1.6"


def read(data: bytes | str, name: str = "bom") -> Read:
    return SbomReader().read(data.encode() if isinstance(data, str) else data, name, FINGERPRINTER)


def dependencies(data: bytes | str, name: str = "bom") -> Section:
    (part,) = read(data, name).parts
    return part.sections["dependencies"]


def fixture(name: str) -> Any:
    return json.loads((FILES / name).read_bytes())


# --- XML ------------------------------------------------------------------------------------------


def xml(inner: str, *, before: str = "", namespace: str = NAMESPACE) -> str:
    return f'<?xml version="1.0" encoding="utf-8"?>{before}<bom xmlns="{namespace}" version="1">{inner}</bom>'


@pytest.mark.parametrize("version", ["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"])
@pytest.mark.parametrize("name", ["npm.cdx.json", "uv.cdx.json"])
def test_xml_says_what_json_says(name: str, version: str) -> None:
    """The library of the CycloneDX project writes the bill of a tool as XML of each version."""
    document = fixture(name)
    del document["metadata"]["tools"]  # the library warns of their old form
    bill = Bom.from_json(document)  # type: ignore[attr-defined]
    written = make_outputter(bill, OutputFormat.XML, SchemaVersion.from_version(version)).output_as_string()
    as_json = dependencies((FILES / name).read_bytes())
    if version == "1.2":
        # It has no properties: nothing says what npm marked as development.
        assert dependencies(written).facts == as_json.facts
    else:
        assert dependencies(written) == as_json


def test_all_that_is_read_of_xml() -> None:
    found = read(
        xml(
            '<metadata><component type="container" bom-ref="root"><name>acme/shop</name>'
            "<version>1.4.2</version></component></metadata>"
            "<components>"
            '<component type="library" bom-ref="b"><name>b</name><purl>pkg:npm/b@1?x=C4n4ry</purl>'
            "<properties><property name='token'>C4n4ry</property></properties>"
            "<components><component type='library'><name>c</name><scope>optional</scope>"
            "<purl>pkg:npm/c@1</purl></component></components></component>"
            '<component type="library"><group>acme</group><name>own</name><version>1</version></component>'
            '<component type="operating-system"><name>debian</name><version>12</version></component>'
            '<x:component xmlns:x="urn:other" type="library"><x:name>C4n4ry</x:name></x:component>'
            "</components>"
            '<services><service bom-ref="db"><name>redis</name><version>7.4.1</version></service></services>'
            '<dependencies><dependency ref="root"><dependency ref="b"/></dependency></dependencies>'
            "<compositions><composition><aggregate>incomplete</aggregate><assemblies>"
            '<assembly ref="root"/></assemblies></composition></compositions>'
        )
    )
    (part,) = found.parts
    section = part.sections["dependencies"]
    assert section.facts == {"pkg:npm/b": "1", "pkg:npm/c": "1", "os#release": "debian 12"}
    assert section.hints == {
        "pkg:npm/b": {"direct": True},
        "pkg:npm/c": {"direct": False, "scope": ["optional"]},
    }
    assert [gap.item for gap in section.unseen] == ["pkg:*/acme/own", "*"]
    assert part.sections["backing_services"].facts == {"redis#product": "redis", "redis#version": "7.4.1"}
    assert part.sections["release"].facts == {"image#repository": "acme/shop", "image#tag": "1.4.2"}
    assert "C4n4ry" not in str(found)


BOMB = "<!DOCTYPE bom [<!ENTITY a 'C4n4ry'>" + "".join(
    f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9)
)
OLDER = "http://cyclonedx.org/schema/bom/1.1"


def nested(levels: int) -> str:
    begin, end = "<components><component type='file'><name>a</name>", "</component></components>"
    return xml(begin * levels + end * levels)


NAMED = "<components><component type='library'><name>%s</name></component></components>"


@pytest.mark.parametrize(
    ("text", "reason", "code", "place"),
    [
        (xml("", before="<!DOCTYPE bom>"), "malformed", "xml-dtd-refused", ""),
        (xml(NAMED % "&j;", before=f"{BOMB}]>"), "malformed", "xml-dtd-refused", ""),
        (
            xml(NAMED % "&x;", before="<!DOCTYPE bom [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"),
            "malformed",
            "xml-dtd-refused",
            "",
        ),
        (xml("", before="<!DOCTYPE bom SYSTEM 'http://[::1]:9/'>"), "malformed", "xml-dtd-refused", ""),
        (xml(NAMED % "&C4n4ry;"), "malformed", "malformed-xml", "line 1"),
        (xml("\n<components>"), "malformed", "malformed-xml", "line 2"),
        ("<bom/>", "malformed", "sbom-format", "/bom"),
        (xml("", namespace="urn:C4n4ry"), "malformed", "sbom-format", "/bom"),
        (xml("", namespace=OLDER), "unsupported", "sbom-version", "/specVersion"),
        (xml((NAMED % "a").replace("library", "foo")), "malformed", "sbom-invalid", "/components/0/type"),
        (xml((NAMED % "").replace("<name></name>", "")), "malformed", "sbom-invalid", "/components/0"),
        (xml("<components/><components/>"), "malformed", "duplicate-key", ""),
        (xml(NAMED % "a</name><name>b"), "malformed", "duplicate-key", ""),
        (xml(NAMED % ("a" * 70_000)), "malformed", "sbom-invalid", "/components/0/name"),
        (nested(70), "too_large", "too-deep", ""),
        (nested(9_000), "too_large", "too-deep", ""),
        ('<?xml version="1.0" encoding="C4n4ry"?><bom/>', "malformed", "malformed-xml", ""),
    ],
)
def test_xml_that_is_not_understood_is_unseen_with_its_place(
    text: str, reason: str, code: str, place: str
) -> None:
    with pytest.raises(UnseenError) as caught:
        read(text)
    assert caught.value.reason == reason
    assert f"[{code}]" in caught.value.detail
    assert place in caught.value.detail
    assert "C4n4ry" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_what_is_skipped_may_be_as_deep_as_it_likes() -> None:
    assert dependencies(xml("<annotations>" * 5_000 + "</annotations>" * 5_000)).status == "complete"


# --- tags -----------------------------------------------------------------------------------------


def tags_of(document: dict[str, Any]) -> str:
    """The same document as tags, as the specification has them."""
    lines = [
        "SPDXVersion: SPDX-2.3",
        "DataLicense: CC0-1.0",
        "SPDXID: SPDXRef-DOCUMENT",
        "DocumentName: shop",
        "DocumentComment: <text>a comment: with",
        "PackageName: not-a-package",
        "</text>",
        "",
    ]
    for package in document["packages"]:
        lines += [
            f"# {package['name']}",
            f"PackageName: {package['name']}",
            f"SPDXID: {package['SPDXID']}",
            f"PackageVersion: {package['versionInfo']}",
            "PackageDownloadLocation: NOASSERTION",
            "PackageCopyrightText: <text>C4n4ry</text>",
        ]
        for reference in package["externalRefs"]:
            told = (reference[f"reference{part}"] for part in ("Category", "Type", "Locator"))
            lines += [f"ExternalRef: {' '.join(told)}", "ExternalRefComment: C4n4ry", ""]
    for each in document["relationships"]:
        told = (each[part] for part in ("spdxElementId", "relationshipType", "relatedSpdxElement"))
        lines.append(f"Relationship: {' '.join(told)}")
    return "\n".join(lines) + "\n"


def test_tags_say_what_json_says() -> None:
    found = read(tags_of(fixture("npm.spdx.json")))
    assert found == read((FILES / "npm.spdx.json").read_bytes())
    assert "C4n4ry" not in str(found)


def test_files_and_snippets_among_tags_are_no_packages() -> None:
    found = read(
        "SPDXVersion: SPDX-2.2\nPackageName: b\nSPDXID: SPDXRef-b\nPackageVersion: 1\n"
        "ExternalRef: PACKAGE_MANAGER purl pkg:npm/b@1\n"
        "FileName: ./a.py\nSPDXID: SPDXRef-file\nPackageVersion: 9\nSnippetSPDXID: SPDXRef-snippet\n"
        "Relationship: SPDXRef-b CONTAINS SPDXRef-file\nRelationship: SPDXRef-b CONTAINS SPDXRef-snippet\n"
    )
    assert found.parts[0].sections["dependencies"].facts == {"pkg:npm/b": "1"}
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("PackageName", "line 2"),
        ("Package Name!: C4n4ry", "line 2"),
        ("PackageName: b\nPackageVersion: 1\nPackageVersion: 2", "line 4"),
        ("Relationship: C4n4ry", "line 2"),
        ("PackageComment: <text>C4n4ry\nmore", "line 2"),
        ("PackageName: b", "/packages/0"),
        (b"PackageName: \xff", "line 2"),
    ],
)
def test_tags_that_are_not_understood_are_unseen_with_their_line(text: str | bytes, place: str) -> None:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(UnseenError) as caught:
        read(b"SPDXVersion: SPDX-2.3\n" + data + b"\n")
    assert caught.value.reason == "malformed"
    assert place in caught.value.detail
    assert "C4n4ry" not in str(caught.value)


# --- attestations ---------------------------------------------------------------------------------


def statement(predicate: Any, kind: str) -> dict[str, Any]:
    subject = [{"name": "registry.example/acme/shop", "digest": {"sha256": "00"}}]
    version = "https://in-toto.io/Statement/v1"
    return {"_type": version, "subject": subject, "predicateType": kind, "predicate": predicate}


def envelope(payload: Any, kind: str = "application/vnd.in-toto+json") -> dict[str, Any]:
    encoded = base64.b64encode(json.dumps(payload).encode()).decode()
    return {"payloadType": kind, "payload": encoded, "signatures": [{"keyid": "", "sig": "C4n4ry"}]}


WRAPPED: dict[str, Callable[[], dict[str, Any]]] = {
    "a statement": lambda: statement(fixture("npm.cdx.json"), "https://cyclonedx.org/bom"),
    "a statement of SPDX": lambda: statement(fixture("npm.spdx.json"), "https://spdx.dev/Document/v2.3"),
    "an envelope": lambda: envelope(statement(fixture("npm.cdx.json"), "https://cyclonedx.org/bom/v1.5")),
    "an envelope of SPDX": lambda: envelope(statement(fixture("npm.spdx.json"), "https://spdx.dev/Document")),
    "an envelope without a statement": lambda: envelope(
        fixture("npm.cdx.json"), "application/vnd.cyclonedx+json"
    ),
}


@pytest.mark.parametrize("how", WRAPPED)
def test_a_bill_inside_an_attestation_says_what_it_says_alone(how: str) -> None:
    found = read(json.dumps(WRAPPED[how]()))
    assert found.parts == read((FILES / "npm.cdx.json").read_bytes()).parts
    assert found.warnings == ("not-verified: the signature of the attestation was not checked",)


def test_either_alphabet_of_base64_is_read() -> None:
    wrapped = envelope(fixture("npm.cdx.json"), "application/vnd.cyclonedx+json")
    wrapped["payload"] = wrapped["payload"].replace("+", "-").replace("/", "_")
    assert read(json.dumps(wrapped)).parts


@pytest.mark.parametrize(
    ("document", "reason", "code"),
    [
        (envelope({}) | {"payload": "C4n4ry!"}, "malformed", "sbom-invalid"),
        (envelope({}) | {"payload": "é"}, "malformed", "sbom-invalid"),
        (envelope({}) | {"payload": 3}, "malformed", "sbom-invalid"),
        (envelope({}), "unsupported", "unsupported-format"),
        (envelope({}, "text/C4n4ry"), "unsupported", "unsupported-format"),
        (statement({}, "https://slsa.dev/provenance/v1"), "unsupported", "unsupported-format"),
        (statement({}, "https://cyclonedx.org/bom"), "malformed", "sbom-format"),
        (statement(envelope({}), "https://cyclonedx.org/bom"), "malformed", "sbom-format"),
    ],
)
def test_an_attestation_of_no_bill_is_unseen(document: dict[str, Any], reason: str, code: str) -> None:
    with pytest.raises(UnseenError) as caught:
        read(json.dumps(document))
    assert caught.value.reason == reason
    assert f"[{code}]" in caught.value.detail
    assert "C4n4ry" not in str(caught.value)


# --- broken files ---------------------------------------------------------------------------------

WRITTEN: dict[str, Callable[[], bytes]] = {
    "xml": lambda: xml(
        "<components>"
        + "".join(
            f"<component type='library'><name>p{n}</name><purl>pkg:npm/p{n}@1.{n}</purl></component>\n"
            for n in range(20)
        )
        + "</components>"
    ).encode(),
    "tags": lambda: tags_of(fixture("npm.spdx.json")).encode(),
    "envelope": lambda: json.dumps(WRAPPED["an envelope"]()).encode(),
}


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize("cuts", OF_A_HUNDRED_OR_ALL)
def test_what_was_cut_never_removes_a_package_in_silence(
    form: str, cuts: Cuts, record_property: Record
) -> None:
    data = WRITTEN[form]()
    for cut in cuts(data, record_property):
        try:
            section = dependencies(cut)
        except UnseenError:
            continue
        # Tags have no end: what was cut between two lines is a whole file.
        assert form == "tags"
        assert section.status == "partial" or cut.endswith(b"\n"), len(cut)


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize("flips", SOME_FLIPS_OR_MANY)
def test_a_wrong_bit_is_read_or_refused_in_our_words(form: str, flips: Cuts, record_property: Record) -> None:
    for data in flips(WRITTEN[form](), record_property):
        try:
            section = dependencies(data)
        except UnseenError:
            continue  # anything else is a defect
        assert section.status == ("partial" if section.unseen else "complete")
