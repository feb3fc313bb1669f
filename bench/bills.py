"""S1: a bill of materials, from its bytes to packages and versions."""

import random
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import orjson
from cyclonedx.model.bom import Bom
from packageurl import PackageURL

from bench.measuring import Contender, Goal, Limit, Work
from collectors.readers.sbom import SbomReader
from detector.model.facts import Value
from detector.model.fingerprints import Fingerprinter

_SEED: Final = 1
#: The goal speaks of so many seconds for so many components.
_SECONDS: Final = 0.025
_COMPONENTS: Final = 5_000


def read(count: int) -> Iterator[Work]:
    """Yield S1. What is measured is a bill whose packages were met before, as every bill but the first is."""
    bill = _bill(count)
    yield Work(
        number="S1",
        title=f"a bill of {count:,} components",
        ours=Contender(name="parity", run=partial(_by_parity, bill), answer=dict),
        rivals=(
            Contender(name="orjson and packageurl", run=partial(_by_orjson, bill), answer=dict),
            Contender(name="cyclonedx-python-lib", run=partial(_by_library, bill), answer=dict),
        ),
        goals=(
            Goal(against="cyclonedx-python-lib", ratio=100),
            Limit(figure="cpu", most=_SECONDS * count / _COMPONENTS),
        ),
    )


def _by_parity(bill: bytes) -> dict[str, Value]:
    (part,) = SbomReader().read(bill, "bom.json", Fingerprinter(bytes(32))).parts
    return dict(part.sections["dependencies"].facts)


def _by_orjson(bill: bytes) -> dict[str, Value]:
    """Return the same by hand: a tree of everything, and each package URL parsed."""
    purls = (PackageURL.from_string(each["purl"]) for each in orjson.loads(bill)["components"])
    return {f"pkg:npm/{purl.name}": purl.version for purl in purls}


def _by_library(bill: bytes) -> dict[str, Value]:
    components: Any = Bom.from_json(orjson.loads(bill)).components  # type: ignore[attr-defined]
    return {f"pkg:npm/{each.purl.name}": each.purl.version for each in components}


def _bill(count: int) -> bytes:
    """Return a bill as npm writes one, with all that is skipped of it."""
    choose = random.Random(_SEED)
    names = [f"package-{number}" for number in range(count)]
    components = [
        {
            "bom-ref": f"{name}@1.{number % 50}.0",
            "type": "library",
            "name": name,
            "version": f"1.{number % 50}.0",
            "scope": "required",
            "purl": f"pkg:npm/{name}@1.{number % 50}.0",
            "properties": [{"name": "cdx:npm:package:path", "value": f"node_modules/{name}"}],
            "externalReferences": [{"type": "distribution", "url": f"https://registry.example/{name}.tgz"}],
            "hashes": [{"alg": "SHA-512", "content": choose.randbytes(64).hex()}],
            "licenses": [{"license": {"id": "MIT"}}],
        }
        for number, name in enumerate(names)
    ]
    refs = [component["bom-ref"] for component in components]
    depends = [{"ref": ref, "dependsOn": choose.sample(refs, 2)} for ref in refs]
    root = {"type": "application", "bom-ref": "shop@1", "name": "shop"}
    return orjson.dumps(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.5",
            "metadata": {"component": root},
            "components": components,
            "dependencies": [{"ref": "shop@1", "dependsOn": refs[: count // 10]}, *depends],
        }
    )
