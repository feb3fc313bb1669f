"""A month of releases, by a plan, through the real store: python -m tests.queries.scripted_month.

Every environment is looked at four times a day, as its sources would; nothing tells Parity of a release but
what it sees. The clock is moved: the month ends now.
"""

import asyncio
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from detector.model.facts import Observation, Section
from detector.store.store import Store, open_store

CONFIG: Final = """\
version: 1
server: {auth: none, database_url: "sqlite:///parity.db"}
environments:
  - {name: dev, tier: development}
  - {name: staging, tier: staging}
  - {name: prod-eu, tier: production, group: prod}
  - {name: prod-us, tier: production, group: prod}
services:
  - {name: checkout, owner: team-payments}
  - {name: search, owner: team-discovery}
"""
DAYS: Final = 30
EVERY: Final = timedelta(hours=6)
#: Service -> environment -> (day of the month, version): from then on it runs there.
PLAN: Final[dict[str, dict[str, list[tuple[float, str]]]]] = {
    "checkout": {
        # A release every third day …
        "dev": [(0, "1.0.0"), *((day, f"1.{day // 3}.0") for day in range(3, 30, 3))],
        # … that staging has half a day later, but for 1.4.0, which never left development …
        "staging": [
            (0, "1.0.0"),
            *((day + 0.5, f"1.{day // 3}.0") for day in range(3, 30, 3) if day != 12),
        ],
        # … and that production takes on each seventh day; 1.5.0 was bad and was taken back for a day.
        "prod-eu": [
            (0, "1.0.0"),
            (7, "1.2.0"),
            (14, "1.3.0"),
            (18, "1.5.0"),
            (19, "1.3.0"),
            (20, "1.5.0"),
            (28, "1.8.0"),
        ],
        # The other region follows a day later and skips the bad one; 1.3.1 was mended in place.
        "prod-us": [(0, "1.0.0"), (8, "1.2.0"), (15, "1.3.0"), (16, "1.3.1"), (21, "1.5.0")],
    },
    "search": {
        "staging": [(0, "3.0"), (10, "3.1"), (11, "3.0"), (24, "3.2")],
        "prod-eu": [(0, "3.0")],
    },
}


async def live(store: Store, *, end: datetime) -> None:
    """Look at everything for a month that ends at a time."""
    begin = end - timedelta(days=DAYS)
    at = begin
    while at < end:
        for service, environments in PLAN.items():
            for environment, releases in environments.items():
                day = (at - begin) / timedelta(days=1)
                version = [tag for since, tag in releases if since <= day][-1]
                await store.record(
                    Observation(
                        environment=environment,
                        service=service,
                        source="docker",
                        observed_at=at,
                        sections={"release": Section(basis="running", facts={"image#tag": version})},
                    ),
                    received_at=at,
                    scheduled=True,
                )
        at += EVERY
    await store.flush()


async def write(folder: Path, *, end: datetime | None = None) -> None:
    """Write a configuration, and the database of the month beside it."""
    (folder / "parity.yml").write_text(CONFIG)
    store = await open_store(f"sqlite:///{folder}/parity.db")
    try:
        await live(store, end=end or datetime.now(UTC))
    finally:
        await store.close()


def main() -> int:
    """Print what the command line says of the month."""
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(write(Path(place)))
        parity = Path(sys.executable).with_name("parity")
        codes = []
        for words in (["--since", "30d"], ["--service", "checkout"]):
            print(f"$ parity promotion {' '.join(words)}", flush=True)
            codes.append(subprocess.call([parity, "promotion", *words], cwd=place))
        return max(codes)


if __name__ == "__main__":
    sys.exit(main())
