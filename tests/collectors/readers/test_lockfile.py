"""Lockfiles: the pins of each format, and what a broken or hostile one gives.

The files under ``lockfiles/`` were written by uv, Poetry, pip-compile and npm; only the host of the registry
was replaced.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.readers.lockfile import LockfileReader
from detector.errors import UnseenError
from detector.model.canonical import section_document
from detector.model.facts import Section
from detector.model.fingerprints import Fingerprinter
from detector.reader import Read

FINGERPRINTER = Fingerprinter(b"k" * 32)
FILES = Path(__file__).parent / "lockfiles"
BASE = {
    "pkg:pypi/click": "8.1.8",
    "pkg:pypi/python-dateutil": "2.9.0.post0",
    "pkg:pypi/six": "1.17.0",
}
DEV = {
    "pkg:pypi/colorama": "0.4.6",
    "pkg:pypi/iniconfig": "2.3.1",
    "pkg:pypi/packaging": "26.3",
    "pkg:pypi/pluggy": "1.7.0",
    "pkg:pypi/pygments": "2.21.0",
    "pkg:pypi/pytest": "8.4.1",
}
NPM = {
    "pkg:npm/%40esbuild/platform": "0.21.5",
    "pkg:npm/debug": "4.3.4",
    "pkg:npm/esbuild": "0.21.5",
    "pkg:npm/fsevents": "2.3.3",
    "pkg:npm/ms": ["2.1.2", "2.1.3"],  # one of them under an alias
    "pkg:npm/semver": ["6.3.1", "7.6.3"],
}
WRITTEN = {
    "uv.lock": BASE | DEV | {"pkg:pypi/zipp": "3.21.0"},
    "pylock.toml": BASE | DEV,
    "requirements.txt": BASE,
    "pip-compile/requirements.txt": BASE | {"pkg:pypi/zipp": "3.21.0"},
    "npm-v1/package-lock.json": NPM,
    "npm-v2/package-lock.json": NPM,
    "npm-v3/package-lock.json": NPM,
}


def read(data: bytes | str, name: str) -> Read:
    return LockfileReader().read(data.encode() if isinstance(data, str) else data, name, FINGERPRINTER)


def dependencies(data: bytes | str, name: str) -> Section:
    return read(data, name).parts[0].sections["dependencies"]


def written(name: str) -> Section:
    return dependencies((FILES / name).read_bytes(), name)


def pins(section: Section) -> dict[str, Any]:
    return {item: value for item, value in section.facts.items() if item.startswith("pkg:")}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_a_tool_wrote_is_read_whole(name: str) -> None:
    section = written(name)
    assert pins(section) == WRITTEN[name]
    assert (section.basis, section.status, section.unseen) == ("declared", "complete", ())
    ecosystem = "npm" if "npm" in name else "pypi"
    assert section.covers == (f"pkg:{ecosystem}/*", f"lockfile#{ecosystem}")


def test_poetry_pins_are_read_with_their_groups_and_markers() -> None:
    section = written("poetry.lock")
    assert section.status == "complete"
    assert section.facts["pkg:pypi/pytest"] == "9.1.1"
    assert section.hints["pkg:pypi/pytest"] == {"scope": ["dev"]}
    assert section.hints["pkg:pypi/idna"] == {"scope": ["optional"]}
    assert section.hints["pkg:pypi/colorama"] == {"scope": ["dev"], "platform": "win32"}
    assert "pkg:pypi/click" not in section.hints


def test_uv_says_who_asks_for_what() -> None:
    hints = written("uv.lock").hints
    assert hints["pkg:pypi/click"] == {"direct": True}
    assert hints["pkg:pypi/six"] == {"direct": False}
    # click needs it too, so it is no matter of dev alone
    assert hints["pkg:pypi/colorama"] == {"direct": False, "platform": "win32"}
    assert hints["pkg:pypi/pytest"] == {"scope": ["dev"], "direct": True}
    assert hints["pkg:pypi/zipp"] == {"scope": ["optional"], "direct": True}


def test_npm_says_scope_platform_and_who_asks() -> None:
    hints = written("npm-v3/package-lock.json").hints
    assert hints["pkg:npm/fsevents"] == {"scope": ["optional"], "direct": True, "platform": "darwin"}
    assert hints["pkg:npm/%40esbuild/platform"] == {"scope": ["optional"], "direct": False}
    assert hints["pkg:npm/debug"] == {"scope": ["dev"], "direct": True}


def test_comments_of_pip_compile_say_who_asks() -> None:
    for name in ("requirements.txt", "pip-compile/requirements.txt"):
        hints = written(name).hints
        assert hints["pkg:pypi/click"] == {"direct": True}
        assert hints["pkg:pypi/six"] == {"direct": False}


def test_equal_pins_have_an_equal_digest_in_whatever_format() -> None:
    assert (
        len({written(f"npm-v{version}/package-lock.json").facts["lockfile#npm"] for version in (1, 2, 3)})
        == 1
    )
    one = dependencies("a==1\nB_b==2\n", "requirements.txt").facts["lockfile#pypi"]
    same = dependencies("b.b==2 # c\n\na == 1\n", "requirements.txt").facts["lockfile#pypi"]
    other = dependencies("a==1\nb-b==2.1\n", "requirements.txt").facts["lockfile#pypi"]
    assert one == same
    assert one != other


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("line", "facts"),
    [
        ("Django==5.2.8", {"pkg:pypi/django": "5.2.8"}),
        ("django[argon2,bcrypt] == 5.2.8 ; python_version >= '3.11'  # why", {"pkg:pypi/django": "5.2.8"}),
        ("django===1.0+x", {"pkg:pypi/django": "1.0+x"}),
        ("django (==5.2.8)", {"pkg:pypi/django": "5.2.8"}),
        ("a==1 --hash=sha256:00 --hash=sha256:11", {"pkg:pypi/a": "1"}),
        ("a==1 \\\n  --hash=sha256:00 \\\n  --hash=sha256:11", {"pkg:pypi/a": "1"}),
        ("a==1 ; python_version<'3'\na==2 ; python_version>='3'", {"pkg:pypi/a": ["1", "2"]}),
        ("--index-url https://user:C4n4ry@registry.example/simple\na==1", {"pkg:pypi/a": "1"}),
        ("-e .\n-e ./packages/own\na==1", {"pkg:pypi/a": "1"}),
        (
            f"-e git+https://C4n4ry@github.com/Acme/Shop.git@{COMMIT}#egg=shop",
            {"pkg:pypi/shop": f"git+github.com/acme/shop@{COMMIT}"},
        ),
        (
            f"shop @ git+ssh://git@git.internal/acme/shop@{COMMIT} ; python_version >= '3'",
            {"pkg:pypi/shop": f"git+git.internal/acme/shop@{COMMIT}"},
        ),
        (
            "shop @ https://u:C4n4ry@registry.example/shop-1.4.2-py3-none-any.whl?C4n4ry",
            {"pkg:pypi/shop": "1.4.2"},
        ),
        ("https://registry.example/shop-1.4.2.tar.gz#sha256=C4n4ry", {"pkg:pypi/shop": "1.4.2"}),
        ("./wheels/shop-1.4.2-py3-none-any.whl", {"pkg:pypi/shop": "1.4.2"}),
        (
            "shop @ https://u:C4n4ry@registry.example/latest?C4n4ry",
            {"pkg:pypi/shop": "https://registry.example/latest"},
        ),
        ("", {}),
    ],
)
def test_a_requirement_is_its_name_and_version(line: str, facts: dict[str, object]) -> None:
    section = dependencies(f"{line}\n", "requirements.txt")
    assert pins(section) == facts
    assert section.status == "complete"
    assert "C4n4ry" not in str(section)


def test_a_marker_that_only_names_a_system_is_the_platform() -> None:
    section = dependencies("colorama==0.4.6 ; sys_platform == 'win32'\n", "requirements.txt")
    assert section.hints == {"pkg:pypi/colorama": {"platform": "win32"}}


@pytest.mark.parametrize(
    ("line", "item", "reason"),
    [
        ("django>=5,<6", "pkg:pypi/django", "not_in_view"),
        ("django", "pkg:pypi/django", "not_in_view"),
        ("django==5.*", "pkg:pypi/django", "malformed"),
        ("-r base.txt", "pkg:pypi/*", "not_in_view"),
        ("{{ C4n4ry }}", "pkg:pypi/*", "malformed"),
        ("a b c C4n4ry", "pkg:pypi/*", "malformed"),
        ("C4n4ry!!", "pkg:pypi/*", "malformed"),
        ("git+https://github.com/acme/shop", "pkg:pypi/*", "malformed"),  # it does not say its name
    ],
)
def test_what_is_not_pinned_is_unseen_with_its_line(line: str, item: str, reason: str) -> None:
    section = dependencies(f"a==1\n{line}\n", "requirements.txt")
    assert pins(section) == {"pkg:pypi/a": "1"}
    assert section.status == "partial"
    assert (section.unseen[0].item, section.unseen[0].reason) in {(item, reason), (item, "not_in_view")}
    assert "requirements.txt:2" in section.unseen[0].detail
    assert section.unseen[-1].item == "lockfile#pypi"
    assert "C4n4ry" not in str(section)


UV = 'version = 1\n[[package]]\nname = "app"\nversion = "1"\nsource = { virtual = "." }\n%s\n'
TWO = (
    'dependencies = [{ name = "shop" }]\n[[package]]\nname = "shop"\nversion = "1.4.2"\n'
    'source = { git = "https://C4n4ry@github.com/acme/shop?rev=main#' + COMMIT + '" }\n'
)


def test_code_from_a_repository_is_its_address_and_commit_without_credentials() -> None:
    opaque = f"git+github.com/acme/shop@{COMMIT}"
    poetry = (
        '[[package]]\nname = "shop"\nversion = "1.4.2"\n[package.source]\ntype = "git"\n'
        f'url = "https://C4n4ry@github.com/acme/shop.git"\nresolved_reference = "{COMMIT}"\n'
        '[metadata]\nlock-version = "2.1"\n'
    )
    pylock = (
        'lock-version = "1.0"\n[[packages]]\nname = "shop"\n'
        f'vcs = {{ type = "git", url = "https://C4n4ry@github.com/acme/shop", commit-id = "{COMMIT}" }}\n'
    )
    npm = {
        "lockfileVersion": 3,
        "packages": {
            "node_modules/shop": {
                "version": "1.4.2",
                "resolved": f"git+ssh://C4n4ry@github.com/acme/shop.git#{COMMIT}",
            }
        },
    }
    for text, name in (
        (UV % TWO, "uv.lock"),
        (poetry, "poetry.lock"),
        (pylock, "pylock.toml"),
        (json.dumps(npm), "package-lock.json"),
    ):
        section = dependencies(text, name)
        assert list(pins(section).values()) == [opaque], name
        assert "C4n4ry" not in str(section)


def packages(**entries: object) -> str:
    return json.dumps({"lockfileVersion": 3, "packages": entries})


@pytest.mark.parametrize("path", ["../../x", "node_modules/../../x", "/etc/x/../node_modules/a"])
def test_an_entry_that_leads_out_of_the_project_is_skipped_with_a_warning(path: str) -> None:
    text = packages(**{path: {"version": "1.0.0"}, "node_modules/a": {"version": "2.0.0"}})
    found = read(text, "package-lock.json")
    assert pins(found.parts[0].sections["dependencies"]) == {"pkg:npm/a": "2.0.0"}
    assert "1 entries" in found.warnings[0]
    assert path not in found.warnings[0]


def test_a_link_to_nothing_is_told_and_a_member_of_the_workspace_is_own_code() -> None:
    text = packages(
        **{
            "node_modules/ui": {"link": True, "resolved": "packages/ui"},
            "packages/ui": {"version": "1.0.0"},
            "node_modules/gone": {"link": True, "resolved": "packages/gone"},
        }
    )
    found = read(text, "package-lock.json")
    assert pins(found.parts[0].sections["dependencies"]) == {}
    assert "1 entries" in found.warnings[0]


def test_where_both_halves_disagree_packages_wins_with_a_warning() -> None:
    text = {
        "lockfileVersion": 2,
        "packages": {"node_modules/a": {"version": "2.0.0"}},
        "dependencies": {"a": {"version": "1.0.0"}},
    }
    found = read(json.dumps(text), "package-lock.json")
    assert pins(found.parts[0].sections["dependencies"]) == {"pkg:npm/a": "2.0.0"}
    assert "disagree" in found.warnings[0]


@pytest.mark.parametrize("entry", [5, None, [], {}, {"version": 5}])
def test_an_entry_that_says_no_version_is_unseen_and_not_absent(entry: object) -> None:
    for document in (
        {"lockfileVersion": 3, "packages": {"node_modules/a": entry}},
        {"lockfileVersion": 1, "dependencies": {"a": entry}},
    ):
        section = dependencies(json.dumps(document), "package-lock.json")
        assert (section.status, pins(section)) == ("partial", {})


def test_members_of_a_workspace_ask_for_what_is_in_their_folder_or_in_the_projects() -> None:
    text = packages(
        **{
            "": {"workspaces": ["packages/ui"]},
            "packages/ui": {"dependencies": {"a": "1", "b": "1"}},
            "packages/ui/node_modules/a": {"version": "1.0.0"},
            "node_modules/b": {"version": "1.0.0"},
            "node_modules/c": {"version": "1.0.0"},
        }
    )
    hints = dependencies(text, "package-lock.json").hints
    assert {item[-1]: hint["direct"] for item, hint in hints.items()} == {"a": True, "b": True, "c": False}


@pytest.mark.parametrize(
    ("text", "name", "reason", "place"),
    [
        ('{\n<<<<<<< HEAD\n"a": 1\n=======\n', "package-lock.json", "malformed", "package-lock.json:2"),
        ("a==1\n<<<<<<< HEAD\na==2\n", "requirements.txt", "malformed", "requirements.txt:2"),
        ('{"lockfileVersion": 0}', "package-lock.json", "unsupported", "lockfileVersion"),
        ('{"lockfileVersion": 99}', "package-lock.json", "unsupported", "lockfileVersion"),
        ('{"lockfileVersion": "3"}', "package-lock.json", "unsupported", "lockfileVersion"),
        ('{"lockfileVersion": true}', "package-lock.json", "unsupported", "lockfileVersion"),
        ('{"lockfileVersion": 3}', "package-lock.json", "malformed", "packages"),
        ('{"lockfileVersion": 1, "dependengies": {}}', "package-lock.json", "malformed", "dependencies"),
        ("[]", "package-lock.json", "unsupported", "lockfileVersion"),
        ("[" * 100_000, "package-lock.json", "too_large", "package-lock.json"),
        ("version = 1\nversion = 1\n", "uv.lock", "malformed", "uv.lock:2:12"),
        ("a.b = 1\na = 2\n", "poetry.lock", "malformed", "poetry.lock:2"),
        ("a = " + "[" * 100_000, "uv.lock", "too_large", "uv.lock"),
        ("version = 2\n", "uv.lock", "unsupported", "uv.lock"),
        ('[metadata]\nlock-version = "3.0"\n', "poetry.lock", "unsupported", "poetry.lock"),
        ('lock-version = "2.0"\n', "pylock.toml", "unsupported", "pylock.toml"),
        ("C4n4ry", "other.lock", "unsupported", "pylock.toml, poetry.lock"),
        (b"version = 1\nx = '\xff'\n", "uv.lock", "malformed", "uv.lock:2"),
        (b"x" * (16 * 1024 * 1024 + 1), "uv.lock", "too_large", "uv.lock"),
    ],
)
def test_a_file_that_is_not_understood_is_unseen_with_its_place(
    text: str | bytes, name: str, reason: str, place: str
) -> None:
    with pytest.raises(UnseenError) as caught:
        read(text, name)
    assert caught.value.reason == reason
    assert place in caught.value.detail
    assert "C4n4ry" not in caught.value.detail


@pytest.mark.parametrize(
    "name",
    [
        "uv.lock",
        "a/poetry.lock",
        "pylock.dev.toml",
        "npm-shrinkwrap.json",
        "requirements-dev.txt",
        "dev-requirements.txt",
        "a/requirements/base.txt",
        "requirements.lock",
    ],
)
def test_it_knows_its_files_by_name(name: str) -> None:
    assert LockfileReader().matches(name)
    assert not LockfileReader().matches("notes.txt")


def leaves(document: Any) -> Any:
    """Return the document with a canary in place of each text that is no name."""
    if isinstance(document, dict):
        return {key: leaves(value) for key, value in document.items()}
    if isinstance(document, list):
        return [leaves(member) for member in document]
    return "C4n4ry secret" if isinstance(document, str) else document


@pytest.mark.parametrize("version", [1, 2, 3])
def test_no_text_of_an_npm_lockfile_comes_out(version: int) -> None:
    data = json.loads((FILES / f"npm-v{version}/package-lock.json").read_text())
    found = read(json.dumps(leaves(data)), "package-lock.json")
    assert "C4n4ry" not in str(found)


@pytest.mark.parametrize("name", ["uv.lock", "poetry.lock", "pylock.toml"])
def test_no_text_of_a_toml_lockfile_comes_out(name: str) -> None:
    lines = []
    for line in (FILES / name).read_text().splitlines():
        key, equals, value = line.partition(" = ")
        free = equals and key.replace("-", "").isalpha() and value.startswith('"') and key != "lock-version"
        lines.append(f'{key} = "C4n4ry secret"' if free else line)
    found = read("\n".join(lines) + "\n", name)
    assert "C4n4ry" not in str(found)


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["", "1.0", "a", "git+x#y", "npm:a@1", "../a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "",
                    "node_modules/a",
                    "version",
                    "resolved",
                    "link",
                    "os",
                    "cpu",
                    "dependencies",
                    "packages",
                    "name",
                    "dev",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@given(JUNK, JUNK, st.sampled_from([1, 2, 3]))
def test_no_npm_document_ends_in_a_traceback(one: Any, other: Any, version: int) -> None:
    document = {"lockfileVersion": version, "packages": one, "dependencies": other}
    with suppress(UnseenError):
        section_document(dependencies(json.dumps(document), "package-lock.json"))


@given(st.text(alphabet="ab=1.[]@;-# \\\n\"'{}<>!~(),:/+", max_size=60))
def test_no_requirements_end_in_a_traceback(text: str) -> None:
    section_document(dependencies(text, "requirements.txt"))
