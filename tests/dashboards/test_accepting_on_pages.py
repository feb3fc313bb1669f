"""Drifts are accepted and opened again on pages: without scripts, by whoever may, mistakes told in place."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from tests.api.house import House, house, record
from tests.servers.browser import Browser

DJANGO, URLLIB3 = "pkg:pypi/django", "pkg:pypi/urllib3"
TODAY = datetime.now(UTC).date()
FUTURE = (TODAY + timedelta(days=20)).isoformat()
#: Young ones wait for a second look.
OPEN = ("pending", "open")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def differing(here: House) -> None:
    now = datetime.now(UTC)
    for ago in (2, 1):
        for environment, django, urllib3 in (("staging", "4.2.26", "1.26.20"), ("prod-eu", "5.2.8", "2.5.0")):
            facts: Any = {"dependencies": {DJANGO: django, URLLIB3: urllib3}}
            await record(here, environment, "checkout", facts, at=now - timedelta(minutes=ago))
    await here.settle()


@pytest.fixture
async def open_house(tmp_path: Path) -> AsyncIterator[House]:
    """A Parity with two drifts, open to this machine."""
    async with house(tmp_path, auth="none") as here:
        await differing(here)
        yield here


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[House]:
    """The same, for those with a token."""
    async with house(tmp_path) as here:
        await differing(here)
        yield here


async def drifts(here: House, who: str | None = "read") -> dict[str, dict[str, Any]]:
    found = await here.json("/api/v1/drift?comparison=staging..prod-eu", who=who)
    return {one["item"]: one for one in found["items"]}


async def said(page: Page) -> str:
    return " ".join((await page.locator("main").inner_text()).split())


async def test_a_drift_is_accepted_and_reopened_without_scripts(open_house: House, browser: Browser) -> None:
    path = f"/drift/{(await drifts(open_house, None))[DJANGO]['drift_id']}"
    page = await browser.page(f"{open_house.url}{path}", scripts=False)
    await page.click("summary:has-text('Accept…')")
    # A reason of blanks passes the browser; the service says what is missing, and keeps the rest.
    await page.fill("#reason", "   ")
    await page.fill("#expires", FUTURE)
    await page.select_option("#until", "changed")
    await page.click("#accept button")
    assert "say why" in await page.locator(".field:has(#reason) .wrong").inner_text()
    assert await page.get_attribute("#reason", "aria-invalid") == "true"
    assert await page.input_value("#expires") == FUTURE
    assert await page.input_value("#until") == "changed"
    assert (await drifts(open_house, None))[DJANGO]["state"] in OPEN

    await page.fill("#reason", "waits for <b>the LTS</b>")
    await page.click("#accept button")
    assert page.url == f"{open_house.url}{path}"
    assert "waits for <b>the LTS</b>" in await said(page)
    one = (await drifts(open_house, None))[DJANGO]
    accepted = one["accepted"]
    assert (one["state"], accepted["until"], accepted["author"]) == ("accepted", "changed", "local")
    assert accepted["expires_at"][:10] == (TODAY + timedelta(days=21)).isoformat()

    await page.click("button:has-text('Reopen')")
    assert page.url == f"{open_house.url}{path}"
    assert (await drifts(open_house, None))[DJANGO]["state"] in OPEN
    assert "it ended" in await page.locator(".trace").inner_text()
    await page.context.close()


async def test_what_is_ticked_is_accepted_at_once_for_one_reason(open_house: House, browser: Browser) -> None:
    page = await browser.page(f"{open_house.url}/drift?service=checkout", scripts=False)
    await page.click("summary:has-text('Accept the chosen')")
    await page.fill("#reason", "the upgrade of June")
    await page.select_option("#for", "30d")
    await page.click("#accept button")
    assert "tick the drifts that are meant" in await said(page)
    assert await page.input_value("#reason") == "the upgrade of June"
    assert await page.input_value("#for") == "30d"
    for name in ("django", "urllib3"):
        await page.check(f"input[aria-label='Choose {name} of checkout']")
    await page.click("#accept button")
    day = (TODAY + timedelta(days=30)).isoformat()
    made = f"2 differences accepted until {day} by local: the upgrade of June. Open them again: "
    assert made in await page.locator("[role=status]").inner_text()
    assert page.url.startswith(f"{open_house.url}/drift?service=checkout&accepted=")
    assert await page.locator("tr.accepted").count() == 2
    found = await drifts(open_house, None)
    assert {one["state"] for one in found.values()} == {"accepted"}
    (made,) = (await open_house.json("/api/v1/accepted", who=None))["items"]
    assert (made["holds_for"], made["reason"]) == (2, "the upgrade of June")
    assert made["expires_at"][:10] == (TODAY + timedelta(days=30)).isoformat()
    await page.context.close()


async def test_all_are_ticked_with_one_box_where_scripts_run(open_house: House, browser: Browser) -> None:
    page = await browser.page(f"{open_house.url}/drift")
    await page.check("[aria-label='Choose all']")
    assert await page.locator("input[name=drift]:checked").count() == 2
    await page.context.close()
    assert browser.errors == []


async def test_the_page_tells_what_explain_tells(open_house: House, browser: Browser) -> None:
    drift = (await drifts(open_house, None))[DJANGO]
    told = await open_house.json(
        f"/api/v1/explain?left=staging&right=prod-eu&service=checkout&item={DJANGO}", who=None
    )
    page = await browser.page(f"{open_house.url}/drift/{drift['drift_id']}")
    trace = " ".join((await page.locator(".trace").inner_text()).split())
    assert told["because"] in trace
    assert [step["rule"] for step in told["rules"] if step["rule"] not in trace] == []
    assert "→ expect: equal" in trace
    assert "5.2.8 ← taken" in trace
    narrow = await browser.page(f"{open_house.url}/drift/{drift['drift_id']}", width=400)
    assert await narrow.evaluate("document.documentElement.scrollWidth") <= 400
    await page.context.close()
    await narrow.context.close()
    assert browser.errors == []


async def session(here: House, who: str) -> dict[str, str]:
    done = await here.ask("POST", "/login", who=None, data={"token": here.tokens[who]})
    return {"Cookie": done.headers["Set-Cookie"].partition(";")[0], "Origin": here.url}


async def test_only_who_may_write_is_shown_the_forms_and_is_their_author(guarded: House) -> None:
    path = f"/drift/{(await drifts(guarded))[DJANGO]['drift_id']}"
    form = {"reason": "waits for the LTS", "for": "14d", "expires": "", "until": ""}
    reader, admin = await session(guarded, "read"), await session(guarded, "admin")
    for address in ("/drift", path):
        plain = await (await guarded.get(address, who=None, headers=reader)).text()
        assert 'method="post" action="/drift' not in plain
        assert (
            'method="post" action="/drift'
            in await (await guarded.get(address, who=None, headers=admin)).text()
        )
        refused = await guarded.ask("POST", address, who=None, headers=reader, data=form)
        assert refused.status == 403
    foreign = await guarded.ask(
        "POST", path, who=None, headers={**admin, "Origin": "https://evil.example"}, data=form
    )
    assert foreign.status == 403
    assert (await drifts(guarded))[DJANGO]["state"] in OPEN
    done = await guarded.ask("POST", path, who=None, headers=admin, data=form)
    assert (done.status, done.headers["Location"]) == (303, path)
    accepted = (await drifts(guarded))[DJANGO]["accepted"]
    assert (accepted["author"], accepted["until"]) == ("admin", "worse")


async def test_who_may_write_and_not_read_learns_nothing_from_a_mistake(guarded: House) -> None:
    one = (await drifts(guarded))[DJANGO]
    for path in ("/drift", f"/drift/{one['drift_id']}"):
        refused = await guarded.ask("POST", path, who="write", data={"reason": ""})
        assert refused.status == 422
        assert "django" not in await refused.text()


@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        ({"reason": ""}, 422, "say why"),
        ({"reason": "a" * 1001}, 422, "at most 1000 characters"),
        ({"reason": "a\0b"}, 422, "printable"),
        ({"expires": "2026-02-30"}, 422, "no day of the calendar"),
        ({"expires": "2020-01-01"}, 422, "is over"),
        ({"expires": "2199-12-31"}, 422, "at most two years"),
        ({"for": "soon"}, 422, "no duration"),
        ({"for": "999999y"}, 422, "at most two years"),
        ({"until": "never"}, 422, "choose one of the list"),
    ],
)
async def test_a_mistake_is_told_on_the_page_and_changes_nothing(
    open_house: House, fields: dict[str, str], status: int, message: str
) -> None:
    one = (await drifts(open_house, None))[DJANGO]
    form = {"reason": "so", "for": "14d", "expires": "", "until": "", **fields}
    for path, more in ((f"/drift/{one['drift_id']}", {}), ("/drift", {"drift": one["drift_id"]})):
        answer = await open_house.ask("POST", path, who=None, data={**form, **more})
        assert (answer.status, answer.content_type) == (status, "text/html")
        assert message in await answer.text()
    assert (await drifts(open_house, None))[DJANGO]["state"] in OPEN


async def test_what_is_no_such_form_or_drift_is_refused(open_house: House) -> None:
    one = (await drifts(open_house, None))[DJANGO]
    path, form = f"/drift/{one['drift_id']}", {"reason": "so", "for": "14d"}
    for address in (path, "/drift", f"{path}/reopen"):
        assert (await open_house.ask("POST", address, who=None, json={"reason": "so"})).status == 415
    for nobody in ("01JD9W3Z6M6C3Y9S5V2H3R7K1A", "nonsense"):
        assert (await open_house.ask("POST", f"/drift/{nobody}", who=None, data=form)).status == 404
        chosen = {**form, "drift": nobody}
        assert (await open_house.ask("POST", "/drift", who=None, data=chosen)).status == 404
    not_accepted = await open_house.ask("POST", f"{path}/reopen", who=None, headers=FORM)
    assert not_accepted.status == 409
    flood = "&".join(f"f{number}=" for number in range(2000))
    assert (await open_house.ask("POST", path, who=None, headers=FORM, data=flood)).status == 413
    assert (await open_house.ask("POST", "/login", who=None, headers=FORM, data=flood)).status in (303, 413)


async def test_what_is_over_meanwhile_is_told_and_nothing_is_accepted(open_house: House) -> None:
    known = await drifts(open_house, None)
    same: Any = {"dependencies": {DJANGO: "4.2.26", URLLIB3: "2.5.0"}}
    for ago in (30, 5):
        await record(open_house, "staging", "checkout", same, at=datetime.now(UTC) - timedelta(seconds=ago))
        await open_house.settle()
    assert set(await drifts(open_house, None)) >= {DJANGO}
    ids = [known[name]["drift_id"] for name in (DJANGO, URLLIB3)]
    body = "&".join(["reason=so", "for=14d", *(f"drift={one}" for one in ids)])
    answer = await open_house.ask("POST", "/drift", who=None, headers=FORM, data=body)
    assert answer.status == 409
    text = await answer.text()
    assert f"{URLLIB3} of checkout in staging..prod-eu is " in text
    assert "there is nothing to accept" in text
    assert (await open_house.json("/api/v1/accepted", who=None))["items"] == []
