"""The collector of what is installed below a folder of this machine."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from collectors.installed import InstalledCollector, InstalledOptions
from detector.errors import UnseenError
from tests.collectors.lent import context
from tests.collectors.readers.installed.trees import folder_of

PUMA = "app/vendor/bundle/ruby/3.3.0/specifications/puma-6.4.3.gemspec"


async def test_what_is_below_the_root_and_not_excluded(tmp_path: Path) -> None:
    folder_of(
        tmp_path,
        {
            PUMA: "# stub: puma 6.4.3 ruby ext",
            "opt/other/node_modules/ms/package.json": '{"name": "ms", "version": "2.1.3"}',
        },
    )
    options = InstalledOptions.model_validate({"root": ".", "exclude": ["/opt/*"], "component": "web"})
    collected = await InstalledCollector().collect(options, context(folder=tmp_path))
    (seen,) = collected.seen
    assert (seen.component, seen.service, set(seen.sections)) == ("web", None, {"dependencies"})
    section = seen.sections["dependencies"]
    assert (section.facts, section.basis, section.status) == (
        {"pkg:gem/puma": "6.4.3"},
        "running",
        "complete",
    )


@pytest.mark.parametrize(
    ("root", "reason"), [("gone", "unreachable"), ("file", "unsupported"), ("empty", "not_in_view")]
)
async def test_a_root_of_which_nothing_can_be_said_is_unseen(tmp_path: Path, root: str, reason: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnseenError) as caught:
        await InstalledCollector().collect(InstalledOptions(root=root), context(folder=tmp_path))
    assert caught.value.reason == reason


@pytest.mark.parametrize("root", ["", "/proc", "/sys/kernel", "a\0b"])
def test_a_root_that_is_no_folder_of_files_is_refused(root: str) -> None:
    with pytest.raises(ValidationError):
        InstalledOptions(root=root)


def test_the_whole_machine_may_be_meant() -> None:
    assert InstalledOptions(root="/").root == "/"
