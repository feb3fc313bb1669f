"""Tokens over the API: told once, listed without their secret, ended at once; a wrong word is named."""

from typing import Any

import pytest
from sqlalchemy import select

from detector.store.register_tables import audit_event
from tests.api.house import House

GOOD: dict[str, Any] = {"name": "pipeline", "scopes": ["push:staging/checkout"], "for": "90d"}


async def test_a_token_is_told_once_works_and_ends(empty: House) -> None:
    response = await empty.ask("POST", "/api/v1/tokens", who="admin", json=GOOD)
    assert (response.status, response.headers["Cache-Control"]) == (200, "no-store")
    token = (await response.json())["token"]
    path = "/api/v1/environments/staging/services/checkout/observations/ci"
    mine = {"Authorization": f"Bearer {token}", "If-Match": '"00"'}
    assert (await empty.ask("PUT", path, who=None, headers=mine)).status == 412
    listed = await empty.json("/api/v1/tokens", who="admin")
    assert token.split("_")[2] not in str(listed)
    row = next(one for one in listed["items"] if one["name"] == "pipeline")
    assert (row["scopes"], row["revoked_at"]) == (GOOD["scopes"], None)
    for _ in range(2):  # ended twice it is ended
        ended = await empty.ask("DELETE", f"/api/v1/tokens/{row['id']}", who="admin")
        assert (ended.status, (await ended.json())["revoked_at"] is None) == (200, False)
    assert (await empty.ask("PUT", path, who=None, headers=mine)).status == 401
    async with empty.running.reading.store._database.read() as connection:
        acts = select(audit_event.c.action, audit_event.c.actor, audit_event.c.target, audit_event.c.detail)
        told = [
            tuple(one) for one in await connection.execute(acts.where(audit_event.c.action.like("token.%")))
        ]
    made = {"name": "pipeline", "scopes": GOOD["scopes"]}
    # Once each: what had ended already was not ended again.
    assert told == [("token.create", "admin", row["id"], made), ("token.revoke", "admin", row["id"], None)]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"name": None}, "/name"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": "admin"}, "/scopes"),
        ({"scopes": ["read", "everything"]}, "/scopes/1"),
        ({"for": "soon"}, "/for"),
        ({"for": "0d"}, "/for"),
        ({"for": 90}, "/for"),
        ({"for": "999999y"}, "/for"),
        ({"secret": "mine"}, ""),
    ],
)
async def test_a_wrong_word_is_named(empty: House, change: dict[str, Any], pointer: str) -> None:
    response = await empty.ask("POST", "/api/v1/tokens", who="admin", json={**GOOD, **change})
    assert response.status == 422
    assert (await response.json())["errors"][0]["pointer"] == pointer


async def test_a_token_that_is_not_there_cannot_be_ended(empty: House) -> None:
    assert (await empty.ask("DELETE", "/api/v1/tokens/nobody", who="admin")).status == 404
