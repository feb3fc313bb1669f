"""All readers together, whatever way the content of a tree came."""

import io
import zipfile
from typing import BinaryIO

from collectors.readers.installed import Entry, Tree, installed, programs, wanted
from tests.collectors.readers.installed.rpm_files import ndb, package
from tests.collectors.readers.installed.trees import Files, Link, Program, content_of, tree_of
from tests.collectors.readers.programs import elf, inline


def _jar() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as written:
        written.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
    return buffer.getvalue()


SHOP = elf(inline("go1.22.1", "dep\texample.com/log\tv1.3.0\th1:x\n")) + b"\0" * programs._SMALLEST
ROOT: Files = {
    "/etc/os-release": "ID=suse\nVERSION_ID=15\n",
    "/usr/lib/sysimage/rpm/Packages.db": ndb([package("bash", "5.2")]),
    "/srv/site-packages/rq-2.0.dist-info/METADATA": "Name: rq\nVersion: 2.0\n",
    "/srv/node_modules/ms/package.json": '{"name": "ms", "version": "2.1.3"}',
    "/srv/node_modules/ours": Link("../ours"),
    "/srv/ours/package.json": '{"name": "ours", "version": "1.0.0"}',
    "/srv/specifications/puma-6.4.3.gemspec": "# stub: puma 6.4.3 ruby lib\n",
    "/srv/vendor/composer/installed.json": '[{"name": "acme/log", "version": "2.0.0"}]',
    "/srv/lib/asm-9.7.jar": _jar(),
    "/srv/bin/shop": Program(SHOP),
    "/opt/jdk/release": 'JAVA_VERSION="21.0.5"\n',
}
FACTS = {
    "os#release": "suse 15",
    "pkg:rpm/suse/bash": "5.2-1",
    "pkg:pypi/rq": "2.0",
    "pkg:npm/ms": "2.1.3",
    "pkg:gem/puma": "6.4.3",
    "pkg:composer/acme/log": "2.0.0",
    "pkg:maven/asm": "9.7",
    "pkg:golang/example.com/log": "v1.3.0",
    "runtime#go": "1.22.1",
    "runtime#java": "21.0.5",
}


def test_each_ecosystem_is_found_and_nothing_else() -> None:
    section = installed(tree_of(ROOT), "built")
    assert section.facts == FACTS
    assert set(section.covers) == {
        *(
            "pkg:rpm/*",
            "pkg:pypi/*",
            "pkg:npm/*",
            "pkg:gem/*",
            "pkg:composer/*",
            "pkg:maven/*",
            "pkg:golang/*",
        ),
        *("runtime#go", "runtime#java"),
    }
    assert (section.status, section.basis) == ("complete", "built")


def test_what_was_kept_before_reads_the_same() -> None:
    """Layers are read one by one, and their names put together with what was kept of each."""
    kept: dict[str, bytes] = {}

    def _kept(_content: BinaryIO, path: str) -> bytes:
        return kept[path]

    tree = Tree(lambda path, _entry: _kept if path in kept else None)
    for path, value in ROOT.items():
        if isinstance(value, Link):
            tree.put(path, Entry("link", target=value.target))
            continue
        content = content_of(value)
        entry = Entry("file", size=len(content), executable=isinstance(value, Program))
        if (keep := wanted(path, entry)) is not None:
            kept[path] = keep(io.BytesIO(content), path)
        tree.put(path, entry, io.BytesIO())
    assert installed(tree, "built").facts == FACTS


def test_an_empty_root_says_nothing_at_all() -> None:
    section = installed(tree_of({}), "running")
    assert (section.facts, section.covers, section.unseen, section.status) == ({}, (), (), "complete")
