"""Runtimes of languages, from the files that they bring along."""

import pytest

from collectors.readers.installed import installed
from tests.collectors.readers.installed.trees import Files, tree_of

NODE = """#define NODE_MAJOR_VERSION 20
#define NODE_MINOR_VERSION 18
#define NODE_PATCH_VERSION 1
#define NODE_VERSION_IS_LTS 1
"""
RUBY = """  CONFIG["MAJOR"] = "3"
  CONFIG["MINOR"] = "3"
  CONFIG["TEENY"] = "6"
  CONFIG["PATCHLEVEL"] = "108"
"""
JAVA = 'IMPLEMENTOR="Eclipse Adoptium"\nJAVA_RUNTIME_VERSION="21.0.5+11-LTS"\nJAVA_VERSION="21.0.5"\n'


@pytest.mark.parametrize(
    ("path", "text", "runtime", "version"),
    [
        (
            "/usr/local/include/python3.12/patchlevel.h",
            '#define PY_VERSION      "3.12.7"\n',
            "python",
            "3.12.7",
        ),
        ("/app/.venv/pyvenv.cfg", "home = /x\nversion = 3.11.7\n", "python", "3.11.7"),
        ("/app/.venv/pyvenv.cfg", "home = /x\nversion_info = 3.11.7.final.0\n", "python", "3.11.7"),
        ("/usr/local/include/node/node_version.h", NODE, "node", "20.18.1"),
        ("/usr/local/lib/ruby/3.3.0/x86_64-linux/rbconfig.rb", RUBY, "ruby", "3.3.6"),
        ("/usr/local/include/php/main/php_version.h", '#define PHP_VERSION "8.3.14"\n', "php", "8.3.14"),
        ("/opt/java/openjdk/release", JAVA, "java", "21.0.5"),
        ("/usr/local/go/VERSION", "go1.23.4\ntime 2024-12-03T00:00:00Z\n", "go", "1.23.4"),
    ],
)
def test_a_runtime_is_read_from_its_own_files(path: str, text: str, runtime: str, version: str) -> None:
    section = installed(tree_of({path: text}), "built")
    assert section.facts == {f"runtime#{runtime}": version}
    assert section.covers == (f"runtime#{runtime}",)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/srv/release", "1.4.2\n"),  # some application's own
        ("/srv/other/patchlevel.h", '#define PY_VERSION "3.12.7"\n'),
        ("/srv/VERSION", "go1.2\n"),
        ("/srv/go/VERSION", "C4n4ry"),
        ("/app/.venv/pyvenv.cfg", "version = C4n4ry secret\n"),
        ("/u/.cache/include/python3.12/patchlevel.h", '#define PY_VERSION "3.12.7"\n'),
    ],
)
def test_other_files_of_those_names_say_nothing(path: str, text: str) -> None:
    section = installed(tree_of({path: text}), "built")
    assert (section.facts, section.covers, section.status) == ({}, (), "complete")


DPKG = """Package: python3.11-minimal
Status: install ok installed
Version: 3.11.2-6+deb12u3

Package: nodejs
Status: install ok installed
Version: 18.20.4+dfsg-1~deb12u1

Package: ruby3.1
Status: install ok installed
Version: 3.1.2-7+deb12u1

Package: ruby
Status: install ok installed
Version: 1:3.1

Package: php8.2-common
Status: install ok installed
Version: 8.2.26-1~deb12u1
"""


def _runtimes(files: Files) -> dict[str, object]:
    facts = installed(tree_of(files), "built").facts
    return {item: value for item, value in facts.items() if item.startswith("runtime#")}


def test_a_runtime_of_the_distribution_is_read_from_its_package() -> None:
    assert _runtimes({"/var/lib/dpkg/status": DPKG}) == {
        "runtime#python": "3.11.2",
        "runtime#node": "18.20.4",
        "runtime#ruby": "3.1.2",
        "runtime#php": "8.2.26",
    }
    apk = "P:python3\nV:3.12.7-r0\n\nP:nodejs\nV:20.15.1-r0\n\nP:php83-common\nV:8.3.14-r0\n\n"
    assert _runtimes({"/lib/apk/db/installed": apk + "P:openjdk21-jre-headless\nV:21.0.5_p11-r0\n"}) == {
        "runtime#python": "3.12.7",
        "runtime#node": "20.15.1",
        "runtime#php": "8.3.14",
        "runtime#java": "21.0.5",
    }


def test_a_runtime_of_the_distribution_counts_where_no_other_is_there() -> None:
    own = {"/usr/local/include/python3.12/patchlevel.h": '#define PY_VERSION "3.12.7"\n'}
    assert _runtimes({"/var/lib/dpkg/status": DPKG, **own})["runtime#python"] == "3.12.7"


def test_several_runtimes_of_one_language_are_all_told() -> None:
    files: Files = {f"/opt/jdk-{n}/release": f'JAVA_VERSION="{n}.0.1"\n' for n in (17, 21)}
    assert _runtimes(files) == {"runtime#java": ["17.0.1", "21.0.1"]}
