"""Take pictures of every page, to be looked at: python -m tests.dashboards.shoot FOLDER [PAGE…]."""

import asyncio
import logging
import sys
import tempfile
from pathlib import Path

import structlog

from tests.api.house import house
from tests.dashboards.world import CONFIG, fill
from tests.servers.browser import Browser

PAGES = {
    "matrix": "/",
    "diff": "/diff/staging..prod-eu",
    "service": "/services/checkout",
    "register": "/drift",
    "factors": "/factors",
    "sources": "/sources",
    "login": "/login",
}


async def main(folder: Path, names: list[str]) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as place:
        async with house(Path(place), auth="none", config=CONFIG) as here, Browser() as browser:
            await fill(here)
            pages = dict(PAGES)
            rows = await here.running.reading.store.register(states=["open"], limit=1)
            if rows:
                pages["drift"] = f"/drift/{rows[0].id}"
            for name, path in pages.items():
                if names and name not in names:
                    continue
                for width in (1280, 400):
                    for dark in (False, True):
                        page = await browser.page(f"{here.url}{path}", dark=dark, width=width)
                        shot = folder / f"{name}-{width}-{'dark' if dark else 'light'}.png"
                        shot.write_bytes(await page.screenshot(full_page=True))
                        await page.context.close()
            print(browser.errors)


asyncio.run(main(Path(sys.argv[1]), sys.argv[2:]))
