"""What an image says of its runtimes and architecture, beside what is installed in it."""

from typing import Any

from collectors._image_packages import Known, packages_of
from tests.collectors.readers.installed.trees import tree_of

IMAGE: dict[str, Any] = {
    "Architecture": "arm64",
    "Variant": "v8",
    "Config": {"Env": ["PYTHON_VERSION=3.12.7", "NODE_VERSION=x y", "GOLANG_VERSION=v1.23.1", "PATH"]},
}


def test_variables_of_official_images_name_the_runtime() -> None:
    section = packages_of(tree_of({}), IMAGE, "built")
    # And no node: what stands there is no version.
    assert section.facts == {"os#arch": "arm64", "runtime#python": "3.12.7", "runtime#go": "1.23.1"}
    assert (section.status, section.covers, section.basis) == ("complete", (), "built")


def test_what_the_files_say_wins() -> None:
    tree = tree_of(
        {"/opt/venv/pyvenv.cfg": "version = 3.13.1\n", "/opt/venv/lib/python3.13/site-packages/": ""}
    )
    assert packages_of(tree, IMAGE, "running").facts["runtime#python"] == "3.13.1"


def test_the_last_used_are_kept() -> None:
    known: Known[int] = Known()
    for number in range(256):
        known.keep((str(number),), number)
    assert known.get(("0",)) == 0
    known.keep(("new",), 1)
    assert (known.get(("0",)), known.get(("1",)), known.get(("new",))) == (0, None, 1)
