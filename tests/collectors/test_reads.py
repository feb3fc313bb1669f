"""Sources of code: what a folder reads, what of it was not understood, and that no default leaves it."""
# ruff: noqa: E501 - planted code stays on its line

import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from collectors.readers import _source_tree, reads
from collectors.reads import ReadsCollector, ReadsOptions
from detector.errors import UnseenError
from detector.model.canonical import section_document
from detector.model.facts import Section
from tests.collectors.lent import FINGERPRINTER, context

Tree = dict[str, str]


def write(folder: Path, files: Tree) -> Path:
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return folder


async def seen(folder: Path, **options: Any) -> Section:
    collected = await ReadsCollector().collect(
        ReadsOptions(path=Path("src"), **options), context(folder=folder)
    )
    (part,) = collected.seen
    return part.sections["config"]


def told(section: Section) -> set[tuple[str, str]]:
    return {(entry.item, entry.reason) for entry in section.unseen}


async def test_a_project_in_two_languages(tmp_path: Path) -> None:
    write(
        tmp_path / "src",
        {
            "billing/hooks.py": "import os\n\nKEY = os.environ['STRIPE_WEBHOOK_SECRET']\n",
            "billing/__init__.py": "",
            "shop/env.py": "import os\n\ndef need(name):\n    return os.environ[name]\n",
            "shop/mail.py": "from shop.env import need\nHOST = need('MAIL_HOST')\n",
            "shop/conf.py": "from environs import Env\nenv = Env(prefix='SHOP_')\n",
            "shop/db.py": "from .conf import env as e\nURL = e.str('DATABASE_URL', 'sqlite:///db')\n",
            "shop/cache.py": "from shop import env\nURL = env.need('CACHE_URL')\n",
            "web/app.ts": "const {API_URL = 'http://localhost:1'} = process.env\n",
            ".env.example": "# of the shop\nSTRIPE_WEBHOOK_SECRET=\nEXTRA=changeme\n",
        },
    )
    section = await seen(tmp_path)
    assert (section.status, section.facts, section.covers, section.unseen) == ("complete", {}, (), ())
    assert section.reads == {
        "API_URL": [{"at": "web/app.ts:1", "default": True, "stand_in": "loopback"}],
        "CACHE_URL": [{"at": "shop/cache.py:2", "default": False}],
        "EXTRA": [{"at": ".env.example:3", "default": True, "declared": True}],
        "MAIL_HOST": [{"at": "shop/mail.py:2", "default": False}],
        "SHOP_DATABASE_URL": [{"at": "shop/db.py:2", "default": True, "stand_in": "local"}],
        "STRIPE_WEBHOOK_SECRET": [
            {"at": ".env.example:2", "default": True, "declared": True},
            {"at": "billing/hooks.py:3", "default": False},
        ],
    }


async def test_what_others_wrote_what_tools_made_and_tests_are_no_code_of_the_service(tmp_path: Path) -> None:
    read = "import os\nos.environ['A']\n"
    folders = ("node_modules/x", ".venv/lib", "dist", "build", "vendor", "tests", "web/__tests__", ".git")
    files = {f"{folder}/a.py": read for folder in folders}
    more = {
        "test_a.py": read,
        "conftest.py": read,
        "a.test.ts": "process.env.A",
        "lib.min.js": "process.env.A",
    }
    write(tmp_path / "src", {**files, **more, "types.d.ts": "process.env.A", "README.md": "os.environ['A']"})
    assert (await seen(tmp_path)).reads == {}


async def test_folders_are_left_out_by_globs(tmp_path: Path) -> None:
    write(
        tmp_path / "src", {"scripts/a.py": "import os\nos.environ['A']", "b.py": "import os\nos.environ['B']"}
    )
    assert set((await seen(tmp_path, exclude=("scripts*",))).reads) == {"B"}


async def test_what_is_not_understood_is_an_unseen_part_and_the_rest_is_told(tmp_path: Path) -> None:
    write(
        tmp_path / "src",
        {
            "good.py": "import os\nos.environ['A']\nos.environ[name()]\nos.environ[other()]\n",
            "broken.py": "import os\nos.environ[\ncanary(",
            "main.go": "package main",
            "huge.js": "process.env.B;" + " " * _source_tree.LARGEST_FILE,
        },
    )
    section = await seen(tmp_path)
    assert section.status == "partial"
    assert set(section.reads) == {"A"}
    assert told(section) == {
        ("reads#computed", "not_in_view"), ("reads#broken.py", "malformed"), ("reads#Go", "unsupported"),
        ("reads#huge.js", "too_large"),
    }  # fmt: skip
    details = " ".join(entry.detail for entry in section.unseen)
    assert "2 reads with computed names (good.py lines 3 and 4)" in details
    assert "canary" not in details


async def test_a_folder_inside_that_cannot_be_listed_is_an_unseen_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code that nobody looked at may read any key: none is unread for it."""
    write(
        tmp_path / "src", {"a.py": "import os\nos.environ['A']", "locked/b.py": "import os\nos.environ['B']"}
    )
    listed = os.scandir

    def scandir(folder: Path) -> Any:
        if folder.name == "locked":  # whoever runs the tests may be root, who may list everything
            raise PermissionError
        return listed(folder)

    monkeypatch.setattr("collectors.readers._source_tree.os.scandir", scandir)
    section = await seen(tmp_path)
    assert (section.status, set(section.reads)) == ("partial", {"A"})
    assert told(section) == {("reads#locked", "denied")}


async def test_folders_nested_beyond_all_use_are_an_unseen_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_source_tree, "_DEEPEST", 2)
    deep = "a/b/c/d.py"
    write(tmp_path / "src", {deep: "import os\nos.environ['A']"})
    section = await seen(tmp_path)
    assert (section.status, section.reads, told(section)) == ("partial", {}, {("reads#a/b/c", "denied")})


async def test_a_link_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", {"a.py": "import os\nos.environ['A']"})
    source = write(tmp_path / "src", {"b.py": ""})
    (source / "link.py").symlink_to(tmp_path / "elsewhere" / "a.py")
    (source / "folder").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    os.mkfifo(source / "pipe.py")
    assert (await seen(tmp_path)).reads == {}


async def test_more_files_than_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads, "MOST_FILES", 2)
    write(tmp_path / "src", {f"{name}.py": f"import os\nos.environ['{name}']" for name in "ABC"})
    section = await seen(tmp_path)
    assert (set(section.reads), told(section)) == ({"A", "B"}, {("reads#*", "too_large")})


async def test_a_run_that_would_be_late_tells_what_it_read_until_then(tmp_path: Path) -> None:
    write(tmp_path / "src", {"a.py": "import os\nos.environ['A']"})
    collected = await ReadsCollector().collect(
        ReadsOptions(path=Path("src")), context(folder=tmp_path, seconds=0.0)
    )
    section = collected.seen[0].sections["config"]
    assert (section.status, section.reads) == ("partial", {})


@pytest.mark.parametrize("path", ["src", "src/a.py"])
async def test_a_folder_that_is_not_there_takes_nothing_from_other_sources(tmp_path: Path, path: str) -> None:
    write(tmp_path / "other", {"a.py": ""})
    if path != "src":
        write(tmp_path, {path: ""})
    collected = await ReadsCollector().collect(ReadsOptions(path=Path(path)), context(folder=tmp_path))
    section = collected.seen[0].sections["config"]
    assert (section.status, section.covers) == ("failed", ())
    assert [entry.item for entry in section.unseen] == ["reads#*"]


SECRET = "cnry-sk-live-4eC39HqLyjWD"
CODE = {
    "a.py": f"import os\nos.getenv('A_TOKEN', '{SECRET}')\nB = os.getenv('B') or '{SECRET}'\nos.environ['{SECRET} x']\n",
    "b.py": f"from decouple import config\nconfig('C', default='{SECRET}')\nconfig('D', '{SECRET}')",
    "c.py": f"from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    token: str = '{SECRET}'\n",
    "d.ts": f"process.env.E ?? '{SECRET}'; const {{F = '{SECRET}'}} = process.env; process.env['{SECRET} x']",
    "e.js": f"process.env.G || `{SECRET}`; // {SECRET}",
    "f.py": f"import os\nos.environ[\n'{SECRET}' (",
    ".env.example": f"H={SECRET}\nI='{SECRET}\n",
    "g.py": f"import environ\nenv = environ.Env(J=(str, '{SECRET}'))\nenv('J')",
}  # fmt: skip


async def test_no_default_and_no_text_of_the_code_leaves_the_collector(tmp_path: Path) -> None:
    write(tmp_path / "src", CODE)
    section = await seen(tmp_path)
    assert {"A_TOKEN", "B", "C", "D", "TOKEN", "E", "F", "G", "J"} <= set(section.reads)
    printed = orjson.dumps(section_document(section)).decode() + repr(section)
    assert SECRET not in printed
    assert SECRET[:12] not in printed
    # The search finds what is there.
    assert SECRET in repr(CODE)


def test_one_file_is_read_by_its_name() -> None:
    read = reads.ReadsReader().read(b"process.env.A", "src/a.ts", FINGERPRINTER)
    assert read.parts[0].sections["config"].reads == {"A": [{"at": "a.ts:1", "default": False}]}
    with pytest.raises(UnseenError, match="no language that is read"):
        reads.ReadsReader().read(b"", "a.go", FINGERPRINTER)
