"""How a database runs: what can lose an acknowledged commit is told."""

from pathlib import Path

from detector.store.location import locate
from detector.store.schema import examined


async def conditions(url: str) -> list[tuple[bool, str]]:
    location = locate(url)
    async with examined(location) as connection:
        return await location.conditions(connection)


async def test_a_setting_that_loses_commits_is_named_and_nothing_else(url: str) -> None:
    """The servers of the tests run without fsync, because that is faster: a finding to rely on."""
    found = await conditions(url)
    wrong = [text for fine, text in found if not fine]
    if url.startswith("sqlite"):
        assert (wrong, len(found)) == ([], 1)
    else:
        assert wrong == ["fsync is off: a crash can lose what was acknowledged"]
        assert found[0][1].startswith("PostgreSQL 1")
        assert found[1][1].startswith("the clock of PostgreSQL is ")


async def test_a_journal_that_a_reader_holds_back_is_named(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    with path.with_name(f"{path.name}-wal").open("wb") as journal:
        journal.truncate(200_000_000)
        ((fine, text),) = await conditions(sqlite_url)
    assert not fine
    assert text.startswith("200 MB in the journal of ")
