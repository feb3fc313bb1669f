"""What is installed, from files that were cut or changed: unseen or right, never a traceback or a value."""

import pytest

from collectors.readers.installed import installed
from tests.collectors.readers.cuts import OF_A_HUNDRED_OR_ALL, SOME_FLIPS_OR_MANY, Cuts, Record
from tests.collectors.readers.installed.trees import Files, tree_of

SITE = "/app/.venv/lib/python3.12/site-packages"
#: Files of each reader of text; those of databases and archives stand beside their own tests.
FILES: Files = {
    "/etc/os-release": 'PRETTY_NAME="Debian"\nID=debian\nVERSION_ID="12"\n',
    "/var/lib/dpkg/status": "Package: bc\nStatus: install ok installed\nVersion: 1.07\n\n",
    f"{SITE}/django-5.2.8.dist-info/METADATA": "Metadata-Version: 2.4\nName: Django\nVersion: 5.2.8\n\nX\n",
    f"{SITE}/rq-2.0.egg-info/PKG-INFO": "Metadata-Version: 1.1\nName: rq\nVersion: 2.0\n",
    f"{SITE}/kit-1.0.dist-info/METADATA": "Metadata-Version: 2.4\nName: kit\nVersion: 1.0\n\n",
    f"{SITE}/kit-1.0.dist-info/direct_url.json": '{"url": "https://registry.example/a", "archive_info": {}}',
    "/app/.venv/pyvenv.cfg": "home = /usr/local/bin\nversion = 3.12.17\nx = y\n",
    "/app/node_modules/ms/package.json": '{"name": "ms", "version": "2.1.3", "description": "x"}',
    "/app/vendor/specifications/puma-6.4.3.gemspec": "# -*-\n# stub: puma 6.4.3 ruby lib\n",
    "/opt/jdk/release": 'IMPLEMENTOR="x"\nJAVA_VERSION="21.0.15"\n',
    "/usr/local/go/VERSION": "go1.23.14\n",
    "/opt/node/include/node/node_version.h": "".join(
        f"#define NODE_{part}_VERSION {number}\n"
        for part, number in (("MAJOR", 20), ("MINOR", 18), ("PATCH", 11))
    ),
}
FACTS = installed(tree_of(FILES), "built").facts


def test_every_file_of_the_table_says_something() -> None:
    for path in FILES:
        if not path.endswith(("PKG-INFO", "direct_url.json", "METADATA", ".gemspec")):  # names tell these
            rest = {name: value for name, value in FILES.items() if name != path}
            assert len(installed(tree_of(rest), "built").facts) == len(FACTS) - 1, path


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize("broken", OF_A_HUNDRED_OR_ALL)
def test_a_file_that_was_cut_says_nothing_wrong(path: str, broken: Cuts, record_property: Record) -> None:
    content = FILES[path]
    assert isinstance(content, str)
    for data in broken(content.encode(), record_property):
        section = installed(tree_of({**FILES, path: data}), "built")
        for item, value in FACTS.items():
            if item in section.facts:
                # Without VERSION_ID the release is the name alone.
                assert section.facts[item] in (value, "debian"), data
            elif item.startswith("pkg:"):
                assert section.status == "partial", data  # never complete without it
            else:
                assert item not in section.covers, data


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize("broken", SOME_FLIPS_OR_MANY)
def test_a_file_with_a_flipped_bit_is_read_or_unseen(
    path: str, broken: Cuts, record_property: Record
) -> None:
    content = FILES[path]
    assert isinstance(content, str)
    for data in broken(content.encode(), record_property):
        section = installed(tree_of({**FILES, path: data}), "built")
        # Without os-release nobody knows whose packages those of dpkg are.
        assert len(section.facts) >= len(FACTS) - (2 if path == "/etc/os-release" else 1)
        assert section.status == ("partial" if section.unseen else "complete")
