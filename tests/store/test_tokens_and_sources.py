"""Who may, and how sources fared."""

from detector.store.store import Store, open_store
from tests.store.seen import minute


async def test_a_token_is_kept_by_its_hash_until_it_is_revoked(store: Store) -> None:
    await store.add_token("t1", "ci", b"\x01" * 32, ("push:prod",), minute(60), minute(0))
    await store.add_token("t2", "admin", b"\x02" * 32, ("admin",), None, minute(1))
    found = await store.token("t1")
    assert found is not None
    assert (found.name, found.hash, found.scopes) == ("ci", b"\x01" * 32, ("push:prod",))
    assert (found.created_at, found.expires_at, found.revoked_at) == (minute(0), minute(60), None)
    assert await store.token("t3") is None
    assert await store.revoke_token("t1", minute(5))
    assert not await store.revoke_token("t1", minute(6)), "it has ended already"
    assert not await store.revoke_token("t3", minute(6))
    assert [(row.id, row.revoked_at) for row in await store.tokens()] == [("t1", minute(5)), ("t2", None)]


async def test_a_source_keeps_its_last_run_and_its_last_success(url: str) -> None:
    store = await open_store(url)
    await store.record_run("prod", None, "docker", at=minute(0), result="ok", detail="", duration=0.25)
    for at in (1, 2):
        await store.record_run(
            "prod",
            None,
            "docker",
            at=minute(at),
            result="timeout",
            detail="no answer within 30 s",
            duration=30,
        )
    for _ in range(2):
        (row,) = await store.sources()
        assert (row.environment, row.service, row.source) == ("prod", None, "docker")
        assert (row.last_run, row.last_success) == (minute(2), minute(0))
        assert (row.last_result, row.detail, row.duration) == ("timeout", "no answer within 30 s", 30)
        await store.flush()
    await store.record_run("prod", None, "docker", at=minute(3), result="denied", detail="", duration=1)
    assert (await store.sources())[0].last_success == minute(0), "also across a flush"
    await store.close()
    store = await open_store(url)
    assert (await store.sources())[0].last_result == "denied"
    await store.record_run("dev", "a", "lockfile", at=minute(4), result="ok", detail="", duration=1)
    assert [row.environment for row in await store.sources()] == ["dev", "prod"]
    await store.close()
