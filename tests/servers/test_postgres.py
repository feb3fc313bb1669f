import shutil
from pathlib import Path

import asyncpg
import pytest

from tests.servers.postgres import Postgres15, Postgres18


async def _version(dsn: str) -> str:
    connection = await asyncpg.connect(dsn)
    try:
        return str(await connection.fetchval("SHOW server_version"))
    finally:
        await connection.close()


async def test_two_majors_answer_at_once(postgres15: Postgres15, postgres18: Postgres18) -> None:
    assert (await _version(postgres15.dsn)).startswith("15.")
    assert (await _version(postgres18.dsn)).startswith("18.")


async def test_a_wrong_password_is_refused(postgres18: Postgres18) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres18.dsn.replace(postgres18.admin_password, "wrong"))


@pytest.mark.parametrize("fixture", ["postgres15", "postgres18"])
async def test_the_reader_may_not_see_every_setting(request: pytest.FixtureRequest, fixture: str) -> None:
    server: Postgres15 | Postgres18 = request.getfixturevalue(fixture)
    count = "SELECT count(*) FROM pg_settings WHERE name = 'data_directory'"
    connection = await asyncpg.connect(server.reader_dsn)
    try:
        assert await connection.fetchval(count) == 0
    finally:
        await connection.close()
    assert await server.fetch(count) == [(1,)]


async def test_tls_settings_and_locale_are_those_asked_for() -> None:
    with Postgres15(tls=True, settings={"timezone": "Asia/Tokyo"}, locale="C") as server:
        connection = await asyncpg.connect(
            server.dsn + "?sslmode=verify-ca&sslrootcert=" + str(server.certificate)
        )
        try:
            assert (
                await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") is True
            )
            assert await connection.fetchval("SHOW timezone") == "Asia/Tokyo"
            assert (
                await connection.fetchval("SELECT datcollate FROM pg_database WHERE datname = 'shop'") == "C"
            )
        finally:
            await connection.close()


async def test_data_outlives_a_crash_and_the_folder_does_not_outlive_the_server() -> None:
    with Postgres18(settings={"fsync": "on"}) as server:
        await server.execute("CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)")
        server.kill()
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            await asyncpg.connect(server.dsn)
        server.start()
        assert await server.fetch("SELECT id FROM kept") == [(7,)]
    assert not server.folder.exists()


async def test_a_wheel_below_a_closed_folder_serves_all_the_same(tmp_path: Path) -> None:
    class Elsewhere(Postgres18):
        def _find_binaries(self) -> Path:
            installed = super()._find_binaries()
            for part in (self._programs.parent, self._libraries):
                shutil.copytree(installed.parents[2] / part, tmp_path / part, symlinks=True)
            return tmp_path / self._programs

    tmp_path.chmod(0o700)
    with Elsewhere() as server:
        assert await server.fetch("SELECT 1") == [(1,)]
