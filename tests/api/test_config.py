"""The configuration in force, for whoever may change it: whole, and with no secret in it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from detector.config.show import show
from tests.api.house import House, house

CONFIG = """\
version: 1
server: {listen: "127.0.0.1:8080", public_url: "PUBLIC_URL", auth: AUTH}
environments:
  - {name: staging}
  - {name: prod-eu, tier: production}
services:
  - name: shop
    sources:
      staging:
        - {type: postgres, dsn_file: secrets/dsn}
        - {type: redis, url_file: secrets/redis}
        - type: http
          url: https://shop.example/health?token=cnry7f3a91-query
          authorization_file: secrets/authorization
          paths: {release: {"image#tag": version}}
      prod-eu: {type: push, name: ci}
alerting:
  receivers:
    - name: team
      slack: {channel: C0TEAM, bot_token_file: secrets/bot, signing_secret_file: secrets/signing}
"""
CANARY = "cnry7f3a91"
SECRETS = {
    "dsn": f"postgresql://parity:{CANARY}-dsn@db.internal/shop?sslpassword={CANARY}",
    "redis": f"rediss://default:{CANARY}-redis@cache.internal:6379",
    "authorization": f"Bearer {CANARY}-header",
    "bot": f"xoxb-{CANARY}-bot",
    "signing": f"{CANARY}-signing",
}


@pytest.fixture
async def secretive(tmp_path: Path) -> AsyncIterator[House]:
    """A Parity that was given a secret of every kind."""
    (tmp_path / "secrets").mkdir()
    for name, secret in SECRETS.items():
        file = tmp_path / "secrets" / name
        file.write_text(secret)
        file.chmod(0o600)
    async with house(tmp_path, config=CONFIG) as here:
        yield here


async def test_it_is_what_the_command_line_shows_with_no_secret_in_it(secretive: House) -> None:
    held = [source.options.model_dump() for source in secretive.running.reading.settings.config.sources]
    assert CANARY in str([dumped.get("url") for dumped in held]), "a canary that is nowhere proves nothing"
    text = await (await secretive.get("/api/v1/config", who="admin")).text()
    assert CANARY not in text
    document = json.loads(text)
    assert document == json.loads(json.dumps(show(secretive.running.reading.settings.config)))
    postgres, redis, http = document["services"][0]["sources"][:3]
    assert (postgres["dsn"], redis["url"], http["authorization"]) == ("***", "***", "***")
    assert http["url"] == "https://shop.example/health?***"
    assert document["alerting"]["receivers"][0]["slack"]["bot_token"] == "***"


@pytest.mark.parametrize(
    ("who", "status"), [("admin", 200), ("read", 403), ("push", 403), ("write", 403), (None, 401)]
)
async def test_only_an_admin_reads_it(secretive: House, who: str | None, status: int) -> None:
    assert (await secretive.get("/api/v1/config", who=who)).status == status
