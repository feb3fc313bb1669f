"""The bill of materials of an environment: valid, and read back as what it was written from."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from collectors.readers.sbom import SbomReader
from detector.engine.view import View
from detector.model.facts import Section, Unseen, Value
from detector.model.fingerprints import Fingerprinter
from detector.model.words import Basis
from detector.queries.bom import bill_of
from detector.queries.files import FileState, view_of_files
from detector.reader import Part, Read

NOW = datetime(2026, 11, 22, 9, 28, 14, tzinfo=UTC)
DIGEST = f"sha256:{'0f' * 32}"
#: Item -> value, and hints where there are any: everything that a bill has a place for.
DEPENDENCIES: dict[str, Value] = {
    "pkg:pypi/django": "5.2.8",
    "pkg:pypi/pytest": "9.2.0",
    "pkg:npm/%40babel/core": ["7.24.0", "7.25.2"],
    "pkg:npm/%40esbuild/platform": "0.21.5",
    "pkg:npm/left-pad": "git+github.com/acme/left-pad@0123456789abcdef0123456789abcdef01234567",
    "pkg:deb/debian/libc6": "1:2.36-9+deb12u10",
    "pkg:deb/debian/libstdc%2B%2B6": "12.2.0-14",
    "pkg:golang/github.com/aws/aws-sdk-go-v2/service/s3": "v1.2.0",
    "pkg:github/actions/checkout#dist": "v4",
    "pkg:maven/org.slf4j/slf4j-api": "2.0.17",
    "os#release": "debian 12",
    "runtime#python": "3.12.8",
}
HINTS: dict[str, dict[str, Any]] = {
    "pkg:pypi/pytest": {"scope": ["dev"]},
    "pkg:npm/left-pad": {"scope": ["optional"]},
    "pkg:npm/%40esbuild/platform": {"platform": "linux-x64"},
}
SERVERS: dict[str, Value] = {"main#product": "postgresql", "main#version": "16.3", "cache#product": "redis"}
IMAGE: dict[str, Value] = {"image#repository": "acme/api", "image#tag": "1.4.2", "image#digest": DIGEST}


def section(facts: Mapping[str, Value], **more: Any) -> Section:
    basis: Basis = "running"
    return Section(basis=basis, facts=facts, **more)


def view(service: str, **sections: Section) -> View:
    named: Any = sections
    state = FileState(expression="prod", parts=(Part(sections=named),))
    return view_of_files(state, service, now=NOW)[1]


def shop() -> dict[str, View]:
    return {
        "api": view(
            "api",
            dependencies=section({**DEPENDENCIES, "lockfile#pypi": "00"}, hints=HINTS),
            backing_services=section(SERVERS),
            release=section(IMAGE),
            config=section({"TOKEN": {"type": "text", "fingerprint": "k1:c4n4ry"}}),
        ),
        "worker": view("worker", dependencies=section({"pkg:pypi/django": "5.2.8"})),
    }


def read_back(bill: Mapping[str, Any]) -> Read:
    return SbomReader().read(json.dumps(bill).encode(), "prod.cdx.json", Fingerprinter(b"k" * 32))


def checked(bill: Mapping[str, Any]) -> Mapping[str, Any]:
    """A bill that the schema of CycloneDX 1.6 allows."""
    found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill))
    assert found is None, repr(found)
    # The schema cannot say these two.
    inside = [part for component in bill["components"] for part in component["components"]]
    refs = [each["bom-ref"] for each in (*bill["components"], *inside, *bill["services"])]
    refs.append(bill["metadata"]["component"]["bom-ref"])
    assert len(set(refs)) == len(refs)
    needed = {ref for entry in bill["dependencies"] for ref in (entry["ref"], *entry["dependsOn"])}
    assert needed <= set(refs)
    return bill


def test_a_bill_is_valid_and_read_back_as_the_same_items() -> None:
    bill = checked(bill_of("prod", shop(), at=NOW, snapshot=241))
    api, worker = read_back(bill).parts
    assert (api.service, worker.service) == ("api", "worker")
    assert api.sections["dependencies"].facts == DEPENDENCIES
    assert api.sections["dependencies"].hints == HINTS
    assert api.sections["dependencies"].status == "complete"
    assert api.sections["backing_services"].facts == SERVERS
    assert api.sections["release"].facts == IMAGE
    assert worker.sections["dependencies"].facts == {"pkg:pypi/django": "5.2.8"}
    assert "backing_services" not in worker.sections
    assert read_back(bill).warnings == ()
    assert "c4n4ry" not in json.dumps(bill)
    assert "TOKEN" not in json.dumps(bill)


def test_a_bill_says_where_and_when_it_is_of_and_who_needs_what() -> None:
    bill = bill_of("prod", shop(), at=NOW, snapshot=241)
    metadata = bill["metadata"]
    assert metadata["component"] == {"type": "platform", "bom-ref": "prod", "name": "prod"}
    assert metadata["timestamp"] == "2026-11-22T09:28:14Z"
    assert {"name": "parity:snapshot", "value": "241"} in metadata["properties"]
    api = bill["components"][0]
    assert (api["name"], api["version"]) == ("api", "1.4.2")
    purls = {part["purl"] for part in api["components"] if "purl" in part}
    assert {"pkg:npm/%40esbuild/linux-x64@0.21.5", "pkg:deb/debian/libc6@1:2.36-9+deb12u10"} < purls
    (image,) = [part for part in api["components"] if part["type"] == "container"]
    assert image["hashes"] == [{"alg": "SHA-256", "content": "0f" * 32}]
    assert bill["dependencies"][:2] == [
        {"ref": "prod", "dependsOn": ["prod/api", "prod/worker"]},
        {"ref": "prod/api", "dependsOn": ["prod/api/backing/cache@redis", "prod/api/backing/main@16.3"]},
    ]


def test_the_same_inventory_has_the_same_number() -> None:
    later = datetime(2026, 11, 23, tzinfo=UTC)
    assert (
        bill_of("prod", shop(), at=NOW)["serialNumber"] == bill_of("prod", shop(), at=later)["serialNumber"]
    )
    one = {name: each for name, each in shop().items() if name == "api"}
    assert bill_of("prod", one, at=NOW)["serialNumber"] != bill_of("prod", shop(), at=NOW)["serialNumber"]


PARTIAL = section(
    {"pkg:pypi/django": "5"}, status="partial", unseen=(Unseen(item="pkg:npm/*", reason="denied"),)
)


@pytest.mark.parametrize("seen", [{"dependencies": PARTIAL}, {"release": section(IMAGE)}])
def test_what_was_not_seen_is_no_part_that_is_missing(seen: dict[str, Section]) -> None:
    bill = checked(bill_of("prod", {"api": view("api", **seen)} | {"worker": shop()["worker"]}, at=NOW))
    assert bill["compositions"] == [{"aggregate": "incomplete", "assemblies": ["prod/api"]}]
    api, worker = read_back(bill).parts
    assert api.sections["dependencies"].status == "partial"
    assert worker.sections["dependencies"].status == "complete"


def test_versions_of_replicas_are_all_listed() -> None:
    facts: dict[str, Value] = {"pkg:pypi/django": {"values": {"5.2.8": 2, "5.2.7": 1}}}
    servers: dict[str, Value] = {"main#product": "redis", "main#version": {"values": {"7.2": 1, "7.4": 1}}}
    mixed = view("api", dependencies=section(facts), backing_services=section(servers))
    (part,) = read_back(checked(bill_of("prod", {"api": mixed}, at=NOW))).parts
    assert part.sections["dependencies"].facts == {"pkg:pypi/django": ["5.2.7", "5.2.8"]}
    assert part.sections["backing_services"].facts["main#version"] == ["7.2", "7.4"]


@pytest.mark.parametrize("name", ["prod", "api"])
def test_a_service_may_be_called_as_its_environment_or_as_a_server(name: str) -> None:
    views = {name: view(name, backing_services=section({f"{name}#product": "redis"}))}
    (part,) = read_back(checked(bill_of("prod", views, at=NOW))).parts
    assert part.sections["backing_services"].facts == {f"{name}#product": "redis"}


def test_an_environment_without_services_has_a_bill() -> None:
    assert read_back(checked(bill_of("prod", {}, at=NOW))).parts == ()
