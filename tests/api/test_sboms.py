"""Bills of materials sent to the address of a stream."""

import asyncio
import gzip
import io
import threading
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import ClientResponse

from collectors.readers import sbom
from detector.reader import Read
from tests.api.house import House

PUSH = "/api/v1/environments/staging/services/checkout/observations/ci"
CYCLONEDX = "application/vnd.cyclonedx+json"
SPDX = "application/spdx+json"
XML = "application/vnd.cyclonedx+xml"
IN_TOTO = "application/vnd.in-toto+json"
CANARY = "canary-7f3a91"
FILES = Path(__file__).parents[1] / "collectors" / "readers" / "sboms"


def bill(*components: dict[str, Any], **more: Any) -> dict[str, Any]:
    listed = [{"type": "library", "name": "a", **component} for component in components]
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": listed, **more}


def document(*names: str, **more: Any) -> dict[str, Any]:
    packages = [
        {
            "SPDXID": f"SPDXRef-{name}",
            "name": name,
            "externalRefs": [{"referenceType": "purl", "referenceLocator": f"pkg:npm/{name}@1.0.0"}],
        }
        for name in names
    ]
    return {"spdxVersion": "SPDX-2.3", "packages": packages, **more}


async def push(here: House, body: Any, media_type: str = CYCLONEDX, **more: Any) -> ClientResponse:
    data = io.BytesIO(body if isinstance(body, bytes) else orjson.dumps(body))
    headers = {"Content-Type": media_type, **more.pop("headers", {})}
    return await here.ask(
        "PUT", more.pop("path", PUSH), who=more.pop("who", "push"), headers=headers, data=data
    )


async def told(response: ClientResponse) -> tuple[int, str]:
    found = await response.json(content_type=None)
    return response.status, found["type"].removeprefix("/problems/")


async def history(here: House, item: str) -> list[Any]:
    found = await here.json(f"/api/v1/services/checkout/items/{item.replace('/', '%2F')}/history")
    return [row["value"] for row in found["items"]]


@pytest.mark.parametrize(
    ("name", "media_type"), [("npm.cdx.json", CYCLONEDX), ("npm.spdx.json", f"{SPDX}; charset=utf-8")]
)
async def test_a_bill_is_recorded_as_what_was_built(empty: House, name: str, media_type: str) -> None:
    response = await push(empty, (FILES / name).read_bytes(), media_type)
    answer = await response.json()
    assert (response.status, answer["changed"], answer["snapshot"]) == (200, True, 1)
    assert await history(empty, "pkg:npm/debug") == [["2.6.9", "4.3.4"]]
    packed = gzip.compress((FILES / name).read_bytes())
    again = await (await push(empty, packed, media_type, headers={"Content-Encoding": "gzip"})).json()
    assert (again["changed"], again["digest"]) == (False, answer["digest"])
    unchanged = await empty.ask("PUT", PUSH, who="push", headers={"If-Match": f'"{answer["digest"]}"'})
    assert unchanged.status == 204


REFUSED: list[tuple[Any, str, int, str]] = [
    (bill() | {"bomFormat": "cyclonedx"}, CYCLONEDX, 422, "sbom-format"),
    ({"specVersion": "1.6"}, CYCLONEDX, 422, "sbom-format"),
    (bill() | {"specVersion": "9.9"}, CYCLONEDX, 422, "sbom-version"),
    (bill() | {"specVersion": 1.4}, CYCLONEDX, 422, "sbom-version"),
    (bill() | {"components": [{"type": "library"}]}, CYCLONEDX, 422, "sbom-invalid"),
    (bill({"type": "foo"}), CYCLONEDX, 422, "sbom-invalid"),
    (bill({"name": CANARY * 500_000}), CYCLONEDX, 422, "sbom-invalid"),
    (
        b'{"bomFormat":"CycloneDX","specVersion":"1.6","components":['
        + b'{"type":"file","name":"a","components":[' * 10_000
        + b"]}" * 10_000
        + b"]}",
        CYCLONEDX,
        400,
        "too-deep",
    ),
    (b"<bom/>", CYCLONEDX, 400, "malformed-json"),
    (b"<bom/>", "application/json", 400, "malformed-json"),
    (b'{"bomFormat":"CycloneDX","specVersion":"1.6","specVersion":', CYCLONEDX, 400, "malformed-json"),
    (
        b'{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"file","name":"a","name":"b"}]}',
        CYCLONEDX,
        400,
        "duplicate-key",
    ),
    (b"\x0a\x03", "application/x.vnd.cyclonedx+protobuf", 415, "unsupported-format"),
    ({"@context": "https://spdx.org/rdf/3.0.1/c.jsonld", "@graph": []}, SPDX, 415, "unsupported-format"),
    (b'<!DOCTYPE bom [<!ENTITY a "aaaaaaaaaa">]><bom>&a;</bom>', XML, 422, "xml-dtd-refused"),
    (b"<bom><components></bom>", XML, 400, "malformed-xml"),
    (bill(), XML, 415, "unsupported-media-type"),
    ({"payloadType": "application/vnd.in-toto+json", "payload": "not base64"}, IN_TOTO, 422, "sbom-invalid"),
    ({"predicateType": "https://slsa.dev/provenance/v1"}, IN_TOTO, 415, "unsupported-format"),
    (b"no tags", "text/spdx", 422, "sbom-invalid"),
    (b"a,b", "text/csv", 415, "unsupported-media-type"),
    (bill(), "application/json", 415, "unsupported-media-type"),
    ({"packages": []}, SPDX, 422, "sbom-invalid"),
    (document() | {"spdxVersion": "SPDX-9.9"}, SPDX, 422, "sbom-version"),
    (document("b", "b"), SPDX, 422, "sbom-invalid"),
    (b"x" * (33 * 2**20), CYCLONEDX, 413, "payload-too-large"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "media_type", "status", "slug"), REFUSED)
async def test_a_bill_that_is_not_understood_is_refused_with_its_kind(
    empty: House, body: Any, media_type: str, status: int, slug: str
) -> None:
    response = await push(empty, body, media_type)
    assert await told(response) == (status, slug)
    text = await response.text()
    assert CANARY not in text
    if status == 415:
        assert "cyclonedx" in text.lower() or "JSON" in text


async def test_places_in_a_bill_are_named(empty: House) -> None:
    response = await push(empty, bill({}, {"type": "foo"}))
    errors = (await response.json(content_type=None))["errors"]
    assert [error["pointer"] for error in errors] == ["/components/1/type"]


#: What a page, a shell, a spreadsheet, a chat or a terminal would take for more than a name.
HOSTILE = ("<img src=x onerror=alert(1)>", "=cmd|'/c calc'!A1", "<!channel>", "\u202e")
NO_PURLS = ("pkg:", "pkg:npm/", "pkg:npm/a@1@2", "pkg:npm/%2e%2e/x", "p" * 20_000)
B = {"purl": "pkg:npm/b@1"}
TO_NOTHING = {
    "spdxElementId": "SPDXRef-b",
    "relationshipType": "DEPENDS_ON",
    "relatedSpdxElement": "SPDXRef-c",
}
ODD: list[tuple[Any, str, list[str]]] = [
    (bill(B, dependencies=[{"ref": "a", "dependsOn": ["a"]}]), CYCLONEDX, ["dangling-ref"]),
    (bill(B | {"bom-ref": "b"}, {"purl": "pkg:npm/c@1", "bom-ref": "b"}), CYCLONEDX, ["doubled-ref"]),
    (bill(*({"purl": purl} for purl in NO_PURLS)), CYCLONEDX, ["invalid-purl"]),
    (bill(*({"name": name, "version": "1"} for name in HOSTILE)), CYCLONEDX, ["no-purl"]),
    (bill(B | {"externalReferences": [{"type": "vcs", "url": f"javascript:{CANARY}"}]}), CYCLONEDX, []),
    (bill(B | {"properties": [{"name": "token", "value": CANARY}]}), CYCLONEDX, []),
    (document("b", relationships=[TO_NOTHING]), SPDX, ["dangling-ref"]),
]


@pytest.mark.parametrize(("body", "media_type", "codes"), ODD)
async def test_what_is_odd_in_a_bill_is_taken_with_a_warning(
    empty: House, body: Any, media_type: str, codes: list[str]
) -> None:
    response = await push(empty, body, media_type)
    answer = await response.json()
    assert response.status == 200
    given = [warning.partition(":")[0] for warning in answer["warnings"]]
    assert [code for code in given if code != "unconfigured"] == codes
    everything = await (await empty.ask("GET", "/api/v1/export", who="read")).text()
    assert CANARY not in everything
    assert "<img" not in everything


async def test_two_versions_of_one_package_are_both_kept(empty: House) -> None:
    await push(empty, bill({"purl": "pkg:npm/b@1"}, {"purl": "pkg:npm/b@2"}))
    assert await history(empty, "pkg:npm/b") == [["1", "2"]]


async def test_a_token_of_another_service_may_not_push_a_bill(empty: House) -> None:
    path = PUSH.replace("staging", "prod-eu").replace("checkout", "search")
    response = await push(empty, bill({"purl": "pkg:npm/b@1"}), path=path, who="push-one")
    assert response.status == 403


async def test_a_bill_is_read_beside_the_loop(empty: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop goes on while a bill is read: the reader waits for what only the loop can do."""
    asked = threading.Event()
    loop = asyncio.get_running_loop()
    reading = asyncio.Event()

    def slowly(self: Any, data: bytes, media_type: str) -> Read:
        loop.call_soon_threadsafe(reading.set)
        assert asked.wait(30)
        return Read(parts=())

    monkeypatch.setattr(sbom.SbomReader, "read_sent", slowly)
    pushing = asyncio.ensure_future(push(empty, bill()))
    await reading.wait()
    assert (await empty.ask("GET", "/livez")).status == 200
    asked.set()
    assert (await pushing).status == 422


async def test_every_media_type_of_a_bill_is_documented(empty: House) -> None:
    described = await empty.json("/api/v1/openapi.json")
    path = "/api/v1/environments/{environment}/services/{service}/observations/{source}"
    assert {*sbom.SbomReader.MEDIA_TYPES} < {*described["paths"][path]["put"]["requestBody"]["content"]}


async def test_a_snapshot_is_a_bill_too_and_sent_back_it_is_the_same(empty: House) -> None:
    await push(empty, (FILES / "npm.cdx.json").read_bytes())
    first = "/api/v1/environments/staging/snapshots/1"
    response = await empty.ask("GET", first, headers={"Accept": CYCLONEDX})
    assert (response.status, response.content_type) == (200, CYCLONEDX)
    bill = await response.read()
    again = await empty.ask(
        "GET", first, headers={"Accept": CYCLONEDX, "If-None-Match": response.headers["ETag"]}
    )
    assert again.status == 304
    other = "/api/v1/environments/prod-eu/services/checkout/observations/ci"
    assert (await push(empty, bill, path=other, who="push-one")).status == 200
    document = await empty.json(
        "/api/v1/diff?left=staging&right=prod-eu&service=checkout&section=dependencies"
    )
    assert [item for item in document["items"] if item["kind"] == "difference"] == []
    assert document["summary"]["in_sync"] > 20
    assert "json" in (await empty.ask("GET", first)).content_type
    assert (await empty.ask("GET", first, headers={"Accept": "text/csv"})).status == 406
    missing = await empty.ask("GET", first.replace("/1", "/9"), headers={"Accept": CYCLONEDX})
    assert missing.status == 404
    foreign = await push(empty, bill, path=other.replace("checkout", "search"), who="admin")
    assert await told(foreign) == (422, "validation-failed")
