"""Lockfiles of Yarn, pnpm and Bun: which parser, who asks for what, where a package is from."""

import json
from pathlib import Path
from typing import Any

import pytest

from collectors.readers.lockfile import LockfileReader
from detector.errors import UnseenError
from detector.model.facts import Section
from detector.model.fingerprints import Fingerprinter
from detector.reader import Read, nothing_beside

FINGERPRINTER = Fingerprinter(b"k" * 32)
FILES = Path(__file__).parent / "lockfiles"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
SHOP = f"git+github.com/acme/shop@{COMMIT}"


def read(text: str | bytes, name: str, package_json: dict[str, Any] | None = None) -> Read:
    def beside(path: str) -> bytes:
        if path != "package.json" or package_json is None:
            return nothing_beside(path)
        return json.dumps(package_json).encode()

    data = text.encode() if isinstance(text, str) else text
    return LockfileReader().read_beside(data, name, FINGERPRINTER, beside)


def dependencies(text: str | bytes, name: str, package_json: dict[str, Any] | None = None) -> Section:
    return read(text, name, package_json).parts[0].sections["dependencies"]


def pins(section: Section) -> dict[str, object]:
    return {item: value for item, value in section.facts.items() if item.startswith("pkg:")}


def written(name: str) -> Section:
    beside = json.loads((FILES / name).with_name("package.json").read_text())
    return dependencies((FILES / name).read_bytes(), name.rpartition("/")[2], beside)


WRITTEN = [
    "npm-8/package-lock.json",
    "npm-11/package-lock.json",
    "yarn-1/yarn.lock",
    "yarn-berry-3/yarn.lock",
    "yarn-berry-4/yarn.lock",
    "pnpm-7/pnpm-lock.yaml",
    "pnpm-8/pnpm-lock.yaml",
    "pnpm-10/pnpm-lock.yaml",
    "bun/bun.lock",
]


@pytest.mark.parametrize("name", WRITTEN)
def test_whichever_tool_locked_a_project_it_says_the_same_of_scope_platform_and_who_asks(name: str) -> None:
    hints = written(name).hints
    assert hints["pkg:npm/debug"] == {"scope": ["dev"], "direct": True}
    assert hints["pkg:npm/react"] == {"direct": True}
    assert hints["pkg:npm/js-tokens"] == {"direct": False}
    # What it is packed for stands in its name.
    assert hints["pkg:npm/%40esbuild/platform"] == {"scope": ["optional"], "direct": False}
    fsevents = hints["pkg:npm/fsevents"]
    assert fsevents == {"scope": ["optional"], "direct": True} | (
        {} if "yarn-1" in name else {"platform": "darwin"}
    )


def test_yarn_without_the_projects_own_file_says_that_scopes_are_not_known() -> None:
    for name in ("yarn-1/yarn.lock", "yarn-berry-4/yarn.lock"):
        found = read((FILES / name).read_bytes(), "yarn.lock")
        section = found.parts[0].sections["dependencies"]
        assert section.status == "complete"
        assert "scope" not in section.hints.get("pkg:npm/debug", {})
        assert "package.json" in found.warnings[0]


CLASSIC = "# yarn lockfile v1\n\n\n{entries}"
GIT = "git+ssh://C4n4ry@github.com/acme/shop"
PATCHED = "a@patch:a@npm%3A1.4.2#./fix.patch::version=1.4.2&hash=0123456"
FROM_GIT = f"lib@https://C4n4ry@github.com/acme/shop.git#commit={COMMIT}"
DANGLING = '"a@npm:1":\n  version: 1.0.0\n  resolution: "a@npm:1.0.0"\n  dependencies:\n    b: "npm:1"\n'


@pytest.mark.parametrize(
    ("entry", "facts"),
    [
        ('a@^1.0.0, "a@>= 1, < 2":\n  version "1.4.2"\n', {"pkg:npm/a": "1.4.2"}),
        ('"@acme/ui@1":\n  version "1.4.2"\n', {"pkg:npm/%40acme/ui": "1.4.2"}),
        ('"x@npm:real@1":\n  version "1.4.2"\n', {"pkg:npm/real": "1.4.2"}),
        ('"x@npm:@acme/real@1":\n  version "1.4.2"\n', {"pkg:npm/%40acme/real": "1.4.2"}),
        # The number behind a packed file is its checksum and no commit.
        (
            f'a@1:\n  version "1.4.2"\n  resolved "https://registry.example/a-1.4.2.tgz#{COMMIT}"\n',
            {"pkg:npm/a": "1.4.2"},
        ),
        (
            f'shop@acme/shop:\n  version "1.4.2"\n  resolved "https://codeload.github.com/acme/shop/tar.gz/{COMMIT}"\n',
            {"pkg:npm/shop": SHOP},
        ),
        (
            f'"shop@{GIT}":\n  version "1.4.2"\n  resolved "{GIT}#{COMMIT}"\n',
            {"pkg:npm/shop": SHOP},
        ),
        ('"own@link:../own":\n  version "0.0.0"\n', {}),
    ],
)
def test_an_entry_of_yarn_1_is_its_name_and_version(entry: str, facts: dict[str, object]) -> None:
    section = dependencies(CLASSIC.format(entries=entry), "yarn.lock")
    assert (pins(section), section.status) == (facts, "complete")
    assert "C4n4ry" not in str(section)


BERRY = (
    '__metadata:\n  version: 8\n\n"shop@workspace:.":\n  version: 0.0.0-use.local\n'
    '  resolution: "shop@workspace:."\n  linkType: soft\n\n{entries}'
)


@pytest.mark.parametrize(
    ("entry", "facts"),
    [
        ('"x@npm:real@1":\n  version: 1.4.2\n  resolution: "real@npm:1.4.2"\n', {"pkg:npm/real": "1.4.2"}),
        (
            f'"a@patch:a@npm%3A1#./fix.patch":\n  version: 1.4.2\n  resolution: "{PATCHED}"\n',
            {"pkg:npm/a": "1.4.2"},
        ),
        (
            f'"lib@git@github.com:acme/shop.git":\n  version: 1.4.2\n  resolution: "{FROM_GIT}"\n',
            {"pkg:npm/lib": SHOP},
        ),
        ('"a@npm:1":\n  version: 1.10\n  resolution: "a@npm:1.10"\n', {"pkg:npm/a": "1.10"}),
        (
            '"own@portal:../own::x=x":\n  version: 0.0.0\n  resolution: "own@portal:../own::x=x"\n',
            {},
        ),
    ],
)
def test_an_entry_of_yarn_2_is_its_resolution(entry: str, facts: dict[str, object]) -> None:
    section = dependencies(BERRY.format(entries=entry), "yarn.lock")
    assert (pins(section), section.status) == (facts, "complete")
    assert "C4n4ry" not in str(section)


def test_a_condition_on_system_and_processor_is_the_platform() -> None:
    entry = '"a@npm:1":\n  version: 1.0.0\n  resolution: "a@npm:1.0.0"\n  conditions: {}\n'
    for conditions, platform in (
        ("os=linux & cpu=x64 & libc=musl", "linux-x64"),
        ("(os=linux | os=darwin)", None),
    ):
        hints = dependencies(BERRY.format(entries=entry.format(conditions)), "yarn.lock").hints
        assert hints["pkg:npm/a"].get("platform") == platform


PNPM = (
    "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      {ask}\n"
    "packages:\n  {key}:\n    resolution: {resolution}\nsnapshots:\n  {key}: {{}}\n"
)


@pytest.mark.parametrize(
    ("ask", "key", "resolution", "facts"),
    [
        ("a: {version: 1.4.2}", "a@1.4.2", "{integrity: x}", {"pkg:npm/a": "1.4.2"}),
        ("x: {version: real@1.4.2}", "real@1.4.2", "{integrity: x}", {"pkg:npm/real": "1.4.2"}),
        (
            f"shop: {{version: 'https://codeload.github.com/acme/shop/tar.gz/{COMMIT}'}}",
            f"shop@https://codeload.github.com/acme/shop/tar.gz/{COMMIT}",
            f"{{tarball: 'https://codeload.github.com/acme/shop/tar.gz/{COMMIT}'}}",
            {"pkg:npm/shop": SHOP},
        ),
        (
            "own: {version: 'link:../own'}\n      a: {version: 1.4.2}",
            "a@1.4.2",
            "{integrity: x}",
            {"pkg:npm/a": "1.4.2"},
        ),
        (
            "own: {version: 'file:../own'}",
            "own@file:../own",
            "{directory: ../own, type: directory}",
            {"pkg:npm/own": "file:../own"},
        ),
    ],
)
def test_a_key_of_pnpm_9_is_name_and_version(
    ask: str, key: str, resolution: str, facts: dict[str, object]
) -> None:
    section = dependencies(PNPM.format(ask=ask, key=f"'{key}'", resolution=resolution), "pnpm-lock.yaml")
    assert (pins(section), section.status) == (facts, "complete")


def test_of_two_documents_of_pnpm_the_last_is_the_projects() -> None:
    own = "---\n" + PNPM.format(ask="pnpm: {version: 12.0.0}", key="pnpm@12.0.0", resolution="{integrity: x}")
    project = "---\n" + PNPM.format(ask="a: {version: 1.4.2}", key="a@1.4.2", resolution="{integrity: x}")
    section = dependencies(own + project, "pnpm-lock.yaml")
    assert (pins(section), section.status) == ({"pkg:npm/a": "1.4.2"}, "complete")
    # What is left of the file when it is cut between both is no project without dependencies.
    section = dependencies(own, "pnpm-lock.yaml")
    assert (section.status, "no document of the project" in section.unseen[0].detail) == ("partial", True)


BOMB = "lockfileVersion: '9.0'\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "name", "reason", "place"),
    [
        # The head says which parser; with neither there is none.
        ('a@1:\n  version "1"\n', "yarn.lock", "unsupported", "neither"),
        ("# yarn lockfile v1\n__metadata:\n  version: 8\n", "yarn.lock", "malformed", "yarn.lock:"),
        (CLASSIC.format(entries='  version "1"\n'), "yarn.lock", "malformed", "yarn.lock:4"),
        (CLASSIC.format(entries="a@1:\n      version C4n4ry\n"), "yarn.lock", "malformed", "yarn.lock:5"),
        ("__metadata:\n  version: 8\n\ta: C4n4ry\n", "yarn.lock", "malformed", "yarn.lock:3"),
        (
            "__metadata:\n  version: 8\na@1: !!python/object:os.system C4n4ry\n",
            "yarn.lock",
            "malformed",
            "yarn.lock:3",
        ),
        ("lockfileVersion: '7.0'\n", "pnpm-lock.yaml", "unsupported", "lockfileVersion"),
        ("lockfileVersion: 4\n", "pnpm-lock.yaml", "unsupported", "lockfileVersion"),
        ("", "pnpm-lock.yaml", "unsupported", "lockfileVersion"),
        (BOMB, "pnpm-lock.yaml", "too_large", "pnpm-lock.yaml:"),
        (
            "lockfileVersion: '9.0'\na: " + "[" * 70 + "]" * 70,
            "pnpm-lock.yaml",
            "too_large",
            "pnpm-lock.yaml:2",
        ),
        ('{"lockfileVersion": 7}', "bun.lock", "unsupported", "lockfileVersion"),
        ('{"lockfileVersion": 1, "packages": {', "bun.lock", "malformed", "bun.lock"),
        ('{"_meta": {}}', "Pipfile.lock", "malformed", "default"),
    ],
)
def test_a_file_that_is_not_understood_is_unseen_with_its_place(
    text: str, name: str, reason: str, place: str
) -> None:
    with pytest.raises(UnseenError) as caught:
        read(text, name)
    assert (caught.value.reason, place in caught.value.detail) == (reason, True)
    assert "C4n4ry" not in caught.value.detail


def test_comments_and_last_commas_of_bun_are_no_mistakes_and_texts_stay() -> None:
    text = (
        '{ // of Bun\n  "lockfileVersion": 1,\n  "workspaces": {"": {"dependencies": {"a": "1"},},},\n'
        '  "packages": {\n    "a": ["a@1.4.2", "https://C4n4ry@registry.example/,]//", {}, "x"],\n  }\n}\n'
    )
    section = dependencies(text, "bun.lock")
    assert (pins(section), section.status) == ({"pkg:npm/a": "1.4.2"}, "complete")
    assert "C4n4ry" not in str(section)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (CLASSIC.format(entries='a@1:\n  version "1.0.0"\n  dependencies:\n    b "1"\n'), "yarn.lock"),
        (
            BERRY.format(entries=DANGLING),
            "yarn.lock",
        ),
        (PNPM.format(ask="b: {version: 1.0.0}", key="a@1.0.0", resolution="{}"), "pnpm-lock.yaml"),
        (
            '{"lockfileVersion": 1, "packages": {"a": ["a@1.0.0", {"dependencies": {"b": "1"}}]}}\n',
            "bun.lock",
        ),
    ],
)
def test_what_is_asked_for_and_not_there_is_told(text: str, name: str) -> None:
    section = dependencies(text, name)
    assert (pins(section), section.status) == ({"pkg:npm/a": "1.0.0"}, "partial")
    assert f"{name}: it refers to 1 packages" in section.unseen[0].detail


def test_of_a_workspace_of_yarn_1_its_members_are_not_missing() -> None:
    project = {"workspaces": ["packages/*"], "dependencies": {"ui": "1.0.0", "a": "1"}}
    section = dependencies(CLASSIC.format(entries='a@1:\n  version "1.0.0"\n'), "yarn.lock", project)
    assert (section.status, section.hints) == ("complete", {"pkg:npm/a": {"direct": True}})


def test_an_entry_of_yarn_1_that_ends_before_it_says_where_it_is_from_is_unseen() -> None:
    for key in ("shop@acme/shop", '"shop@git+https://github.com/acme/shop"'):
        section = dependencies(CLASSIC.format(entries=f'{key}:\n  version "1.4.2"\n'), "yarn.lock")
        assert (section.status, pins(section)) == ("partial", {})


def test_what_yarn_1_leaves_of_a_file_that_was_cut_is_told_by_the_projects_own_file() -> None:
    project = json.loads((FILES / "yarn-1/package.json").read_text())
    del project["workspaces"]
    data = (FILES / "yarn-1/yarn.lock").read_bytes()
    whole = pins(dependencies(data, "yarn.lock", project))
    for end in (data.index(b"\n\n\n") + 3, data.index(b'\n"shop@')):
        section = dependencies(data[:end], "yarn.lock", project)
        assert (section.status, pins(section).items() < whole.items()) == ("partial", True)
