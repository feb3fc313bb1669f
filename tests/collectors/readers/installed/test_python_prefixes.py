"""Distributions of every Python prefix below a root."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from collectors.readers.installed import installed
from collectors.readers.installed.reader import InstalledReader
from detector.errors import UnseenError
from detector.model.facts import Section
from detector.model.items import package
from tests.collectors.readers.installed.trees import Files, folder_of, tree_of

SITE = "/usr/local/lib/python3.12/site-packages"
VENV = "/opt/venv/lib/python3.12/site-packages"


def metadata(name: str, version: str) -> str:
    return f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n\nName: C4n4ry\n"


def read(files: Files) -> Section:
    return installed(tree_of(files), "built")


def test_a_real_environment_is_what_its_own_tool_lists() -> None:
    uv = shutil.which("uv", path=str(Path(sys.executable).parent))
    assert uv is not None
    command = [uv, "pip", "list", "--format", "json", "--python", sys.executable, "--exclude-editable"]
    listed = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    theirs = {(package("pypi", one["name"]), one["version"]) for one in listed}
    section = InstalledReader().installed(sys.prefix).parts[0].sections["dependencies"]
    ours = {(item, value) for item, value in section.facts.items() if item.startswith("pkg:pypi/")}
    assert ours == theirs
    assert len(ours) > 50
    assert section.facts["runtime#python"] == ".".join(map(str, sys.version_info[:3]))
    assert (section.basis, section.status) == ("running", "complete")


def test_each_form_of_an_installed_project_is_read() -> None:
    section = read(
        {
            f"{SITE}/Django-5.1.2.dist-info/METADATA": metadata("Django", "5.1.2"),
            f"{SITE}/django-4.2.1-py3.12.egg-info": metadata("django", "4.2.1"),  # what an older tool left
            f"{SITE}/PyYAML-6.0.2-py3.12.egg-info/PKG-INFO": metadata("PyYAML", "6.0.2"),
            f"{SITE}/old-1.0-py3.12.egg/EGG-INFO/PKG-INFO": metadata("old", "1.0"),
            f"{SITE}/~ip-24.0.dist-info/METADATA": metadata("pip", "24.0"),  # pip left it behind
            f"{SITE}/nothing_inside-2.0.dist-info/RECORD": "",  # its name tells
            f"{SITE}/django/__init__.py": "VERSION = 1",
            f"{SITE}/a.b-1.0.dist-info.txt": "",
        }
    )
    assert section.facts == {
        "pkg:pypi/django": "5.1.2",
        "pkg:pypi/pyyaml": "6.0.2",
        "pkg:pypi/old": "1.0",
        "pkg:pypi/nothing-inside": "2.0",
    }
    assert (section.status, section.covers) == ("complete", ("pkg:pypi/*",))


def test_prefixes_are_united_and_two_versions_both_told() -> None:
    section = read(
        {
            f"{SITE}/pip-24.0.dist-info/METADATA": metadata("pip", "24.0"),
            f"{VENV}/pip-24.3.dist-info/METADATA": metadata("pip", "24.3"),
            f"{VENV}/rq-2.0.dist-info/METADATA": metadata("rq", "2.0"),
        }
    )
    assert section.facts == {"pkg:pypi/pip": ["24.0", "24.3"], "pkg:pypi/rq": "2.0"}


def test_own_code_is_no_dependency_and_a_commit_is_its_version() -> None:
    editable = json.dumps({"url": "file:///C4n4ry", "dir_info": {"editable": True}})
    commit = "0123456789abcdef0123456789abcdef01234567"
    vcs = {"vcs": "git", "commit_id": commit}
    git = json.dumps({"url": "https://C4n4ry@github.com/acme/kit.git", "vcs_info": vcs})
    section = read(
        {
            f"{SITE}/shop-1.0.dist-info/METADATA": metadata("shop", "1.0"),
            f"{SITE}/shop-1.0.dist-info/direct_url.json": editable,
            f"{SITE}/kit-1.0.dist-info/METADATA": metadata("kit", "1.0"),
            f"{SITE}/kit-1.0.dist-info/direct_url.json": git,
        }
    )
    assert section.facts == {"pkg:pypi/kit": f"git+github.com/acme/kit@{commit}"}
    assert "C4n4ry" not in repr(section)


@pytest.mark.parametrize("odd", ["odd name-.dist-info", "shop.egg-info", "-1.0.dist-info", "a-$.dist-info"])
def test_what_tells_no_version_leaves_nothing_absent(odd: str) -> None:
    section = read(
        {
            f"{SITE}/{odd}/METADATA": "Name: C4n4ry secret\nVersion: 1\n",
            f"{SITE}/rq-2.0.dist-info/METADATA": metadata("rq", "2.0"),
        }
    )
    assert (section.status, section.facts) == ("partial", {"pkg:pypi/rq": "2.0"})
    assert [(part.item, part.reason) for part in section.unseen] == [("pkg:pypi/*", "malformed")]
    assert SITE in section.unseen[0].detail
    assert "C4n4ry" not in repr(section)


STATUS = "Package: python3-yaml\nStatus: install ok installed\nVersion: 6.0-3\n"
OF_DEBIAN = "/usr/lib/python3/dist-packages"


def test_what_the_distribution_packed_is_told_once_by_its_package() -> None:
    yaml: Files = {f"{OF_DEBIAN}/PyYAML-6.0.dist-info/METADATA": metadata("PyYAML", "6.0")}
    assert "pkg:pypi/pyyaml" in read(yaml).facts  # no database that would tell
    section = read({**yaml, "/var/lib/dpkg/status": STATUS})
    assert section.facts == {"pkg:deb/debian/python3-yaml": "6.0-3"}
    apk = "P:py3-yaml\nV:6.0-r1\nF:usr/lib/python3.12/site-packages/PyYAML-6.0.dist-info\nR:METADATA\n"
    site = "/usr/lib/python3.12/site-packages"
    section = read(
        {
            "/lib/apk/db/installed": apk + "F:usr/lib/python3.12/site-packages\nR:six-1.16.egg-info\n",
            f"{site}/PyYAML-6.0.dist-info/METADATA": metadata("PyYAML", "6.0"),
            f"{site}/six-1.16.egg-info": metadata("six", "1.16"),
            f"{site}/rq-2.0.dist-info/METADATA": metadata("rq", "2.0"),  # pip puts it beside them
        }
    )
    assert section.facts == {"pkg:apk/alpine/py3-yaml": "6.0-r1", "pkg:pypi/rq": "2.0"}


@pytest.mark.parametrize("cache", ["/app/.cache/uv/env", "/u/.npm", "/u/.gradle/x"])
def test_what_was_only_fetched_is_not_installed(cache: str) -> None:
    files: Files = {f"{cache}/site-packages/rq-2.0.dist-info/METADATA": metadata("rq", "2.0")}
    assert read(files).facts == {}
    assert read(files).covers == ()


def test_a_folder_that_cannot_be_listed_leaves_nothing_absent() -> None:
    tree = tree_of(
        {f"{SITE}/rq-2.0.dist-info/METADATA": metadata("rq", "2.0"), "/var/lib/dpkg/status": STATUS}
    )
    tree.tell("/srv/closed", UnseenError("denied", "it may not be read by this user"))
    section = installed(tree, "built")
    assert {part.item for part in section.unseen} >= {"pkg:pypi/*", "pkg:npm/*", "pkg:gem/*"}
    assert not any(part.item.startswith("pkg:deb") for part in section.unseen)  # that database was read
    assert "/srv/closed" in section.unseen[0].detail


def test_a_folder_of_this_machine_reads_the_same(tmp_path: Path) -> None:
    files: Files = {
        f"{SITE}/rq-2.0.dist-info/METADATA": metadata("rq", "2.0"),
        "/app/.venv/pyvenv.cfg": "home = /usr/bin\nversion = 3.11.7\n",
    }
    found = InstalledReader().installed(folder_of(tmp_path, files)).parts[0].sections["dependencies"]
    assert found.facts == installed(tree_of(files), "running").facts
    assert found.facts == {"pkg:pypi/rq": "2.0", "runtime#python": "3.11.7"}
