import socket
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from detector.api.access import MOST_FAILURES
from detector.api.app import sign_in_link
from detector.api.keys import LINKS
from detector.api.route import Route
from detector.api.routes import ROUTES
from detector.api.tokens import ensure_first_token, is_scope, mint
from detector.store.store import open_store
from tests.api.house import House, house

#: Names for the places of an address, so that a route can be asked at all.
NAMES = {
    "{service}": "checkout",
    "{item}": "pkg%3Apypi%2Fdjango",
    "{environment}": "staging",
    "{source}": "ci",
    "{number}": "1",
    "{id}": "01JD9W3Z6M6C3Y9S5V2H3R7K1A",
    "{name}": "parity.css",
    "{pair:[^/]+}": "staging..prod-eu",
    "{pair}": "staging..prod-eu",
}
#: Caller -> scopes of routes that answer it; every caller may ask what is public.
ALLOWED = {
    None: set(),
    "read": {"read"},
    "push": {"push", "heartbeat", "deploy"},  # the address below is of staging, which this token is for
    "push-one": {"heartbeat", "deploy"},
    "write": {"deploy", "drift:write"},
    "admin": {"read", "push", "heartbeat", "deploy", "drift:write", "admin"},
    "expired": set(),
    "revoked": set(),
}
ROUTE_IDS = [f"{route.method} {route.path}" for route in ROUTES]


def address(route: Route) -> str:
    path = route.path
    for place, name in NAMES.items():
        path = path.replace(place, name)
    assert "{" not in path, f"the tests have no name for a place of {route.path}"
    return path


@pytest.mark.parametrize("route", ROUTES, ids=ROUTE_IDS)
async def test_a_route_answers_those_who_have_its_scope_and_nobody_else(empty: House, route: Route) -> None:
    for who, scopes in ALLOWED.items():
        response = await empty.ask(route.method, address(route), who=who)
        shown = f"{who}: {response.status}"
        if route.scope == "public" or route.scope in scopes:
            assert response.status not in (401, 403), shown
            assert not response.headers.get("Location", "").startswith("/login?next="), shown
        elif who in ("read", "push", "push-one", "write"):
            assert response.status == 403, shown
        elif route.page and route.method == "GET":
            assert (response.status, response.headers["Location"][:12]) == (303, "/login?next="), shown
        else:
            assert response.status == 401, shown
            assert "Bearer" in response.headers["WWW-Authenticate"], shown


def test_only_what_tells_nothing_is_public() -> None:
    public = {(route.method, route.path) for route in ROUTES if route.scope == "public"}
    assert public == {
        ("GET", "/livez"),
        ("GET", "/readyz"),
        ("GET", "/login"),
        ("POST", "/login"),
        ("GET", "/static/{name}"),
    }


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/environments/prod-eu/services/checkout/observations/ci",  # another environment
        "/api/v1/environments/staging-2/services/checkout/observations/ci",  # its name only begins alike
    ],
)
async def test_a_push_token_is_for_its_environment_alone(empty: House, path: str) -> None:
    response = await empty.ask("PUT", path, who="push", json={})
    assert (response.status, (await response.json(content_type=None))["type"]) == (
        403,
        "/problems/scope-mismatch",
    )


async def test_a_push_token_of_a_service_is_for_that_service_alone(empty: House) -> None:
    path = "/api/v1/environments/prod-eu/services/{}/observations/ci"
    assert (await empty.ask("PUT", path.format("search"), who="push-one", json={})).status == 403
    assert (await empty.ask("PUT", path.format("checkout"), who="push-one", json={})).status == 422


async def slug(
    here: House, authorization: str | list[tuple[str, str]], path: str = "/api/v1/matrix"
) -> tuple[int, str]:
    headers = authorization if isinstance(authorization, list) else [("Authorization", authorization)]
    async with here.client.get(f"{here.url}{path}", headers=headers) as response:
        if response.content_type != "application/problem+json":
            return response.status, ""
        return response.status, (await response.json(content_type=None))["type"].removeprefix("/problems/")


async def test_what_is_no_token_is_told_so(empty: House) -> None:
    token = empty.tokens["read"]
    wrong = token[:-4] + ("AAAA" if not token.endswith("AAAA") else "BBBB")
    nobody = f"par_000000000000_{token[17:]}"
    for authorization in ("Bearer ", "Basic cGFyOnBhcg==", f"Bearer {token}x", "Bearer " + "a" * 5000, wrong):
        assert await slug(empty, authorization) == (401, "unauthenticated"), authorization[:20]
    assert await slug(empty, f"Bearer {wrong}") == (401, "unauthenticated")
    assert await slug(empty, f"Bearer {nobody}") == (401, "unauthenticated")
    twice = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
    assert await slug(empty, twice) == (401, "unauthenticated")
    assert await slug(empty, f"Bearer {empty.tokens['expired']}") == (401, "token-expired")
    assert await slug(empty, f"Bearer {empty.tokens['revoked']}") == (401, "token-revoked")
    # The scheme is a word without case, and so is nothing else.
    assert await slug(empty, f"bEaReR {token}") == (200, "")


async def test_unknown_id_and_wrong_secret_look_alike(empty: House) -> None:
    token = empty.tokens["read"]
    bodies = []
    for given in (f"par_000000000000_{token[17:]}", f"{token[:17]}{'A' * 43}"):
        async with empty.client.get(
            f"{empty.url}/api/v1/matrix", headers={"Authorization": f"Bearer {given}", "X-Request-Id": "same"}
        ) as response:
            bodies.append((response.status, await response.read()))
    assert bodies[0] == bodies[1]


async def test_a_token_that_is_not_ascii_is_no_defect(empty: House) -> None:
    status, found = await slug(empty, "Bearer par_éééééééééééé_x")
    assert (status, found) in ((401, "unauthenticated"), (400, ""))


async def test_a_token_in_the_query_lets_nobody_in(empty: House) -> None:
    assert (await empty.get(f"/api/v1/matrix?token={empty.tokens['admin']}", who=None)).status == 401


async def test_many_unknown_tokens_are_told_to_wait_and_a_right_one_is_not(empty: House) -> None:
    unknown = f"Bearer par_{'0' * 12}_{'A' * 43}"
    found = [await slug(empty, unknown) for _ in range(MOST_FAILURES + 1)]
    assert found[:-1] == [(401, "unauthenticated")] * MOST_FAILURES
    assert found[-1] == (429, "rate-limited")
    assert (await empty.get("/api/v1/matrix")).status == 200


async def test_a_revoked_token_is_dead_at_once(empty: House) -> None:
    token = empty.tokens["read"]
    assert (await slug(empty, f"Bearer {token}"))[0] == 200
    await empty.running.reading.store.revoke_token(token.split("_")[1], datetime.now(UTC))
    assert await slug(empty, f"Bearer {token}") == (401, "token-revoked")


async def test_a_token_ends_when_its_time_is_over_although_it_was_just_used(
    empty: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = empty.tokens["read"]
    assert (await slug(empty, f"Bearer {token}"))[0] == 200
    a_day_on = datetime.now(UTC) + timedelta(days=1)

    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Later":
            return cls.fromtimestamp(a_day_on.timestamp(), tz)

    monkeypatch.setattr("detector.api.app.datetime", Later)
    assert await slug(empty, f"Bearer {token}") == (401, "token-expired")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8080", 200),
        ("127.0.0.1", 200),
        ("[::1]:8080", 200),
        ("parity.localhost", 200),
        (f"{socket.gethostname()}:8080", 200),  # what a neighbour in a container network says
        ("10.2.3.4:9000", 200),  # no name of a stranger can be made to be an address
        ("evil", 421),
        ("evil.example:8080", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
    ],
)
async def test_only_its_own_names_are_answered(empty: House, host: str, status: int) -> None:
    assert (await empty.get("/api/v1/matrix", headers={"Host": host})).status == status


async def test_a_first_token_is_made_once(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path / 'parity.db'}")
    try:
        first = await ensure_first_token(store)
        assert first is not None
        assert first.startswith("par_")
        assert [row.scopes for row in await store.tokens()] == [("admin",)]
        assert await ensure_first_token(store) is None
    finally:
        await store.close()


async def test_no_token_is_stored_as_it_is(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        secrets = [token.split("_", 2)[2] for token in here.tokens.values()]
        await here.running.reading.store.flush()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("parity.db*"))
    assert [secret for secret in secrets if secret.encode() in stored] == []


def test_scopes_are_a_closed_list() -> None:
    good = ("read", "drift:write", "admin", "push:prod-eu", "push:prod-eu/checkout")
    bad = ("", "write", "push", "push:", "push:Prod", "push:prod/", "push:prod/a b", "read ", "admin\n")
    assert [scope for scope in good if not is_scope(scope)] == []
    assert [scope for scope in bad if is_scope(scope)] == []


# --- people ---------------------------------------------------------------------------------------


async def test_the_link_of_the_log_signs_in_once(empty: House) -> None:
    link = sign_in_link(empty.app)
    assert link is not None
    path = link.removeprefix("http://localhost:8080")
    first = await empty.get(path, who=None)
    assert (first.status, first.headers["Location"]) == (303, "/")
    cookie = first.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    session = cookie.partition(";")[0]
    assert (await empty.get("/", who=None, headers={"Cookie": session})).status == 200
    assert (await empty.get(path, who=None)).status == 401


async def test_a_link_ends_by_itself(empty: House) -> None:
    code = empty.app[LINKS].new(datetime.now(UTC) - timedelta(minutes=16))
    assert (await empty.get(f"/login?code={code}", who=None)).status == 401


async def test_looking_at_a_link_does_not_spend_it(empty: House) -> None:
    path = (sign_in_link(empty.app) or "").removeprefix("http://localhost:8080")
    assert (await empty.ask("HEAD", path, who=None)).status == 200
    assert (await empty.get(path, who=None)).status == 303


async def test_a_token_signs_in_with_its_own_scopes(empty: House) -> None:
    form = {"token": empty.tokens["read"]}
    done = await empty.ask("POST", "/login?next=/drift", who=None, data=form)
    assert (done.status, done.headers["Location"]) == (303, "/drift")
    session = {"Cookie": done.headers["Set-Cookie"].partition(";")[0]}
    assert (await empty.get("/drift", who=None, headers=session)).status == 200
    reload = await empty.ask("POST", "/-/reload", who=None, headers={**session, "Origin": empty.url})
    assert reload.status == 403


async def test_a_session_ends_when_one_signs_out(empty: House) -> None:
    done = await empty.ask("POST", "/login", who=None, data={"token": empty.tokens["read"]})
    session = {"Cookie": done.headers["Set-Cookie"].partition(";")[0], "Origin": empty.url}
    assert (await empty.ask("POST", "/logout", who=None, headers=session)).status == 303
    assert (await empty.get("/api/v1/matrix", who=None, headers=session)).status == 401


async def test_a_wrong_token_leaves_one_at_the_door(empty: House) -> None:
    refused = await empty.ask("POST", "/login", who=None, data={"token": "par_nonsense"})
    assert refused.status == 401
    assert "Set-Cookie" not in refused.headers
    assert "par_nonsense" not in await refused.text()


@pytest.mark.parametrize(
    "following",
    ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/ok\r\nX: y"],
)
async def test_signing_in_leads_nowhere_else(empty: House, following: str) -> None:
    response = await empty.ask("POST", "/login", who=None, params={"next": following}, data={"token": "x"})
    assert response.status == 422


async def test_a_page_of_another_origin_changes_nothing(empty: House) -> None:
    foreign = {"Origin": "https://evil.example"}
    assert (await empty.ask("POST", "/-/reload", who="admin", headers=foreign)).status == 403
    assert (await empty.ask("POST", "/login", who=None, data={"token": "x"}, headers=foreign)).status == 403
    assert (await empty.ask("POST", "/-/reload", who="admin")).status == 200
    done = await empty.ask("POST", "/login", who=None, data={"token": empty.tokens["admin"]})
    session = {"Cookie": done.headers["Set-Cookie"].partition(";")[0]}
    # A cookie comes along by itself, so that without an origin nobody knows who asked.
    assert (await empty.ask("POST", "/-/reload", who=None, headers=session)).status == 403
    own = {**session, "Origin": empty.url}
    assert (await empty.ask("POST", "/-/reload", who=None, headers=own)).status == 200


async def test_behind_https_the_cookie_is_bound_to_its_host(tmp_path: Path) -> None:
    async with house(tmp_path, public_url="https://parity.example.org") as here:
        host = {"Host": "parity.example.org"}
        done = await here.ask("POST", "/login", who=None, data={"token": here.tokens["read"]}, headers=host)
        cookie = done.headers["Set-Cookie"]
        assert cookie.startswith("__Host-parity=par_")
        assert "Secure" in cookie
        assert "Domain" not in cookie


async def test_without_auth_this_machine_may_ask_everything(tmp_path: Path) -> None:
    async with house(tmp_path, auth="none") as here:
        assert sign_in_link(here.app) is None
        assert (await here.get("/", who=None)).status == 200
        assert (await here.ask("POST", "/-/reload", who=None)).status == 200
        # A page elsewhere could still make a browser on this machine ask.
        foreign = {"Origin": "https://evil.example"}
        assert (await here.ask("POST", "/-/reload", who=None, headers=foreign)).status == 403
        assert (await here.get("/api/v1/matrix", who=None, headers={"Host": "evil.example"})).status == 421


async def test_a_session_lasts_no_longer_than_the_token_behind_it(empty: House) -> None:
    store, now = empty.running.reading.store, datetime.now(UTC)
    token = await mint(store, name="short", scopes=("read",), now=now, lasts=timedelta(minutes=1))
    done = await empty.ask("POST", "/login", who=None, data={"token": token})
    session = next(row for row in await store.tokens() if row.name == "session of short")
    assert done.status == 303
    assert session.expires_at is not None
    assert session.expires_at <= now + timedelta(minutes=1, seconds=1)
