"""Lockfiles that are held to their specification alone: NuGet, Gradle, Maven, Mix, Pub and conda.

No tool of these was at hand: the files under ``lockfiles/`` were written after the documentation of each.
"""

import json
from typing import Any

import pytest

from detector.errors import UnseenError
from tests.collectors.readers.pinned import COMMIT, pins, section, written
from tests.collectors.readers.projects import CANARY

READ: dict[str, dict[str, Any]] = {
    "nuget/packages.lock.json": {
        "nuget/newtonsoft.json": "13.0.3",
        "nuget/runtime.native.system": "4.3.0",
        "nuget/serilog": "3.1.1",
        "nuget/serilog.sinks.console": "5.0.1",
        "nuget/shop.core": "local",
    },
    "gradle/gradle.lockfile": {
        "maven/com.google.guava/guava": "32.1.3-jre",
        "maven/org.junit.jupiter/junit-jupiter": "5.10.2",
        "maven/org.slf4j/slf4j-api": ["1.7.36", "2.0.12"],
    },
    "maven/dependency-list.txt": {
        "maven/com.google.guava/guava": "32.1.3-jre",
        "maven/io.netty/netty-transport-native-epoll": "4.1.107.Final",
        "maven/org.junit.jupiter/junit-jupiter": "5.10.2",
        "maven/org.projectlombok/lombok": "1.18.30",
        "maven/org.slf4j/slf4j-api": "2.0.12",
    },
    "mix/mix.lock": {
        "hex/cowlib": "2.12.1",
        "hex/jason": "1.4.1",
        "hex/plug": "1.15.3",
        "hex/shop_core": f"git+git.example/acme/shop_core@{COMMIT}",
    },
    "pub/pubspec.lock": {
        "pub/async": "2.11.0",
        "pub/http": "1.2.0",
        "pub/lints": "3.0.0",
        "pub/shop_core": "file:../core",
        "pub/shop_ui": f"git+git.example/acme/shop_ui@{COMMIT}",
    },
    "conda-list/conda-list.txt": {
        "conda/_libgcc_mutex": "0.1",
        "conda/numpy": "1.26.4",
        "conda/openssl": "3.2.1",
        "pypi/requests": "2.31.0",
    },
    "conda-explicit/explicit.txt": {
        "conda/_libgcc_mutex": "0.1",
        "conda/ca-certificates": "2024.2.2",
        "conda/numpy": "1.26.4",
    },
    "conda-lock/conda-lock.yml": {
        "conda/numpy": "1.26.4",
        "conda/openssl": "3.2.1",
        "conda/pytest": "8.1.1",
        "pypi/requests": "2.31.0",
    },
}


@pytest.mark.parametrize("name", READ)
def test_each_format_is_read_as_its_documentation_has_it(name: str) -> None:
    found = written(name)
    assert (found.status, found.unseen) == ("complete", ())
    assert pins(found) == {f"pkg:{item}": version for item, version in READ[name].items()}
    ecosystems = {item.partition("/")[0] for item in READ[name]}
    assert set(found.covers) == {f"pkg:{one}/*" for one in ecosystems} | {
        f"lockfile#{one}" for one in ecosystems
    }
    assert CANARY not in str(found)


@pytest.mark.parametrize(
    ("name", "item", "hints"),
    [
        ("nuget/packages.lock.json", "nuget/newtonsoft.json", {"direct": True}),
        ("nuget/packages.lock.json", "nuget/serilog", {"direct": False}),  # with and without a platform
        (
            "nuget/packages.lock.json",
            "nuget/runtime.native.system",
            {"direct": False, "platform": "linux-x64"},
        ),
        ("gradle/gradle.lockfile", "maven/com.google.guava/guava", None),
        ("gradle/gradle.lockfile", "maven/org.junit.jupiter/junit-jupiter", {"scope": ["dev"]}),
        ("maven/dependency-list.txt", "maven/org.junit.jupiter/junit-jupiter", {"scope": ["dev"]}),
        ("maven/dependency-list.txt", "maven/org.projectlombok/lombok", {"scope": ["optional"]}),
        (
            "maven/dependency-list.txt",
            "maven/io.netty/netty-transport-native-epoll",
            {"platform": "linux-x86_64"},
        ),
        ("pub/pubspec.lock", "pub/async", {"direct": False}),
        ("pub/pubspec.lock", "pub/lints", {"scope": ["dev"], "direct": True}),
        ("conda-list/conda-list.txt", "conda/numpy", {"platform": "linux-64"}),
        ("conda-lock/conda-lock.yml", "conda/pytest", {"scope": ["dev"], "platform": "linux-64"}),
    ],
)
def test_scope_platform_and_who_asks_ride_along(name: str, item: str, hints: object) -> None:
    assert written(name).hints.get(f"pkg:{item}") == hints


@pytest.mark.parametrize(
    ("text", "name", "item"),
    [
        ("a:b:1.0=compileClasspath\n", "gradle.lockfile", "maven/*"),  # no `empty=`
        ("# This is a Gradle generated file\n", "gradle.lockfile", "maven/*"),
        ('%{\n  "a": {:hex, :a, "1.0.0", "", [:mix], [], "hexpm"},\n', "mix.lock", "hex/*"),
        ("packages:\n  a:\n    source: hosted\n    version: 1.0.0\n", "pubspec.lock", "pub/*"),  # no `sdks`
        (
            json.dumps(
                {
                    "version": 1,
                    "dependencies": {
                        "net8.0": {"A": {"type": "Direct", "resolved": "1.0", "dependencies": {"B": "1"}}}
                    },
                }
            ),
            "packages.lock.json",
            "nuget/*",
        ),
        (
            "package:\n- name: a\n  version: '1'\n  dependencies: {b: '', __glibc: ''}\n  optional: false\n",
            "conda-lock.yml",
            "conda/*",
        ),
        ("package:\n- name: a\n  version: '1'\n", "conda-lock.yml", "conda/*"),  # its fields are missing
        (
            "package:\n- name: a\n  version: '1'\n  manager: pip\n  dependencies: {__glibc: ''}\n",
            "conda-lock.yml",
            "conda/*",
        ),
        ('%{\n  "a": {:git, "file:///C4n4ry", "C4n4ry C4n4ry", []},\n}\n', "mix.lock", "hex/*"),
        ("C4n4ry!=1=0\n", "conda-list.txt", "conda/*"),
    ],
)
def test_what_does_not_hold_together_is_partial(text: str, name: str, item: str) -> None:
    found = section(text, name)
    assert (found.status, found.unseen[0].item) == ("partial", f"pkg:{item}")
    assert CANARY not in str(found)


@pytest.mark.parametrize(
    ("text", "name", "place"),
    [
        ('{"version": 3}', "packages.lock.json", "no version 1 or 2"),
        ('{"version": 1}', "packages.lock.json", "no `dependencies`"),
        ("# x\na:b\n", "gradle.lockfile", "gradle.lockfile:2: "),
        ("C4n4ry\n", "dependency-list.txt", "nothing that `mvn dependency:list` printed"),
        (
            "The following files have been resolved:\n  C4n4ry\n",
            "dependency-list.txt",
            "dependency-list.txt:2: ",
        ),
        ("C4n4ry\n", "mix.lock", "mix.lock:1: "),
        ('%{\n  "a": {:path, "C4n4ry"},\n}\n', "mix.lock", "mix.lock:2: "),
        ("a: C4n4ry\n", "pubspec.lock", "no `packages`"),
        ("- C4n4ry\n", "conda-lock.yml", "no list `package`"),
        ("numpy\n", "conda-list.txt", "conda-list.txt:1: "),
        ("@EXPLICIT\nhttps://C4n4ry@registry.example/C4n4ry\n", "explicit.txt", "explicit.txt:2: "),
    ],
)
def test_what_is_no_such_file_is_refused_with_its_place(text: str, name: str, place: str) -> None:
    with pytest.raises(UnseenError) as caught:
        section(text, name)
    assert place in caught.value.detail
    assert CANARY not in caught.value.detail


def test_what_maven_printed_into_a_log_is_read_too() -> None:
    log = (
        "[INFO] Scanning for projects...\n[INFO] \n[INFO] The following files have been resolved:\n"
        "[INFO]    org.slf4j:slf4j-api:jar:\x1b[33m2.0.12\x1b[m:compile\n[INFO] \n"
        "[INFO] The following files have been resolved:\n[INFO]    none\n"
        "[INFO] ------------------------------------\n[INFO] BUILD SUCCESS\n"
        "[INFO] Total time:  1.234 s\n[INFO] Finished at: 2026-11-22T10:00:00Z\n"
    )
    found = section(log, "dependency-list.txt")
    assert (found.status, pins(found)) == ("complete", {"pkg:maven/org.slf4j/slf4j-api": "2.0.12"})


def test_a_configuration_of_gradle_before_7_and_an_older_map_of_mix_are_read() -> None:
    assert pins(section("# x\na:b:1.0\n", "gradle/dependency-locks/compileClasspath.lockfile")) == {
        "pkg:maven/a/b": "1.0"
    }
    old = '%{"a": {:hex, :a, "1.0.0", "", [:mix], []},\n  "b": {:hex, :b, "2.0.0"}}\n'
    assert pins(section(old, "mix.lock")) == {"pkg:hex/a": "1.0.0", "pkg:hex/b": "2.0.0"}
