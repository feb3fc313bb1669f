"""The socket of a service: for its user alone, in place of a stale one, and never of what is not ours."""

import os
import pwd
import socket
import stat
from pathlib import Path

import pytest
from aiohttp import web

from detector.api.local_socket import address_of, answers, listening
from detector.cli.remote import Remote
from detector.errors import StoreError, StoreInUseError
from tests.api.house import House


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "parity.db.sock"


@pytest.fixture
def stale(path: Path) -> Path:
    """As a killed service leaves it."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    return path


@pytest.fixture
def long(tmp_path: Path) -> Path:
    folder = tmp_path / ("d" * 120)
    folder.mkdir()
    return folder / "parity.db.sock"


def test_it_is_for_its_user_alone_whatever_the_mask(path: Path) -> None:
    before = os.umask(0)
    try:
        with listening(path):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    finally:
        os.umask(before)


def test_nothing_there_and_a_stale_socket_do_not_answer(stale: Path, tmp_path: Path) -> None:
    assert not answers(tmp_path / "nothing")
    assert not answers(stale)
    with listening(stale):
        assert answers(stale)


def test_a_socket_that_answers_is_left_alone(path: Path) -> None:
    with listening(path), pytest.raises(StoreInUseError, match="another service listens on"):
        listening(path)


@pytest.mark.parametrize("kind", ["file", "folder", "link to a socket"])
def test_what_is_no_socket_is_refused_and_left(path: Path, kind: str) -> None:
    target = path.with_name("elsewhere")
    if kind == "file":
        path.write_text("letters")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(target)
    for look in (listening, answers):
        with listening(target), pytest.raises(StoreError, match="no socket of Parity: move it away"):
            look(path)
    assert path.is_symlink() or path.exists()


def test_a_socket_of_another_user_is_not_spoken_to(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(path):
        owner = path.stat().st_uid
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1000)
        with pytest.raises(StoreError, match="of another user: run this as"):
            answers(path)
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        assert answers(path)


def test_a_path_longer_than_an_address_is_reached_all_the_same(long: Path) -> None:
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    with listening(long):
        assert answers(long)
        with address_of(long) as address:
            assert len(address) < 108
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


async def test_who_comes_through_it_needs_no_token_and_is_known_by_name(seeded: House, long: Path) -> None:
    me = f"{pwd.getpwuid(os.geteuid()).pw_name}@{socket.gethostname()}"
    await web.SockSite(seeded.runner, listening(long)).start()
    async with Remote(long) as remote:
        made = await remote.ask("POST", "/tokens", body={"name": "ci", "scopes": ["read"], "for": "1d"})
        (row,) = [one for one in (await remote.ask("GET", "/tokens"))["items"] if one["name"] == "ci"]
        assert made["token"].startswith(f"par_{row['id']}_")
        drift, *_ = (await remote.ask("GET", "/drift"))["items"]
        said = {"reason": "soaks", "for": "3d"}
        accepted = await remote.ask("POST", f"/drift/{drift['drift_id']}/accept", body=said)
        assert accepted["author"] == me
    # The network is asked for a token as ever.
    assert (await seeded.get("/api/v1/tokens", who=None)).status == 401
