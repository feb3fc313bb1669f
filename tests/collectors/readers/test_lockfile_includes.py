"""What a requirements.txt includes: read inside the root, once, and never from elsewhere."""

from pathlib import Path

import pytest

from collectors._files import beside
from collectors.readers.lockfile import LockfileReader
from detector.model.facts import Section
from detector.model.fingerprints import Fingerprinter

FINGERPRINTER = Fingerprinter(b"k" * 32)


def read(root: Path, name: str, **files: str | bytes) -> Section:
    """Return what ``name`` says; in names of files two underscores are a slash, one is a dot."""
    for key, text in files.items():
        path = root / key.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    data = (root / name).read_bytes()
    found = LockfileReader().read_beside(data, name, FINGERPRINTER, beside(root, Path(name)))
    return found.parts[0].sections["dependencies"]


def pins(section: Section) -> dict[str, object]:
    return {item: value for item, value in section.facts.items() if item.startswith("pkg:")}


def test_an_include_is_read_from_the_folder_of_the_file_that_names_it(tmp_path: Path) -> None:
    section = read(
        tmp_path,
        "deploy/requirements.txt",
        deploy__requirements_txt="-r common/base.txt\n--requirement=../shared.txt\na==1\n",
        deploy__common__base_txt="-r more.txt\nb==2\n",
        deploy__common__more_txt="c==3\n".encode("utf-16"),
        shared_txt="d==4\n",
    )
    assert pins(section) == {"pkg:pypi/a": "1", "pkg:pypi/b": "2", "pkg:pypi/c": "3", "pkg:pypi/d": "4"}
    assert section.status == "complete"


def test_a_file_that_two_others_include_is_read_once(tmp_path: Path) -> None:
    section = read(
        tmp_path,
        "requirements.txt",
        requirements_txt="-r a.txt\n-r b.txt\n",
        a_txt="-r base.txt\n",
        b_txt="-r base.txt\n",
        base_txt="a==1\nb\n",
    )
    assert pins(section) == {"pkg:pypi/a": "1"}
    assert next((entry.item, entry.detail) for entry in section.unseen) == (
        "pkg:pypi/b",
        "base.txt:2: not pinned to one version",
    )


def test_a_constraint_pins_what_is_asked_for_and_adds_nothing(tmp_path: Path) -> None:
    section = read(
        tmp_path,
        "requirements.txt",
        requirements_txt="-c constraints.txt\nDjango>=5\na==1\n",
        constraints_txt="django==5.2.8\nunasked==9\na==2\nloose>1\n",
    )
    assert pins(section) == {"pkg:pypi/django": "5.2.8", "pkg:pypi/a": "1"}
    assert section.status == "complete"


@pytest.mark.parametrize(
    ("line", "reason", "told"),
    [
        ("-r requirements.txt", "malformed", "which includes this file again"),
        ("-r loop.txt", "malformed", "which includes this file again"),
        ("-r /etc/passwd", "not_in_view", "an absolute path"),
        ("-r ../../etc/passwd", "denied", "leads out of"),
        ("-r link.txt", "denied", "leads out of"),
        ("-c https://user:C4n4ry@registry.example/base.txt", "not_in_view", "nothing is fetched"),
        ("-r file:///etc/passwd", "not_in_view", "nothing is fetched"),
        ("-r ${C4n4ry}/base.txt", "malformed", "no plain path"),
        ("-r gone.txt", "unreachable", "does not exist"),
        ("-r folder", "unsupported", "no regular file"),
        ("-r broken.txt", "malformed", "broken.txt:1: not UTF-8"),
    ],
)
def test_an_include_that_is_not_read_is_unseen_with_its_line(
    tmp_path: Path, line: str, reason: str, told: str
) -> None:
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (tmp_path / "outside.txt").write_text("secret==1\n")
    (root / "link.txt").symlink_to(tmp_path / "outside.txt")
    section = read(
        root,
        "requirements.txt",
        requirements_txt=f"a==1\n{line}\n",
        loop_txt="-r requirements.txt\n",
        broken_txt=b"\xff\n",
    )
    assert pins(section) == {"pkg:pypi/a": "1"}
    assert (section.status, section.unseen[0].item) == ("partial", "pkg:pypi/*")
    assert section.unseen[0].reason == reason
    assert told in section.unseen[0].detail
    assert ("requirements.txt:2" if "loop" not in line else "loop.txt:1") in section.unseen[0].detail
    assert "C4n4ry" not in str(section)


def test_more_includes_than_any_project_has_are_not_followed(tmp_path: Path) -> None:
    for number in range(150):
        (tmp_path / f"{number}.txt").write_text(f"a{number}==1\n-r {number + 1}.txt\n")
    section = read(tmp_path, "requirements.txt", requirements_txt="-r 0.txt\n")
    assert section.unseen[0].reason == "too_large"
    assert len(pins(section)) == 100
