"""Installed distributions of Python, in a real environment and in broken ones."""

import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

from collectors.readers.python import PythonReader
from detector.errors import UnseenError
from detector.model.facts import Section
from detector.model.items import package


def installed(prefix: Path) -> Section:
    return PythonReader().installed(prefix).parts[0].sections["dependencies"]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "lib" / "python3.11" / "site-packages"
    folder.mkdir(parents=True)
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.7\n")
    return folder


def distribution(site: Path, name: str, version: str, direct_url: str = "", folder: str = "") -> None:
    info = site / f"{folder or name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n\nName: C4n4ry\n"
    )
    (info / "INSTALLER").write_text("pip\n")
    if direct_url:
        (info / "direct_url.json").write_text(direct_url)


def test_a_real_environment_is_what_python_itself_says_of_it() -> None:
    section = installed(Path(sys.prefix))
    theirs: dict[str, set[str]] = {}
    for found in distributions():
        theirs.setdefault(package("pypi", found.metadata["Name"]), set()).add(found.version)
    own = {package("pypi", "parity-detector")}  # installed in place: own code
    ours = {item: value for item, value in section.facts.items() if item.startswith("pkg:")}
    assert ours.keys() == theirs.keys() - own
    assert all(ours[item] in theirs[item] for item in ours if isinstance(ours[item], str))
    assert section.facts["runtime#python"] == ".".join(map(str, sys.version_info[:3]))
    assert (section.basis, section.status) == ("running", "complete")


COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_code_from_a_repository_is_named_as_lockfiles_name_it(site: Path) -> None:
    vcs = f'"vcs_info": {{"vcs": "git", "commit_id": "{COMMIT}"}}'
    distribution(site, "Shop_Kit", "1.0", f'{{"url": "https://C4n4ry@github.com/acme/kit.git", {vcs}}}')
    distribution(site, "wheel-by-hand", "2.0", '{"url": "file:///C4n4ry.whl", "archive_info": {}}')
    distribution(site, "own", "3.0", '{"url": "file:///C4n4ry", "dir_info": {"editable": true}}')
    distribution(site, "odd", "4.0", "{")
    section = installed(site.parents[2])
    assert section.facts == {
        "pkg:pypi/shop-kit": f"git+github.com/acme/kit@{COMMIT}",
        "pkg:pypi/wheel-by-hand": "2.0",
        "pkg:pypi/odd": "4.0",
        "runtime#python": "3.11.7",
    }
    assert section.covers == ("pkg:pypi/*", "runtime#python")


def test_two_versions_of_one_distribution_are_both_told(site: Path) -> None:
    distribution(site, "django", "5.2.8")
    distribution(site, "Django", "5.2.9", folder="left-over")
    assert installed(site.parents[2]).facts["pkg:pypi/django"] == ["5.2.8", "5.2.9"]


@pytest.mark.parametrize(
    "metadata",
    [
        "",
        "Name: a\n",
        "Version: 1\n",
        "Name: C4n4ry secret\nVersion: 1\n",
        "Name: a\nVersion: C4n4ry secret\n",
    ],
)
def test_metadata_that_does_not_say_what_it_is_hides_absence(site: Path, metadata: str) -> None:
    (site / "broken.dist-info").mkdir()
    (site / "broken.dist-info" / "METADATA").write_text(metadata)
    section = installed(site.parents[2])
    assert section.status == "partial"
    assert [(entry.item, entry.reason) for entry in section.unseen] == [("pkg:pypi/*", "malformed")]
    assert "C4n4ry" not in str(section)


def test_without_pyvenv_cfg_the_version_of_python_is_unseen(site: Path) -> None:
    distribution(site, "django", "5.2.8")
    section = installed(site)  # the folder itself
    assert section.facts == {"pkg:pypi/django": "5.2.8"}
    assert [entry.item for entry in section.unseen] == ["runtime#python"]


def test_a_folder_without_an_environment_is_unseen(tmp_path: Path) -> None:
    for prefix in (tmp_path, tmp_path / "gone"):
        with pytest.raises(UnseenError) as caught:
            installed(prefix)
        assert caught.value.reason == "not_in_view"
