"""Everything over the API: what the command writes, for admins alone, and not before the store answers."""

from tests.api.house import House


async def test_the_export_is_what_the_store_writes(seeded: House) -> None:
    response = await seeded.get("/api/v1/export", who="admin")
    assert (response.status, response.headers["Content-Type"]) == (200, "application/x-ndjson")
    store = seeded.running.reading.store
    assert await response.read() == b"".join([lines async for lines in store.export()])
    head = await seeded.ask("HEAD", "/api/v1/export", who="admin")
    assert (head.status, await head.read()) == (200, b"")
    assert (await seeded.get("/api/v1/export", who="read")).status == 403
