"""`parity missing`: what the code reads and an environment, or a file, lacks."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Parity

CODE = """import os

SECRET = os.environ["STRIPE_WEBHOOK_SECRET"]
DATABASE = os.getenv("DATABASE_URL", "sqlite:///shop.db")
LEVEL = os.getenv("LOG_LEVEL", "info")
PORT = os.environ["PORT"]
"""
SHOP = """
version: 1
server: {auth: none, database_url: "sqlite:///parity.db"}
defaults: {every: 1h}
environments:
  - {name: dev, tier: development}
  - {name: prod, tier: production}
services:
  - name: api
    sources:
      dev: [{type: dotenv, path: .env.dev}, {type: reads, path: src/}]
      prod: {type: dotenv, path: .env.prod}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "src" / "billing").mkdir(parents=True)
    (tmp_path / "src" / "billing" / "hooks.py").write_text(CODE)
    (tmp_path / ".env.prod").write_text("OTHER=x\n")
    (tmp_path / ".env.dev").write_text("STRIPE_WEBHOOK_SECRET=x\nDATABASE_URL=sqlite:///a\n")
    (tmp_path / "parity.yml").write_text(SHOP)
    return tmp_path


def test_a_file_beside_a_folder_of_code(parity: Parity, project: Path) -> None:
    answer = parity("missing", ".env.prod", "--reads", "src")
    lines = answer.out.splitlines()
    assert lines[0] == "app"
    assert "  ▲ STRIPE_WEBHOOK_SECRET  read at billing/hooks.py:3, no default" in lines
    assert "  · LOG_LEVEL              read at billing/hooks.py:5, with a default" in lines
    assert max(map(len, lines)) <= 80
    assert (answer.code, answer.why) == (1, "missing: .env.prod lacks 2 keys that the code needs")
    assert "PORT" not in answer.out, "platforms set it"
    # In development the default is meant.
    dev = parity("missing", ".env.dev", "--reads", "src")
    assert (dev.code, dev.why) == (0, "missing: .env.dev has every key that the code needs")


def test_a_file_to_fill_in(parity: Parity, project: Path) -> None:
    answer = parity("missing", ".env.prod", "--reads", "src", "--format", "dotenv")
    assert answer.out.splitlines() == [
        "DATABASE_URL=   # read at billing/hooks.py:4, whose default is a stand-in of development",
        "STRIPE_WEBHOOK_SECRET=   # read at billing/hooks.py:3, no default",
        "# LOG_LEVEL=   # read at billing/hooks.py:5, with a default",
    ]
    filled = answer.out.replace("=   #", "=filled   #")
    (project / ".env.prod").write_text(filled)
    assert parity("missing", ".env.prod", "--reads", "src").code == 0


def test_an_environment_by_the_code_that_another_one_tells_of(parity: Parity, project: Path) -> None:
    assert parity("snapshot").code == 0
    answer = parity("missing", "prod", "--format", "json")
    document = json.loads(answer.out)
    assert (answer.code, document["code_of"], document["complete"]) == (1, {"api": "dev"}, True)
    assert [(item["item"], item["needed"]) for item in document["items"]] == [
        ("DATABASE_URL", True), ("STRIPE_WEBHOOK_SECRET", True), ("LOG_LEVEL", False),
    ]  # fmt: skip
    assert document["items"][1]["read"] == [{"at": "billing/hooks.py:3", "default": False}]
    assert parity("missing", "dev").code == 0


def test_what_was_not_seen_of_code_or_config_cannot_be_told(parity: Parity, project: Path) -> None:
    (project / ".env.prod").write_text(
        "STRIPE_WEBHOOK_SECRET=x\nDATABASE_URL=postgres://db.acme.example/shop\n"
    )
    (project / "src" / "odd.py").write_text("import os\nos.environ[name()]\n")
    answer = parity("missing", ".env.prod", "--reads", "src")
    assert (answer.code, answer.why) == (
        3,
        "missing: cannot tell: not in view (1 read with computed names (odd.py line 2))",
    )
    assert parity("missing", ".env.prod", "--reads", "src", "--allow-incomplete").code == 0


def test_an_environment_whose_config_was_not_seen_lacks_nothing_for_sure(
    parity: Parity, project: Path
) -> None:
    (project / ".env.prod").unlink()
    parity("snapshot")
    answer = parity("missing", "prod")
    assert answer.code == 3
    assert "  ? STRIPE_WEBHOOK_SECRET" in answer.out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["prod"], "missing: no source reads the code; add {type: reads, path: src/}, then parity once"),
        (["prod", "--reads", "src"], "parity: --reads is for files"),
        ([".env.prod"], "parity: name the folder of the code as well"),
        ([".env.prod", "--reads", "nowhere"], "parity: nowhere cannot be read: nowhere does not exist"),
        (["nowhere"], "parity: no environment nowhere"),
        (["prod#3"], "parity: missing asks what an environment lacks now"),
    ],
)
def test_a_wrong_word_names_the_right_one(parity: Parity, project: Path, words: list[str], why: str) -> None:
    (project / "parity.yml").write_text(SHOP.replace(", {type: reads, path: src/}", ""))
    parity("snapshot")
    answer = parity("missing", *words)
    assert (answer.code, answer.why[: len(why)]) == (2, why)
