"""Packages that Composer installed, with `composer show` as judge."""

import json
from pathlib import Path

import pytest

from collectors.readers.installed import installed
from collectors.readers.installed.reader import InstalledReader
from detector.model.facts import Section
from tests.collectors.readers.installed.trees import Files, tree_of
from tests.collectors.readers.projects import run, write

RECORD = "/app/vendor/composer/installed.json"


def read(files: Files) -> Section:
    return installed(tree_of(files), "built")


def test_a_real_vendor_folder_is_what_composer_lists(tmp_path: Path) -> None:
    meta = {"type": "metapackage"}
    packages = [
        {"name": "acme/log", "version": "v2.1.0", **meta, "require": {"acme/base": "^1"}},
        {"name": "acme/base", "version": "1.0.0-RC1", **meta},
        {"name": "acme/check", "version": "3.0.0", **meta},
    ]
    document = {
        "name": "acme/shop",
        "repositories": [{"packagist": False}, {"type": "package", "package": packages}],  # no default one
        "require": {"acme/log": "^2", "acme/base": "^1@RC"},
        "require-dev": {"acme/check": "^3"},
    }
    shop = write(tmp_path / "shop", {"composer.json": json.dumps(document)})
    env = {"COMPOSER_ALLOW_SUPERUSER": "1", "COMPOSER_NO_INTERACTION": "1"}
    run(shop, "composer", "update", "--quiet", env=env)
    listed = json.loads(run(shop, "composer", "show", "--format=json", env=env))["installed"]
    section = InstalledReader().installed(shop).parts[0].sections["dependencies"]
    assert section.facts == {f"pkg:composer/{one['name'].lower()}": one["version"] for one in listed}
    assert len(section.facts) == 3
    assert (section.status, section.covers) == ("complete", ("pkg:composer/*",))


COMMIT = "0123456789abcdef0123456789abcdef01234567"
BRANCH = {
    "name": "acme/branch",
    "version": "dev-main",
    "source": {"type": "git", "url": "https://C4n4ry@git.example/acme/branch.git", "reference": COMMIT},
}


@pytest.mark.parametrize(
    "wrap", [lambda packages: {"packages": packages, "dev": True}, lambda packages: packages]
)
def test_both_forms_of_the_record_are_read(wrap: object) -> None:
    assert callable(wrap)
    section = read({RECORD: json.dumps(wrap([BRANCH, {"name": "acme/log", "version": "2.0.0"}]))})
    assert section.facts == {
        "pkg:composer/acme/branch": f"git+git.example/acme/branch@{COMMIT}",
        "pkg:composer/acme/log": "2.0.0",
    }
    assert "C4n4ry" not in repr(section)


@pytest.mark.parametrize(
    "text",
    ["", "{", "1", '{"packages": {}}', "[1]", '[{"name": "C4n4ry x"}]', '[{"name": "a/b", "version": 1}]'],
)
def test_a_record_that_is_none_hides_absence(text: str) -> None:
    section = read({RECORD: text})
    assert [(part.item, part.reason) for part in section.unseen] == [("pkg:composer/*", "malformed")]
    assert section.covers == ("pkg:composer/*",)
    assert RECORD in section.unseen[0].detail
    assert "C4n4ry" not in repr(section)


def test_other_files_of_that_name_and_caches_say_nothing() -> None:
    other = {"/app/installed.json": "{", "/u/.cache/composer/installed.json": "[]"}
    assert read(other) == read({})
