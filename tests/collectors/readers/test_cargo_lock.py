"""Cargo.lock: its packages are those that `cargo metadata` lists, in each version of the format."""

import re
from contextlib import suppress
from pathlib import Path

import pytest

from detector.errors import UnseenError
from tests.collectors.readers.pinned import COMMIT, FILES, grouped, pins, section
from tests.collectors.readers.projects import CANARY, cargo

NAME = "Cargo.lock"
WRITTEN = FILES / "cargo" / NAME


def in_version(text: str, version: int) -> str:
    """A lockfile of version 3 as version 1 or 2 writes it, or 4."""
    if version >= 3:
        return text.replace("version = 3", f"version = {version}", 1)
    text = text.replace("version = 3\n\n", "", 1)
    if version == 2:
        return text
    sources = dict(re.findall(r'(name = "[^"]+"\nversion = "[^"]+")\n(?:source = "([^"]+)")?', text))
    keys = {}
    for key, source in sources.items():
        name, own = re.findall(r'"([^"]+)"', key)
        full = f"{name} {own} ({source.partition('#')[0]})" if source else f"{name} {own}"
        keys[name if name != "rand" else f"rand {own}"] = full
    checksums = "".join(f'"checksum {key}" = "{"0" * 64}"\n' for key in keys.values() if "registry+" in key)
    text = re.sub(r'checksum = "0+"\n', "", text)
    text = re.sub(r'^ "([^"]+)",$', lambda edge: f' "{keys[edge[1]]}",', text, flags=re.MULTILINE)
    return f"{text}\n[metadata]\n{checksums}"


def test_the_packages_are_those_that_cargo_lists(tmp_path: Path) -> None:
    lock, listed = cargo.locked(tmp_path)
    found = section(lock.read_bytes(), NAME)
    assert found.status == "complete"
    assert pins(found) == grouped(listed)
    assert CANARY not in str(found)
    assert CANARY in lock.read_text()


@pytest.mark.parametrize("version", [1, 2])
def test_an_older_version_that_cargo_takes_too_says_the_same(version: int, tmp_path: Path) -> None:
    lock, listed = cargo.locked(tmp_path)
    text = in_version(lock.read_text(), version)
    lock.write_text(text)
    assert cargo.metadata(lock.parent, {}, "--offline") == listed  # it would refuse one that it cannot read
    assert pins(section(text, NAME)) == grouped(listed)


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_every_version_is_read_with_what_the_project_asks_for_itself(version: int) -> None:
    found = section(in_version(WRITTEN.read_text(), version), NAME)
    assert (found.status, found.unseen) == ("complete", ())
    assert pins(found)["pkg:cargo/rand"] == ["0.7.3", "0.8.5"]  # no version wins
    assert pins(found)["pkg:cargo/curl-sys"] == "0.4.72+curl-8.6.0"
    assert pins(found)["pkg:cargo/workshop"] == "local"
    assert "pkg:cargo/app" not in found.facts
    assert found.hints["pkg:cargo/libc"] == {"direct": False}
    assert found.hints["pkg:cargo/rand"] == {"direct": True}


SHOP = '[[package]]\nname = "shop"\nversion = "1"\nsource = "registry+x"\n'
LONE = '[[package]]\nname = "app"\nversion = "1.0.0"\n'


@pytest.mark.parametrize(
    ("source", "version"),
    [
        ("registry+https://user:C4n4ry@registry.example/index", "1.2.3"),
        ("sparse+https://registry.example/index/?C4n4ry", "1.2.3"),
        (
            f"git+https://C4n4ry@git.example/Acme/shop?branch=C4n4ry%2Fx#{COMMIT}",
            f"git+git.example/Acme/shop@{COMMIT}",
        ),
    ],
)
def test_of_a_source_only_the_place_of_a_repository_is_kept(source: str, version: str) -> None:
    text = (
        f'{LONE}dependencies = ["shop"]\n[[package]]\nname = "shop"\nversion = "1.2.3"\nsource = "{source}"\n'
    )
    found = section(text, NAME)
    assert pins(found) == {"pkg:cargo/shop": version}
    assert CANARY not in str(found)


def test_what_the_project_of_an_old_lockfile_asks_for_is_direct() -> None:
    root = '[root]\nname = "app"\nversion = "1.0.0"\ndependencies = ["libc 0.2.1 (registry+x)"]\n'
    found = section(
        f'{root}[[package]]\nname = "libc"\nversion = "0.2.1"\nsource = "registry+x"\n', "Cargo.lock"
    )
    assert (pins(found), found.hints) == ({"pkg:cargo/libc": "0.2.1"}, {"pkg:cargo/libc": {"direct": True}})
    assert found.status == "complete"


@pytest.mark.parametrize(
    "text",
    [
        f'{LONE}dependencies = ["shop"]\n',  # a reference to nothing
        LONE + SHOP,  # nobody asks for it
        SHOP,  # no project
        f'{LONE}dependencies = ["shop 2"]\n{SHOP}',
        f'{LONE}dependencies = ["shop 1 (registry+y)"]\n{SHOP}',
        "[[package]]\n",
        f'{LONE}dependencies = ["shop"]\n[[package]]\nname = "shop"\nsource = "git+file:///srv/shop#abc"\n',
        f"{LONE}dependencies = [3]\n",
        LONE.rstrip(),
    ],
)
def test_what_does_not_hold_together_is_partial(text: str) -> None:
    assert section(text, NAME).status == "partial"


@pytest.mark.parametrize("version", ["0", "5", '"3"', "true"])
def test_another_version_is_refused(version: str) -> None:
    with pytest.raises(UnseenError, match="this reads versions 1 to 4"):
        section(f"version = {version}\n{LONE}", NAME)


def test_the_source_of_the_last_package_may_be_cut_off_unseen() -> None:
    # Like this ends a whole file too, where the last package is one of a folder.
    text = f'{LONE}dependencies = ["shop"]\n{SHOP.replace("source", "# source")}'
    assert (section(text, NAME).status, pins(section(text, NAME))) == (
        "complete",
        {"pkg:cargo/shop": "local"},
    )


@pytest.mark.parametrize("version", [1, 2, 4])
def test_a_cut_never_removes_a_package_in_silence(version: int) -> None:
    text = in_version(WRITTEN.read_text(), version).encode()
    for end in range(len(text) * 3 // 4, len(text) - 1):
        with suppress(UnseenError):
            found = section(text[:end], NAME)
            assert found.status == "partial" or pins(found) == pins(section(text, NAME)), end
