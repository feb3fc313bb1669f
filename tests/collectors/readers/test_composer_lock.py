"""composer.lock: its packages are those that `composer show --locked` lists."""

import json
from pathlib import Path

import pytest

from detector.errors import UnseenError
from tests.collectors.readers.pinned import COMMIT, grouped, pins, section, written
from tests.collectors.readers.projects import CANARY, composer

NAME = "composer.lock"


def test_the_packages_are_those_that_composer_lists(tmp_path: Path) -> None:
    lock, listed = composer.locked(tmp_path)
    found = section(lock.read_bytes(), NAME)
    assert found.status == "complete"
    assert pins(found) == grouped(listed)
    assert CANARY in lock.read_text()
    assert CANARY not in str(found)


def test_what_only_development_needs_is_told() -> None:
    hints = written("composer/composer.lock").hints
    assert hints == {"pkg:composer/acme/check": {"scope": ["dev"]}}


def lock_of(*packages: object, **more: object) -> str:
    return json.dumps({"content-hash": "0", "packages": packages, "packages-dev": [], "platform": [], **more})


@pytest.mark.parametrize(
    ("package", "version"),
    [
        (
            {
                "version": "v2.1.0",
                "source": {"type": "git", "url": "https://C4n4ry@git.example/a", "reference": COMMIT},
            },
            "v2.1.0",
        ),
        (
            {
                "version": "dev-main",
                "source": {"type": "git", "url": "git@github.com:Acme/A.git", "reference": COMMIT},
            },
            f"git+github.com/acme/a@{COMMIT}",
        ),
        (
            {
                "version": "2.x-dev",
                "source": {"type": "git", "url": "https://C4n4ry@git.example/a", "reference": COMMIT},
            },
            f"git+git.example/a@{COMMIT}",
        ),
        (
            {
                "version": "dev-main",
                "dist": {
                    "type": "zip",
                    "url": f"https://C4n4ry@registry.example/{COMMIT}?C4n4ry",
                    "reference": COMMIT,
                },
            },
            f"https://registry.example/{COMMIT}@{COMMIT}",
        ),
        (
            {"version": "dev-main", "dist": {"type": "zip", "url": "https://C4n4ry@registry.example/x"}},
            "dev-main",
        ),
        ({"version": "dev-main"}, "dev-main"),
        ({"version": "1.0", "dist": {"type": "path", "url": "../a?C4n4ry"}}, "file:../a"),
    ],
)
def test_a_branch_is_its_address_and_commit_without_credentials(
    package: dict[str, object], version: str
) -> None:
    found = section(lock_of({"name": "Acme/A", **package}), NAME)
    assert pins(found) == {"pkg:composer/acme/a": version}
    assert CANARY not in str(found)


@pytest.mark.parametrize(
    "text",
    [
        lock_of({"name": "acme/a"}),  # no version
        lock_of({"name": "C4n4ry", "version": "1.0"}),  # no vendor
        lock_of({"name": "acme/a", "version": "C4n4ry C4n4ry"}),
        lock_of("C4n4ry"),
        lock_of(**{"packages-dev": "C4n4ry"}),
    ],
)
def test_what_is_no_package_is_unseen(text: str) -> None:
    found = section(text, NAME)
    assert (found.status, pins(found)) == ("partial", {})
    assert CANARY not in str(found)


@pytest.mark.parametrize("text", ["{}", '{"packages": {}}', "[]", '{"packages": [', "[" * 100_000])
def test_what_is_no_lockfile_is_refused(text: str) -> None:
    with pytest.raises(UnseenError, match=NAME):
        section(text, NAME)
