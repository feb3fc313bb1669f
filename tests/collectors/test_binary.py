"""The collector of programs: one file, of whatever size, that is not run."""

from pathlib import Path

import pytest

from collectors.binary import BinaryCollector, BinaryOptions
from detector.errors import Reason, UnseenError
from detector.reader import MAX_BYTES
from tests.collectors.lent import context
from tests.collectors.readers.programs import elf, inline

PROGRAM = elf(inline("go1.22.1", "dep\ta.example/b\tv1.0.0\n"))


def options(path: str) -> BinaryOptions:
    return BinaryOptions.model_validate({"path": path, "component": "worker"})


async def test_a_large_program_is_seen_without_being_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "shop").open("wb") as file:
        file.write(PROGRAM)
        file.truncate(MAX_BYTES * 4)  # a hole: it takes no room
    (seen,) = (await BinaryCollector().collect(options("shop"), context(folder=tmp_path))).seen
    assert seen.component == "worker"
    found = seen.sections["dependencies"]
    assert (found.basis, found.status) == ("built", "complete")
    assert found.facts == {"pkg:golang/a.example/b": "v1.0.0", "runtime#go": "1.22.1"}


@pytest.mark.parametrize(
    ("path", "reason"),
    [("gone", "unreachable"), ("folder", "unsupported"), ("script", "unsupported"), ("out", "denied")],
)
async def test_what_is_no_program_in_the_folder_is_unseen(path: str, reason: Reason, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "folder").mkdir(parents=True)
    (home / "script").write_text("#!/bin/sh\n")
    (tmp_path / "shop").write_bytes(PROGRAM)
    (home / "out").symlink_to(tmp_path / "shop")
    with pytest.raises(UnseenError) as caught:
        await BinaryCollector().collect(options(path), context(folder=home))
    assert caught.value.reason == reason
    assert path in caught.value.detail
