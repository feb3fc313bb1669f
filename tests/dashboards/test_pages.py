"""What every page keeps to: no word of a stranger becomes markup, no state is told by colour alone."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from detector.api.display import SIGNS
from detector.api.templates import path_of
from detector.model.facts import Unseen
from detector.model.words import SEVERITIES
from tests.api.house import House, house, record
from tests.dashboards.world import CONFIG, fill
from tests.servers.browser import Browser

PAGES = (
    "/",
    "/diff/staging..prod-eu",
    "/services/checkout",
    "/environments/staging",
    "/drift",
    "/factors",
    "/sources",
)
#: Names that anyone can put into a package, an image, a label or an error.
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "</title></textarea></code><svg/onload=alert(1)>",
    "&lt;b&gt;",
    "\u202egnp.exe",
)
CANARY = "canary-7f3a91"


@pytest.fixture(scope="module")
def two_months(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a Parity that watched a shop for two months, and stopped."""
    folder = tmp_path_factory.mktemp("shop")

    async def live() -> None:
        async with house(folder, auth="none", config=CONFIG) as here:
            await fill(here)

    asyncio.run(live())
    return folder


@pytest.fixture
async def full(two_months: Path, tmp_path: Path) -> AsyncIterator[House]:
    """Two months of a shop, on a Parity that is open to this machine."""
    shutil.copytree(two_months, tmp_path, dirs_exist_ok=True)
    async with house(tmp_path, auth="none", config=CONFIG) as here:
        yield here


@pytest.fixture
async def hostile(tmp_path: Path) -> AsyncIterator[House]:
    """A Parity whose every name comes from somebody who means harm."""
    async with house(tmp_path, auth="none") as here:
        now = datetime.now(UTC)
        for minutes in (3, 2):
            for number, (environment, version) in enumerate((("staging", "1"), ("prod-eu", "2"))):
                at = now - timedelta(minutes=minutes)
                names = {f"pkg:pypi/{name}": f"{version}{name}" for name in HOSTILE}
                await record(
                    here,
                    environment,
                    "checkout",
                    {
                        "dependencies": names,
                        "config": {name: {"type": "text"} for name in HOSTILE[number:]},
                        "release": {"image#tag": f"{version}{HOSTILE[0]}"},
                        "processes": {"command": {HOSTILE[1]: HOSTILE[number]}},
                    },
                    at=at,
                    component=HOSTILE[1],
                    unseen=(Unseen(item=HOSTILE[0], reason="denied", detail=HOSTILE[1]),),
                )
                await record(here, environment, HOSTILE[0], {"dependencies": names}, at=at, source=HOSTILE[2])
        await here.settle()
        yield here


class Markup(HTMLParser):
    """Gathers the tags and attributes of a page, and what it says."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


async def markup(here: House, path: str) -> Markup:
    response = await here.get(path, who=None)
    assert (response.status, response.content_type) == (200, "text/html"), path
    return Markup(await response.text())


async def every_page(here: House) -> list[str]:
    drifts = (await here.json("/api/v1/drift?limit=1000", who=None))["items"]
    services = (await here.json("/api/v1/services", who=None))["items"]
    paths = [*PAGES, *(f"/drift/{drift['drift_id']}" for drift in drifts[:40])]
    return [*paths, *(path_of("services", service["service"]) for service in services)]


async def test_no_word_of_a_stranger_becomes_markup(hostile: House) -> None:
    paths = await every_page(hostile)
    assert len(paths) > 10
    said = 0
    for path in paths:
        page = await markup(hostile, path)
        scripts = [(one.get("src") or "").partition("?")[0] for one in page.named("script")]
        assert scripts == ["/static/parity.js"], path
        for tag, attributes in page.tags:
            assert not {name for name in attributes if name.startswith("on") or name == "style"}, (path, tag)
            for name in ("href", "src", "action"):
                assert (attributes.get(name) or "/").startswith(("/", "#")), (path, tag, attributes)
                assert not (attributes.get(name) or "").startswith("//"), (path, tag, attributes)
        assert {one["src"] for one in page.named("img")} <= {page.named("img")[0]["src"]}, path
        said += sum(name in "".join(page.words) for name in HOSTILE)
        assert "49" not in [word.strip() for word in page.words], path
    assert said > len(HOSTILE), "the names were not shown at all"


async def test_in_a_real_browser_a_stranger_runs_nothing(hostile: House, browser: Browser) -> None:
    for path in (await every_page(hostile))[:12]:
        page = await browser.page(f"{hostile.url}{path}")
        page.on("dialog", lambda dialog: browser.errors.append(f"dialog {dialog.message}"))
        for details in await page.query_selector_all("details"):
            await details.evaluate("one => { one.open = true }")
        await page.mouse.move(300, 300)
        await page.context.close()
    assert browser.errors == []


async def test_pages_are_drawn_in_a_real_browser_without_a_complaint(full: House, browser: Browser) -> None:
    for path in PAGES:
        for dark in (False, True):
            page = await browser.page(f"{full.url}{path}", dark=dark)
            await page.context.close()
        narrow = await browser.page(f"{full.url}{path}", width=400)
        wide = await narrow.evaluate("document.documentElement.scrollWidth")
        assert wide <= 400, f"{path} runs {wide} pixels wide on a phone"
        await narrow.context.close()
    assert browser.errors == []


async def test_the_remedy_can_be_copied(full: House, browser: Browser) -> None:
    page = await browser.page(f"{full.url}/diff/staging..prod-eu")
    button = page.locator("#dependencies .remedy .copy").first
    assert await button.text_content() == "Copy"
    assert (await button.get_attribute("aria-label") or "").startswith("Copy: in prod-eu:")


@pytest.mark.parametrize(
    "path", ["/matrix", "/diff/staging..prod-eu", "/services/checkout", "/drift", "/factors", "/sources"]
)
async def test_every_page_is_also_json_and_a_sheet(full: House, path: str) -> None:
    assert await full.json(f"{path}.json", who=None)
    sheet = await full.get(f"{path}.csv", who=None)
    assert (sheet.status, sheet.content_type) == (200, "text/csv")
    assert (await sheet.text()).count("\r\n") > 3
    page = await markup(full, "/" if path == "/matrix" else path)
    addresses = [one.get("href") for one in page.named("a")]
    assert f"{path}.json" in addresses
    assert f"{path}.csv" in addresses


async def test_a_page_and_the_interface_tell_the_same(full: House) -> None:
    page = await full.json("/diff/staging..prod-eu.json", who=None)
    interface = await full.json("/api/v1/diff?left=staging&right=prod-eu", who=None)
    assert page == interface
    drawn = await markup(full, "/diff/staging..prod-eu")
    items = [one for one in drawn.named("tbody") if (one.get("class") or "").startswith("item ")]
    assert len(items) == len(interface["items"])


async def test_tables_say_what_heads_what(full: House) -> None:
    for path in PAGES:
        page = await markup(full, path)
        assert page.named("th"), path
        assert [one for one in page.named("th") if one.get("scope") not in ("col", "row")] == [], path


async def test_the_matrix_tells_states_in_words(full: House) -> None:
    words = " ".join((await markup(full, "/")).words)
    for word in ("critical", "in sync", "expected", "stale", "unknown", "not all seen", "not deployed here"):
        assert word in words, word


def test_no_two_states_look_alike() -> None:
    shown = {name: (sign.glyph, sign.word) for name, sign in SIGNS.items()}
    assert len(set(shown.values())) == len(shown)
    green = {name for name, sign in SIGNS.items() if sign.tone == "ok"}
    assert green == {"in_sync", "resolved", "fresh", "ok", "complete", "measured"}
    assert set(SEVERITIES) <= set(SIGNS)


async def test_what_was_not_all_seen_is_never_green(full: House) -> None:
    matrix = await full.json("/api/v1/matrix", who=None)
    page = await (await full.get("/", who=None)).text()
    incomplete = [
        (row["service"], name)
        for row in matrix["rows"]
        for name, column in row["comparisons"].items()
        if not column["complete"] or column["unknown"]
    ]
    assert incomplete
    for service, name in incomplete:
        left, _, right = name.partition("..")
        assert f"{service}, {left} against {right}: in sync" not in page


async def test_a_factor_that_nobody_measures_is_never_green_nor_free_of_drift(full: House) -> None:
    document = await full.json("/factors.json", who=None)
    blind = [row for row in document["comparisons"][0]["factors"] if row["measured"] == "not_measured"]
    assert [row["factor"] for row in blind] == ["I", "XII"]
    page = await (await full.get("/factors", who=None)).text()
    for row in blind:
        line = page.partition(f'<span class="numeral">{row["factor"]}</span>')[2].partition("</tr>")[0]
        assert line.count("not measured") == 2
        assert "none" not in line.replace('class="none"', "")
        assert f"measured by {', '.join(row['would_measure'])}" in line


async def test_factors_of_one_comparison_can_be_asked_for(full: House) -> None:
    page = await markup(full, "/factors?comparison=dev..staging")
    assert len(page.named("tr")) == 13
    assert (await full.get("/factors?comparison=dev..moon", who=None)).status == 404


async def test_the_lane_and_the_trend_of_a_service_are_drawn(full: House) -> None:
    page = await markup(full, "/services/checkout")
    words = " ".join("".join(page.words).split())
    assert "takes 4d" in words
    assert "waiting" in words
    drawn = [one for one in page.named("svg") if (one.get("class") or "") == "spark"]
    assert drawn
    assert all((one.get("aria-label") or "").startswith("Score over 90 days") for one in drawn)


async def test_a_timeline_opens_at_its_newest_end_with_the_names_of_its_lanes(
    full: House, browser: Browser
) -> None:
    page = await browser.page(f"{full.url}/services/checkout", width=400, scripts=False)
    edges = """chart => {
        const seen = chart.getBoundingClientRect();
        const of = selector => [...chart.querySelectorAll(selector)].map(one => one.getBoundingClientRect());
        const newest = Math.max(...of('.dot').map(dot => dot.right));
        return [newest <= seen.right && newest > seen.right - 80, of('.lane').every(one => one.left >= 0),
            chart.scrollWidth > chart.clientWidth];
    }"""
    assert await page.locator(".chart").evaluate(edges) == [True, True, True]
    await page.context.close()


async def test_filters_of_the_matrix_live_in_its_address(full: House) -> None:
    rows = (await markup(full, "/?q=shop&drift=true")).named("tr")
    assert len(rows) == 1 + 2  # the head, shop-db and shop-cache
    assert "No service matches" in "".join((await markup(full, "/?q=nothing-like-it")).words)
    then = (datetime.now(UTC) - timedelta(days=50)).strftime("%Y-%m-%dT%H:%M")
    assert f"as of {then[:10]}" in " ".join("".join((await markup(full, f"/?as_of={then}")).words).split())


async def test_a_finding_of_one_environment_has_one_side(full: House) -> None:
    found = (await full.json("/api/v1/drift?kind=placeholder", who=None))["items"]
    assert [(drift["comparison"], drift["left"]) for drift in found] == [("prod-us", None)]
    page = await markup(full, f"/drift/{found[0]['drift_id']}")
    assert "inside prod-us" in " ".join("".join(page.words).split())
    register = await markup(full, "/drift?severity=" + found[0]["severity"])
    assert "in prod-us" in " ".join("".join(register.words).split())


async def test_the_empty_fields_of_a_form_say_nothing(full: House) -> None:
    for path in (
        "/?q=&owner=&as_of=",
        "/diff/staging..prod-eu?service=&severity=",
        "/drift?state=&service=&severity=",
    ):
        plain = await markup(full, path.partition("?")[0])
        assert len((await markup(full, path)).named("tr")) == len(plain.named("tr")), path
    assert (await full.get("/api/v1/drift?service=", who=None)).status == 422  # no form is sent there


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("/", "parity once"),
        ("/diff/dev..staging", "parity once"),
        ("/drift", "parity once"),
        ("/services/checkout", "parity snapshot --service checkout"),
        ("/factors", "comparisons: [{left: staging, right: prod, gate: true}]"),
        ("/sources", "parity push --env staging --service checkout --source ci FILE"),
    ],
)
async def test_an_empty_page_says_what_to_do_next(tmp_path: Path, path: str, command: str) -> None:
    config = (
        "version: 1\nserver: {listen: '127.0.0.1:8080', public_url: 'PUBLIC_URL', auth: AUTH}\n"
        "environments: [{name: dev}, {name: staging}]\n"
    )
    if path not in ("/", "/drift"):
        config += "services: [{name: checkout, sources: {staging: [{type: push, name: ci}]}}]\n"
    async with house(tmp_path, auth="none", config=config) as here:
        assert command in "".join((await markup(here, path)).words)


async def test_names_of_a_path_stay_in_their_part(hostile: House) -> None:
    assert path_of("services", "../../etc/passwd?x#y") == "/services/..%2F..%2Fetc%2Fpasswd%3Fx%23y"
    assert path_of("services", "//evil.example") == "/services/%2F%2Fevil.example"


async def test_no_value_of_config_is_on_any_page(tmp_path: Path) -> None:
    config = (
        "version: 1\nserver: {listen: '127.0.0.1:8080', public_url: 'PUBLIC_URL', auth: AUTH}\n"
        "environments: [{name: staging, tier: staging}, {name: prod-eu, tier: production}]\n"
        "services:\n  - name: checkout\n    sources:\n"
        "      staging: [{type: dotenv, path: staging.env}]\n"
        "      prod-eu: [{type: dotenv, path: prod.env}]\n"
    )
    (tmp_path / "staging.env").write_text(
        f"API_KEY={CANARY}\nDATABASE_URL=postgresql://u:{CANARY}@db.internal/x\nONLY={CANARY}\nEMPTY=\n"
    )
    (tmp_path / "prod.env").write_text(
        f"API_KEY={CANARY}\nDATABASE_URL=postgresql://u:{CANARY}@db.internal/x\n"
    )
    async with house(tmp_path, auth="none", config=config) as here:
        for _ in range(2):
            for source in here.running.reading.settings.config.sources:
                await here.running.watch.run(source)
        await here.settle()
        drifts = (await here.json("/api/v1/drift", who=None))["items"]
        assert {"API_KEY", "DATABASE_URL", "ONLY"} <= {drift["item"] for drift in drifts}
        paths = [
            *(path for path in await every_page(here) if ".." not in path),
            "/diff/staging..prod-eu?include=same",
            "/api/v1/matrix",
            "/api/v1/diff?left=staging&right=prod-eu&include=same",
            "/api/v1/drift",
            "/api/v1/services/checkout",
            "/api/v1/services/checkout/items/API_KEY/history",
            "/api/v1/environments/staging/snapshots/1",
            "/api/v1/sources",
            "/metrics",
            "/diff/staging..prod-eu.csv",
        ]
        for path in paths:
            response = await here.get(path, who=None)
            assert response.status == 200, path
            assert CANARY not in await response.text(), path
        for accept in ("text/markdown", "text/csv"):
            response = await here.get(
                "/api/v1/diff?left=staging&right=prod-eu", who=None, headers={"Accept": accept}
            )
            assert CANARY not in await response.text()


async def test_a_file_of_the_pages_may_be_kept_for_as_long_as_its_address(full: House) -> None:
    page = await markup(full, "/")
    style = next(one["href"] for one in page.named("link") if one.get("rel") == "stylesheet")
    response = await full.get(style or "", who=None)
    assert "immutable" in response.headers["Cache-Control"]
    assert response.content_type == "text/css"
    assert "immutable" not in (await full.get("/static/parity.css", who=None)).headers["Cache-Control"]
