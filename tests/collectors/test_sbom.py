"""The collector of bills of materials: whose they are, and what it says of one that it cannot read."""

import json
from pathlib import Path
from typing import Any

import pytest

from collectors.sbom import SbomCollector, SbomOptions
from detector.collector import Collected
from detector.errors import UnseenError
from tests.collectors.lent import context


async def collected(folder: Path, document: Any, service: str = "api", **options: Any) -> Collected:
    (folder / "bom.json").write_text(document if isinstance(document, str) else json.dumps(document))
    given = SbomOptions(path=Path("bom.json"), **options)
    return await SbomCollector().collect(given, context(service, folder=folder))


BILL = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "components": [
        {"type": "library", "name": "b", "purl": "pkg:npm/b@1"},
        {"type": "library", "name": "own"},
    ],
    "services": [{"name": "redis", "version": "7.4.1"}],
    "metadata": {"component": {"type": "container", "name": "acme/api", "version": "1.4.2"}},
}


async def test_a_bill_is_seen_whole(tmp_path: Path) -> None:
    found = await collected(tmp_path, BILL, component="web")
    (seen,) = found.seen
    assert set(seen.sections) == set(SbomCollector.sections)
    assert {section.basis for section in seen.sections.values()} == {SbomCollector.basis}
    assert (seen.service, seen.component) == (None, "web")
    assert seen.sections["dependencies"].facts == {"pkg:npm/b": "1"}
    assert [warning.partition(":")[0] for warning in found.warnings] == ["no-purl"]


async def test_a_bill_that_is_none_is_unseen_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(UnseenError, match=r"unsupported: bom\.json: .*CycloneDX"):
        await collected(tmp_path, "C4n4ry")
