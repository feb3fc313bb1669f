from playwright.async_api import expect

from tests.servers.browser import Browser

PAGE = (
    "data:text/html,<title>Matrix</title><style>:root{color-scheme:light dark}"
    "@media(prefers-color-scheme:dark){h1::after{content:'dark'}}</style><h1>drift </h1>"
)


async def test_a_page_is_drawn_and_dark_differs_from_light(browser: Browser) -> None:
    light = await browser.screenshot(PAGE)
    dark = await browser.screenshot(PAGE, dark=True)
    assert light.startswith(b"\x89PNG")
    assert light != dark
    assert await browser.screenshot(PAGE) == light
    page = await browser.page(PAGE)
    await expect(page).to_have_title("Matrix")
    assert browser.errors == []


async def test_errors_of_a_page_are_kept(browser: Browser) -> None:
    await browser.page("data:text/html,<script>console.error('broken');throw new Error('uncaught')</script>")
    assert browser.errors[0] == "broken"
    assert "uncaught" in browser.errors[1]


async def test_nothing_but_loopback_can_be_reached(browser: Browser) -> None:
    # Chromium itself knows that names below localhost are loopback: only our rule stops this one.
    await browser.page("data:text/html,<img src='http://fonts.localhost/x.png'>")
    assert "http://fonts.localhost/x.png net::ERR_NAME_NOT_RESOLVED" in browser.errors
