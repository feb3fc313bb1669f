"""Bills of materials: what each format says, and what a broken or hostile one gives.

The files under ``sboms/`` were written by npm and uv (``sboms/make.sh``); only hosts, times and serial
numbers were replaced.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from collectors.readers.lockfile import LockfileReader
from collectors.readers.sbom import SbomReader
from detector.errors import UnseenError
from detector.model.canonical import observation_digest, observation_document
from detector.model.facts import Observation, Section
from detector.model.fingerprints import Fingerprinter
from detector.model.wire import json_document, observations_from
from detector.reader import Read
from tests.collectors.readers.cuts import OF_A_HUNDRED_OR_ALL, SOME_FLIPS_OR_MANY, Cuts, Record

FINGERPRINTER = Fingerprinter(b"k" * 32)
FILES = Path(__file__).parent / "sboms"
KINDS = ("application", "operating-system", "platform", "container", "file")
WRITTEN = ["npm.cdx.json", "npm.spdx.json", "uv.cdx.json"]


def read(document: bytes | str | dict[str, Any], name: str = "bom.json") -> Read:
    if isinstance(document, dict):
        document = json.dumps(document)
    data = document.encode() if isinstance(document, str) else document
    return SbomReader().read(data, name, FINGERPRINTER)


def dependencies(document: bytes | str | dict[str, Any], name: str = "bom.json") -> Section:
    (part,) = read(document, name).parts
    return part.sections["dependencies"]


def written(name: str) -> Section:
    return dependencies((FILES / name).read_bytes(), name)


def bill(*components: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A bill of CycloneDX; a component is a library where it says nothing else."""
    listed = [{"type": "library", "name": "a", **component} for component in components]
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": listed, **more}


def spdx(
    *packages: dict[str, Any], relationships: Sequence[tuple[str, str, str]] = (), **more: Any
) -> dict[str, Any]:
    """A document of SPDX; a package is one of npm, in version 1.0.0, where it says nothing else."""
    listed = [
        {
            "SPDXID": f"SPDXRef-{package['name']}",
            "externalRefs": [
                {"referenceType": "purl", "referenceLocator": f"pkg:npm/{package['name']}@1.0.0"}
            ],
            **package,
        }
        for package in packages
    ]
    related = [
        {
            "spdxElementId": f"SPDXRef-{one}",
            "relationshipType": kind,
            "relatedSpdxElement": f"SPDXRef-{other}",
        }
        for one, kind, other in relationships
    ]
    return {"spdxVersion": "SPDX-2.3", "packages": listed, "relationships": related, **more}


# --- what tools write -----------------------------------------------------------------------------


def listed_by_npm(document: dict[str, Any]) -> dict[str, set[str]]:
    """Names and versions in what ``npm ls --all --json`` prints."""
    found: dict[str, set[str]] = {}
    for name, entry in document.get("dependencies", {}).items():
        if "version" in entry:
            found.setdefault(f"pkg:npm/{name.replace('@', '%40')}", set()).add(entry["version"])
        for inner, versions in listed_by_npm(entry).items():
            found.setdefault(inner, set()).update(versions)
    return found


def as_sets(section: Section) -> dict[str, set[Any]]:
    return {
        item: set(value) if isinstance(value, list) else {value}
        for item, value in section.facts.items()
        if item.startswith("pkg:")
    }


@pytest.mark.parametrize("name", ["npm.cdx.json", "npm.spdx.json"])
def test_both_bills_of_npm_list_what_npm_lists(name: str) -> None:
    section = written(name)
    assert as_sets(section) == listed_by_npm(json.loads((FILES / "npm.ls.json").read_bytes()))
    assert (section.basis, section.status, section.unseen) == ("built", "complete", ())
    assert section.covers == ("pkg:npm/*",)


def test_both_bills_of_npm_say_of_each_package_what_its_lockfile_says() -> None:
    lock = LockfileReader().read(
        (FILES / "package-lock.json").read_bytes(), "package-lock.json", FINGERPRINTER
    )
    expected = lock.parts[0].sections["dependencies"]
    for name in ("npm.cdx.json", "npm.spdx.json"):
        section = written(name)
        assert as_sets(section) == as_sets(expected)
        # Neither format has a place for the platform of a package whose name does not say it.
        hints = {
            item: {k: v for k, v in own.items() if k != "platform"} for item, own in expected.hints.items()
        }
        assert section.hints == hints


def test_a_bill_of_uv_lists_what_uv_exports() -> None:
    exported = [
        line.partition(";")[0].strip().split("==")
        for line in (FILES / "uv.list.txt").read_text().splitlines()
    ]
    section = written("uv.cdx.json")
    assert section.facts == {f"pkg:pypi/{name}": version for name, version in exported}
    assert section.status == "complete"
    assert section.hints["pkg:pypi/click"] == {"direct": True}
    assert section.hints["pkg:pypi/six"] == {"direct": False}


# --- CycloneDX ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("component", "facts"),
    [
        ({"purl": "pkg:pypi/Django@5.2.8"}, {"pkg:pypi/django": "5.2.8"}),
        ({"purl": "pkg:pypi/zope.interface@7"}, {"pkg:pypi/zope-interface": "7"}),
        ({"purl": "pkg:npm/%40babel/core@7.26.0"}, {"pkg:npm/%40babel/core": "7.26.0"}),
        (
            {"purl": "pkg:npm/@babel/core@7.26.0"},
            {"pkg:npm/%40babel/core": "7.26.0"},
        ),  # as older tools wrote it
        ({"purl": "pkg:npm/@babel/core", "version": "7"}, {"pkg:npm/%40babel/core": "7"}),
        ({"purl": "pkg:npm/%40esbuild/linux-x64@0.21.5"}, {"pkg:npm/%40esbuild/platform": "0.21.5"}),
        ({"purl": "PKG:NPM/left-pad@1.3.0"}, {"pkg:npm/left-pad": "1.3.0"}),
        ({"purl": "pkg://npm/left-pad@1.3.0"}, {"pkg:npm/left-pad": "1.3.0"}),
        (
            {"purl": "pkg:deb/debian/openssl@3.0.17-1?arch=amd64&distro=debian-12"},
            {"pkg:deb/debian/openssl": "3.0.17-1"},
        ),
        ({"purl": "pkg:deb/debian/libc6@1%3A2.36-9"}, {"pkg:deb/debian/libc6": "1:2.36-9"}),
        ({"purl": "pkg:rpm/fedora/vim@9.1-1.fc41?epoch=2"}, {"pkg:rpm/fedora/vim": "2:9.1-1.fc41"}),
        ({"purl": "pkg:rpm/fedora/vim@9.1-1.fc41?arch=x&epoch=0"}, {"pkg:rpm/fedora/vim": "9.1-1.fc41"}),
        ({"purl": "pkg:deb/debian/stdc%2B%2B@1%2Bb1"}, {"pkg:deb/debian/stdc%2B%2B": "1+b1"}),
        (
            {"purl": "pkg:maven/org.slf4j/slf4j-api@2.0.17?type=jar"},
            {"pkg:maven/org.slf4j/slf4j-api": "2.0.17"},
        ),
        # What stands behind the third part of a module's path is the path of the module all the same.
        (
            {"purl": "pkg:golang/github.com/aws/aws-sdk-go-v2@v1.2.0#service/s3"},
            {"pkg:golang/github.com/aws/aws-sdk-go-v2/service/s3": "v1.2.0"},
        ),
        ({"purl": "pkg:github/actions/checkout@v4#dist"}, {"pkg:github/actions/checkout#dist": "v4"}),
        (
            {"purl": "pkg:npm/shop@git%2Bssh%3A%2F%2Fuser%3AC4n4ry%40git.example%2Fshop"},
            {"pkg:npm/shop": "git+ssh://git.example/shop"},
        ),
        ({"type": "operating-system", "name": "Debian", "version": "12"}, {"os#release": "debian 12"}),
        ({"type": "platform", "name": "Python", "version": "3.12.8"}, {"runtime#python": "3.12.8"}),
        ({"type": "application", "purl": "pkg:generic/nginx@1.27"}, {"pkg:generic/nginx": "1.27"}),
        ({"type": "container", "purl": "pkg:oci/app@sha256%3A00"}, {"pkg:oci/app": "sha256:00"}),
    ],
)
def test_a_component_is_its_package_and_version(component: dict[str, Any], facts: dict[str, str]) -> None:
    section = dependencies(bill(component))
    assert section.facts == facts
    assert (section.status, section.unseen) == ("complete", ())
    assert "C4n4ry" not in str(section)


@pytest.mark.parametrize(
    ("component", "item", "reason", "code"),
    [
        ({"name": "left-pad", "version": "1"}, "pkg:*/left-pad", "not_comparable", "no-purl"),
        ({"name": "core", "group": "@babel"}, "pkg:*/%40babel/core", "not_comparable", "no-purl"),
        (
            {"type": "application", "name": "nginx", "version": "1"},
            "pkg:*/nginx",
            "not_comparable",
            "no-purl",
        ),
        ({"name": " "}, "pkg:*", "not_comparable", "no-purl"),
        ({"name": "n" * 300}, f"pkg:*/{'n' * 200}*", "not_comparable", "no-purl"),
        ({"purl": "pkg:"}, "pkg:*/a", "unsupported", "invalid-purl"),
        ({"purl": "pkg:npm/"}, "pkg:*/a", "malformed", "invalid-purl"),
        ({"purl": "pkg:npm/a@1@2"}, "pkg:*/a", "malformed", "invalid-purl"),
        ({"purl": "pkg:npm/%2e%2e/x@1"}, "pkg:*/a", "malformed", "invalid-purl"),
        ({"purl": "pkg:npm/../x@1"}, "pkg:*/a", "malformed", "invalid-purl"),
        ({"purl": "pkg:npm/a%2Fb@1"}, "pkg:*/a", "malformed", "invalid-purl"),
        ({"purl": "pkg:npm/%ff@1"}, "pkg:*/a", "malformed", "invalid-purl"),
        ({"purl": "pkg:npm/a%00b@1"}, "pkg:*/a", "malformed", "invalid-purl"),
        ({"purl": f"pkg:npm/{'a' * 20_000}@1"}, "pkg:*/a", "malformed", "invalid-purl"),
        ({"purl": f"pkg:npm/{'a' * 600}@1"}, "pkg:*/a", "malformed", "invalid-purl"),
        ({"purl": "https://registry.example/a"}, "pkg:*/a", "malformed", "invalid-purl"),
        ({"purl": "pkg:nmp/a@1"}, "pkg:*/a", "unsupported", "invalid-purl"),
        ({"purl": "pkg:npm/a@1%0A2"}, "pkg:*/a", "malformed", "invalid-purl"),
        ({"purl": "pkg:npm/a@http%3A%2F%2F%20C4n4ry"}, "pkg:*/a", "malformed", "invalid-purl"),
        ({"purl": "pkg:npm/b"}, "pkg:npm/b", "not_in_view", "no-version"),
        ({"type": "operating-system", "name": "C4n4ry of ours"}, "os#release", "malformed", "no-purl"),
    ],
)
def test_what_names_no_package_is_unseen_by_its_name_with_its_place_and_a_warning(
    component: dict[str, Any], item: str, reason: str, code: str
) -> None:
    found = read(bill({"purl": "pkg:npm/b@1"}, component))
    section = found.parts[0].sections["dependencies"]
    (gap,) = section.unseen
    assert (gap.item, gap.reason, section.status) == (item, reason, "partial")
    assert gap.detail.startswith("bom.json/components/1: ")
    assert section.facts == {"pkg:npm/b": "1"}
    assert [warning.partition(":")[0] for warning in found.warnings] == [code]
    assert "C4n4ry" not in str(found)


def test_of_many_gaps_the_first_are_named_and_the_rest_is_one() -> None:
    section = dependencies(bill(*({"name": f"own-{number}"} for number in range(150))))
    assert len(section.unseen) == 101
    assert (section.unseen[-1].item, section.unseen[-1].detail) == ("*", "bom.json: 50 more")


def test_nested_components_are_listed_with_the_scope_around_them() -> None:
    inner = {"type": "library", "name": "c", "purl": "pkg:npm/c@1"}
    own = {"type": "library", "name": "d", "purl": "pkg:npm/d@1", "scope": "excluded"}
    section = dependencies(
        bill(
            {
                "purl": "pkg:npm/b@1",
                "scope": "optional",
                "components": [inner, {**own, "components": [inner]}],
            }
        )
    )
    assert section.facts == {"pkg:npm/b": "1", "pkg:npm/c": "1", "pkg:npm/d": "1"}
    assert section.hints == {
        "pkg:npm/b": {"scope": ["optional"]},
        "pkg:npm/c": {"scope": ["dev", "optional"]},
        "pkg:npm/d": {"scope": ["dev"]},
    }


def test_what_is_required_anywhere_is_not_optional() -> None:
    section = dependencies(bill({"purl": "pkg:npm/b@1", "scope": "optional"}, {"purl": "pkg:npm/b@1"}))
    assert section.hints == {}


def test_two_versions_of_one_package_are_both_kept() -> None:
    section = dependencies(bill({"purl": "pkg:npm/b@2"}, {"purl": "pkg:npm/b@1"}, {"purl": "pkg:npm/b@2"}))
    assert section.facts == {"pkg:npm/b": ["1", "2"]}


def test_own_code_between_the_project_and_its_packages_makes_them_no_less_direct() -> None:
    section = dependencies(
        bill(
            {"type": "application", "name": "package-lock.json", "bom-ref": "lock"},
            {"purl": "pkg:npm/b@1", "bom-ref": "b"},
            {"purl": "pkg:npm/c@1", "bom-ref": "c"},
            metadata={"component": {"type": "application", "name": "shop", "bom-ref": "shop"}},
            dependencies=[
                {"ref": "shop", "dependsOn": ["lock"]},
                {"ref": "lock", "dependsOn": ["b"]},
                {"ref": "b", "dependsOn": ["c"]},
            ],
        )
    )
    assert section.hints == {"pkg:npm/b": {"direct": True}, "pkg:npm/c": {"direct": False}}


def test_services_that_are_called_are_backing_services() -> None:
    services = [
        {"name": "Postgres", "version": "16.3", "endpoints": ["postgresql://user:C4n4ry@db.internal/shop"]},
        {"name": "Mail Gateway", "services": [{"name": "redis", "version": "7.4.1"}]},
        {"name": "<!channel>"},
        {"name": "\u202e"},
    ]
    found = read(bill(services=services))
    section = found.parts[0].sections["backing_services"]
    assert section.facts == {
        "postgres#product": "postgresql",
        "postgres#version": "16.3",
        "mail-gateway#product": "mail-gateway",
        "redis#product": "redis",
        "redis#version": "7.4.1",
        "channel#product": "channel",
    }
    assert "C4n4ry" not in str(found)


def test_a_bill_of_an_image_names_the_image() -> None:
    root = {"type": "container", "name": "registry.example:5000/acme/shop:1.4.2", "version": "sha256:00"}
    (part,) = read(bill(metadata={"component": root})).parts
    assert part.sections["release"].facts == {"image#repository": "acme/shop", "image#tag": "1.4.2"}
    assert part.sections["release"].covers == ("image#repository", "image#tag")
    root = {"type": "container", "name": "acme/shop", "version": "1.4.2"}
    assert read(bill(metadata={"component": root})).parts[0].sections["release"].facts["image#tag"] == "1.4.2"


def test_a_bill_that_calls_itself_incomplete_is() -> None:
    section = dependencies(bill(compositions=[{"aggregate": "incomplete", "assemblies": ["shop"]}]))
    assert (section.status, section.unseen[0].item, section.unseen[0].reason) == (
        "partial",
        "*",
        "not_in_view",
    )
    assert (
        dependencies(bill(compositions=[{"aggregate": "complete", "assemblies": ["shop"]}])).status
        == "complete"
    )


def test_what_is_no_package_is_left_out_with_a_word() -> None:
    found = read(
        bill({"type": "file"}, {"type": "file"}, {"type": "application", "name": "package-lock.json"})
    )
    section = found.parts[0].sections["dependencies"]
    assert (section.facts, section.status) == ({}, "complete")
    assert found.warnings == ("not-compared: components that are no packages: 1 application, 2 file",)


def test_only_ecosystems_that_a_bill_speaks_of_are_covered() -> None:
    section = dependencies(
        bill({"purl": "pkg:npm/b@1"}, {"type": "platform", "name": "node", "version": "20"})
    )
    assert section.covers == ("pkg:npm/*", "runtime#node")


@pytest.mark.parametrize("version", ["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"])
def test_every_version_of_cyclonedx_is_read(version: str) -> None:
    assert dependencies(bill({"purl": "pkg:npm/b@1"}) | {"specVersion": version}).facts == {"pkg:npm/b": "1"}


@pytest.mark.parametrize(
    ("dependencies", "components", "warnings"),
    [
        # Packages of npm that need each other are nothing odd.
        ([{"ref": "b", "dependsOn": ["c"]}, {"ref": "c", "dependsOn": ["b"]}], ["b", "c"], []),
        ([{"ref": "b", "dependsOn": ["gone"]}], ["b"], ["dangling-ref"]),
        ([{"ref": "gone"}], ["b"], ["dangling-ref"]),
        ([], ["b", "b"], ["doubled-ref"]),
    ],
)
def test_a_graph_that_is_odd_changes_no_fact(
    dependencies: list[Any], components: list[str], warnings: list[str]
) -> None:
    listed = [{"purl": "pkg:npm/b@1", "bom-ref": ref} for ref in components]
    found = read(bill(*listed, dependencies=dependencies))
    assert found.parts[0].sections["dependencies"].facts == {"pkg:npm/b": "1"}
    assert [warning.partition(":")[0] for warning in found.warnings] == warnings


# --- SPDX -----------------------------------------------------------------------------------------


def test_relationships_tell_scope_and_who_asks() -> None:
    section = dependencies(
        spdx(
            *({"name": name} for name in ("shop", "b", "c", "d", "e", "f")),
            relationships=[
                ("DOCUMENT", "DESCRIBES", "shop"),
                ("shop", "DEPENDS_ON", "b"),
                ("c", "DEPENDENCY_OF", "b"),
                ("d", "DEV_DEPENDENCY_OF", "shop"),
                ("d", "DEPENDS_ON", "e"),  # what only a tool of development needs is one too
                ("d", "DEPENDS_ON", "c"),  # but this one is needed elsewhere
                ("f", "OPTIONAL_DEPENDENCY_OF", "shop"),
            ],
        )
    )
    assert set(section.facts) == {f"pkg:npm/{name}" for name in "bcdef"}
    assert section.hints == {
        "pkg:npm/b": {"direct": True},
        "pkg:npm/c": {"direct": False},
        "pkg:npm/d": {"direct": True, "scope": ["dev"]},
        "pkg:npm/e": {"direct": False, "scope": ["dev"]},
        "pkg:npm/f": {"direct": True, "scope": ["optional"]},
    }


def test_a_document_that_describes_all_its_packages_leaves_none_out() -> None:
    section = dependencies(spdx({"name": "b"}, {"name": "c"}, documentDescribes=["SPDXRef-b", "SPDXRef-c"]))
    assert set(section.facts) == {"pkg:npm/b", "pkg:npm/c"}


def test_purposes_of_packages_are_understood() -> None:
    (part,) = read(
        spdx(
            {"name": "acme/shop", "versionInfo": "1.4.2", "primaryPackagePurpose": "CONTAINER"},
            {
                "name": "debian",
                "versionInfo": "12",
                "primaryPackagePurpose": "OPERATING-SYSTEM",
                "externalRefs": [],
            },
            {
                "name": "own",
                "externalRefs": [{"referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a"}],
            },
            documentDescribes=["SPDXRef-acme/shop"],
        )
    ).parts
    assert part.sections["release"].facts == {"image#repository": "acme/shop", "image#tag": "1.4.2"}
    assert part.sections["dependencies"].facts == {"os#release": "debian 12"}
    assert [gap.item for gap in part.sections["dependencies"].unseen] == ["pkg:*/own"]


def test_a_version_that_is_not_asserted_is_none() -> None:
    references = [{"referenceType": "purl", "referenceLocator": "pkg:npm/b"}]
    section = dependencies(spdx({"name": "b", "versionInfo": "NOASSERTION", "externalRefs": references}))
    assert (section.facts, section.unseen[0].item) == ({}, "pkg:npm/b")


def test_a_relationship_to_nothing_is_warned_of() -> None:
    relationships = [("b", "DEPENDS_ON", "gone"), ("DOCUMENT", "DESCRIBES", "file")]
    found = read(spdx({"name": "b"}, relationships=relationships, files=[{"SPDXID": "SPDXRef-file"}]))
    assert found.warnings == ("dangling-ref: ends of relationships that name no element: 1",)


# --- what is refused ------------------------------------------------------------------------------


def nested(levels: int) -> str:
    begin, end = '{"type": "file", "name": "a", "components": [', "]}"
    return (
        f'{{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{begin * levels}{end * levels}]}}'
    )


LISTED = '"components": [{"type": "library", "name": "a", "purl": "pkg:npm/b@1"}]'


@pytest.mark.parametrize("said", ['"purl": "pkg:npm/b@1"', '"name": "a"', LISTED])
def test_a_key_that_stands_twice_is_refused(said: str) -> None:
    text = f'{{"bomFormat": "CycloneDX", "specVersion": "1.6", {LISTED}}}'
    assert dependencies(text).facts == {"pkg:npm/b": "1"}
    with pytest.raises(UnseenError, match="duplicate-key"):
        read(text.replace(said, f"{said}, {said.replace('1', '2')}"))


@pytest.mark.parametrize(
    ("document", "reason", "code", "place"),
    [
        (bill() | {"bomFormat": "cyclonedx"}, "malformed", "sbom-format", "/bomFormat"),
        ({"specVersion": "1.6"}, "unsupported", "unsupported-format", ""),
        (bill() | {"specVersion": "9.9"}, "unsupported", "sbom-version", "/specVersion"),
        (bill() | {"specVersion": 1.4}, "unsupported", "sbom-version", "/specVersion"),
        (bill() | {"specVersion": ["1.4"]}, "unsupported", "sbom-version", "/specVersion"),
        ({"bomFormat": "CycloneDX"}, "unsupported", "sbom-version", "/specVersion"),
        (bill({}, {"type": "foo"}), "malformed", "sbom-invalid", "/components/1/type"),
        (bill({}, {"name": None}), "malformed", "sbom-invalid", "/components/1/name"),
        (bill({}, {"name": "C4n4ry" * 2_000_000}), "malformed", "sbom-invalid", "/components/1/name"),
        (bill() | {"components": [{"type": "library"}]}, "malformed", "sbom-invalid", "/components/0"),
        (bill() | {"components": {"C4n4ry": 1}}, "malformed", "sbom-invalid", "/components"),
        (bill({"version": 3}), "malformed", "sbom-invalid", "/components/0/version"),
        (nested(70), "too_large", "too-deep", ""),
        (nested(10_000), "too_large", "too-deep", ""),
        ('{"bomFormat": "CycloneDX",\n "specVersion": C4n4ry}', "malformed", "malformed-json", "line 2"),
        ('{"bomFormat": "CycloneDX", "specVersion": "1.6', "malformed", "malformed-json", "too early"),
        (b'{"bomFormat": "CycloneDX", "services": [{"name": "\xff"}]}', "malformed", "malformed-json", "UTF"),
        ("", "unsupported", "unsupported-format", ""),
        ("C4n4ry", "unsupported", "unsupported-format", "CycloneDX 1.2"),
        ({"spdxVersion": "SPDX-9.9"}, "unsupported", "sbom-version", "/spdxVersion"),
        ({"spdxVersion": None}, "malformed", "sbom-invalid", "/spdxVersion"),
        (spdx({"name": "b"}, {"name": "b"}), "malformed", "sbom-invalid", "/packages"),
        (spdx({"name": "b", "SPDXID": 3}), "malformed", "sbom-invalid", "/packages/0/SPDXID"),
    ],
)  # fmt: skip
def test_a_bill_that_is_not_understood_is_unseen_with_its_place(
    document: bytes | str | dict[str, Any], reason: str, code: str, place: str
) -> None:
    with pytest.raises(UnseenError) as caught:
        read(document)
    assert caught.value.reason == reason
    assert f"[{code}]" in caught.value.detail
    assert place in caught.value.detail
    assert "C4n4ry" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_what_stands_beside_names_and_versions_is_not_copied() -> None:
    canary = {
        "description": "C4n4ry",
        "author": "C4n4ry",
        "properties": [
            {"name": "cdx:npm:package:development", "value": "C4n4ry"},
            {"name": "token", "value": "C4n4ry"},
        ],
        "externalReferences": [{"type": "website", "url": "javascript:alert('C4n4ry')"}],
        "licenses": [{"license": {"name": "C4n4ry"}}],
        "hashes": [{"alg": "SHA-256", "content": "C4n4ry"}],
        "evidence": {"identity": {"methods": [{"value": "C4n4ry"}]}},
        "purl": "pkg:npm/b@1?vcs_url=https%3A%2F%2Fuser:C4n4ry@git.example&checksum=C4n4ry",
    }
    found = read(bill(canary, metadata={"properties": [{"name": "C4n4ry", "value": "C4n4ry"}]}))
    assert found.parts[0].sections["dependencies"].facts == {"pkg:npm/b": "1"}
    assert "C4n4ry" not in str(found)
    found = read(
        spdx({"name": "b", "sourceInfo": "C4n4ry", "downloadLocation": "git+https://C4n4ry@git.example"})
    )
    assert "C4n4ry" not in str(found)


HOSTILE = ("<img src=x onerror=alert(1)>", "=cmd|'/c calc'!A1", "\u202e", "é" * 400, "a/../b", " x ", "%00")


def test_whatever_is_read_of_a_bill_can_be_sent() -> None:
    named = [{"name": name, "group": name, "version": name} for name in HOSTILE]
    others = [{"type": kind, "name": name, "version": name} for kind in KINDS for name in HOSTILE]
    addressed = [{"purl": f"pkg:npm/p{n}@{quote(name, safe='')}"} for n, name in enumerate(HOSTILE)]
    services = [{"name": name, "version": name} for name in HOSTILE]
    (part,) = read(bill(*named, *others, *addressed, services=services)).parts
    observation = Observation(
        environment="prod", service="api", source="ci", observed_at=datetime.now(UTC), sections=part.sections
    )
    (again,) = observations_from(json_document(json.dumps(observation_document(observation)).encode()))
    assert observation_digest(again.sections) == observation_digest(part.sections)


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("cuts", OF_A_HUNDRED_OR_ALL)
def test_a_bill_that_was_cut_is_refused(name: str, cuts: Cuts, record_property: Record) -> None:
    for data in cuts((FILES / name).read_bytes().rstrip(), record_property):
        with pytest.raises(UnseenError):
            read(data, name)


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("flips", SOME_FLIPS_OR_MANY)
def test_a_bill_with_a_wrong_bit_is_read_or_refused_in_our_words(
    name: str, flips: Cuts, record_property: Record
) -> None:
    for data in flips((FILES / name).read_bytes(), record_property):
        try:
            section = dependencies(data, name)
        except UnseenError:
            continue  # anything else is a defect
        assert section.status == ("partial" if section.unseen else "complete")


BILLS = [
    "bom.json",
    "staging.cdx.json",
    "prod/bom.xml",
    "shop.spdx.json",
    "shop.spdx",
    "shop-sbom.json",
    "SBOM.json",
]
OTHERS = ["package.json", "bomb.json", "prod.parity.json", "requirements.txt"]


def test_a_bill_is_known_by_the_names_that_its_tools_suggest() -> None:
    assert [name for name in (*BILLS, *OTHERS) if SbomReader().matches(name)] == BILLS
