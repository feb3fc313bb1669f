"""Keys that Python reads, in the ways that people write it."""
# ruff: noqa: E501 - a row of a table stays on its line

import ast
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.readers._reads_python import parse_python, python_reads
from collectors.readers.reads import ReadsReader
from detector.errors import UnseenError
from tests.builders import FINGERPRINTER

Found = dict[str, tuple[bool, str | None]]


def reads(code: str) -> Found:
    """Key -> (the code goes on without it, what its default stands in for)."""
    found = python_reads(parse_python(dedent(code).encode(), "a.py")).reads.found
    return {place.name: (place.default, place.stand_in) for place in found}


def computed(code: str) -> list[int]:
    return python_reads(parse_python(dedent(code).encode(), "a.py")).reads.computed


NEEDED, OPTIONAL = (False, None), (True, None)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('import os\nos.environ["A"]', {"A": NEEDED}),
        ('import os as o\no.environ["A"]', {"A": NEEDED}),
        ('from os import environ as e\ne["A"]', {"A": NEEDED}),
        ('from os import getenv as g\ng("A")', {"A": NEEDED}),
        ('import os\nsettings = os.environ\nsettings["A"]', {"A": NEEDED}),
        ('import os\nget = os.environ.get\nget("A", "x")', {"A": OPTIONAL}),
        ('import os\nos.environ.get("A")', {"A": NEEDED}),  # None goes on into whatever takes it
        ('import os\nos.environ.get("A", None)', {"A": OPTIONAL}),  # somebody thought of it
        ('import os\nos.environ.get("A", default="x")', {"A": OPTIONAL}),
        ('import os\nos.environ.pop("A")', {"A": NEEDED}),
        ('import os\nos.environ.setdefault("A", "x")', {"A": OPTIONAL}),
        ('import os\n"A" in os.environ', {"A": OPTIONAL}),
        ('import os\nx = os.getenv("A") or "x"', {"A": OPTIONAL}),
        ('import os\nif os.getenv("A"): pass', {"A": OPTIONAL}),
        ('import os\nif os.getenv("A") == "1": pass', {"A": OPTIONAL}),
        ('import os\nx = 1 if os.getenv("A") else 2', {"A": OPTIONAL}),
        ('import os\nx = bool(os.getenv("A"))', {"A": OPTIONAL}),
        ('import os\nif not os.getenv("A"):\n  raise SystemExit("A is needed")', {"A": NEEDED}),
        ('import os, sys\nif "A" not in os.environ:\n  sys.exit(1)', {"A": NEEDED}),
        ('import os\nassert os.getenv("A")', {"A": NEEDED}),
        ('import os\ntry:\n  x = os.environ["A"]\nexcept KeyError:\n  x = 1', {"A": OPTIONAL}),
        ('import os\ntry:\n  x = os.environ["A"]\nexcept ValueError:\n  x = 1', {"A": NEEDED}),
        ('import os\nfrom contextlib import suppress\nwith suppress(KeyError):\n  x = os.environ["A"]', {"A": OPTIONAL}),
        # What sets a key does not read it.
        ('import os\nos.environ["A"] = "x"\ndel os.environ["B"]', {}),
        ('import os\nsubprocess.run(x, env={**os.environ, "A": "x"})', {}),
        # Comments, texts and things that are only called alike.
        ('# os.environ["A"]\nx = "os.environ[\'B\']"\nenviron["C"]\nother.getenv("D")', {}),
    ],
)  # fmt: skip
def test_the_process_environment(code: str, found: Found) -> None:
    assert reads(code) == found


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('from decouple import config\nconfig("A")\nconfig("B", default="x", cast=int)', {"A": NEEDED, "B": OPTIONAL}),
        ('from decouple import AutoConfig\nc = AutoConfig(search_path=".")\nc("A")', {"A": NEEDED}),
        ('import decouple\ndecouple.config("A", "x")', {"A": OPTIONAL}),
        ('from starlette.config import Config\nc = Config(".env")\nc("A", cast=str)', {"A": NEEDED}),
        ('from environs import Env\nenv = Env()\nenv("A")\nenv.str("B", "x")\nenv.read_env()', {"A": NEEDED, "B": OPTIONAL}),
        ('from environs import env\nenv.int("A")', {"A": NEEDED}),
        ('from environs import Env\nenv = Env(prefix="P_")\nenv("A")', {"P_A": NEEDED}),
        (
            'from environs import Env\nenv = Env()\nwith env.prefixed("P_"):\n  with env.prefixed("Q_"):\n    env("A")',
            {"P_Q_A": NEEDED},
        ),
        ('import environ\nenv = environ.Env(DEBUG=(bool, False), A=str)\nenv("DEBUG")\nenv("A")', {"DEBUG": OPTIONAL, "A": NEEDED}),
        ('import environ\nenv = environ.Env()\nenv.db()\nenv.cache(default="x://")', {"DATABASE_URL": NEEDED, "CACHE_URL": OPTIONAL}),
        ('import environ\nenv = environ.Env()\nenv.prefix = "P_"\nenv("A")', {"P_A": NEEDED}),
        ('import click\n@click.option("--a", envvar="A")\ndef f(a): pass', {"A": OPTIONAL}),
    ],
)  # fmt: skip
def test_libraries_of_settings(code: str, found: Found) -> None:
    assert reads(code) == found


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ("host: str", {"HOST": NEEDED}),
        ("host: str = 'a'", {"HOST": OPTIONAL}),
        ("host: str | None", {"HOST": NEEDED}),  # pydantic 2 asks for it all the same
        ("host: str = ...", {"HOST": NEEDED}),
        ("host: str = Field(...)", {"HOST": NEEDED}),
        ("host: list[str] = Field(default_factory=list)", {"HOST": OPTIONAL}),
        ("host: str = Field(alias='SITE')", {"SITE": NEEDED}),
        ("host: str = Field(validation_alias=AliasChoices('A', 'B'))", {"A": OPTIONAL, "B": OPTIONAL}),
        ("host: Annotated[str, Field(validation_alias='SITE')]", {"SITE": NEEDED}),
        ("model_config = SettingsConfigDict(env_prefix='shop_')\n    host: str", {"SHOP_HOST": NEEDED}),
        ("model_config = {'env_prefix': 'shop_'}\n    host: str", {"SHOP_HOST": NEEDED}),
        ("class Config:\n        env_prefix = 'shop_'\n    host: str", {"SHOP_HOST": NEEDED}),
        ("model_config = SettingsConfigDict(case_sensitive=True)\n    host: str", {"host": NEEDED}),
        ("_private: str\n    limit: ClassVar[int] = 3", {}),
    ],
)
def test_fields_of_pydantic_settings(fields: str, found: Found) -> None:
    imports = "from pydantic import Field, AliasChoices\nfrom pydantic_settings import BaseSettings, SettingsConfigDict\n"
    assert reads(f"{imports}class Settings(BaseSettings):\n    {fields}") == found


def test_a_class_of_settings_hands_on_its_prefix_and_a_plain_model_reads_nothing() -> None:
    code = """
        import pydantic_settings as ps
        class Base(ps.BaseSettings):
            model_config = ps.SettingsConfigDict(env_prefix="SHOP_")
        class Mail(Base):
            host: str
        class Order:
            number: int
    """
    assert reads(code) == {"SHOP_HOST": NEEDED}


def test_a_model_inside_settings_is_read_in_ways_that_nobody_can_tell() -> None:
    code = """
        from pydantic_settings import BaseSettings
        class Database: ...
        class Settings(BaseSettings):
            database: Database
    """
    assert (reads(code), computed(code)) == ({}, [5])


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('import os\nKEY = "A"\nos.environ[KEY]', {"A": NEEDED}),
        ('import os\nP = "P_"\nos.environ[P + "A"]\nos.environ[f"{P}B"]', {"P_A": NEEDED, "P_B": NEEDED}),
        ('import os\nfor name in ("A", "B"):\n  os.environ[name]', {"A": NEEDED, "B": NEEDED}),
        ('import os\nNAMES = ["A", "B"]\nx = {n: os.environ.get(n, "") for n in NAMES}', {"A": OPTIONAL, "B": OPTIONAL}),
        ('import os\ndef need(name):\n  return os.environ[name]\nneed("A")\nneed(name="B")', {"A": NEEDED, "B": NEEDED}),
        (
            'import os\ndef env(name, default=None):\n  return os.environ.get(name, default)\nenv("A")\nenv("B", "x")',
            {"A": NEEDED, "B": OPTIONAL},
        ),
        (
            'import os\nclass C:\n  def env(self, name):\n    return os.environ[name]\n  def f(self):\n    return self.env("A")',
            {"A": NEEDED},
        ),
        (
            'import os\ndef inner(n):\n  return os.environ[n]\ndef outer(n):\n  return inner(n)\nouter("A")',
            {"A": NEEDED},
        ),
    ],
)  # fmt: skip
def test_names_that_stand_elsewhere(code: str, found: Found) -> None:
    assert (reads(code), computed(code)) == (found, [])


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos.environ[name()]",
        "import os\nfor name in names():\n  os.environ[name]",
        'import os\nos.environ["A_" + suffix]',
        "import os\nos.environ['not a name']",  # could be a value: neither kept nor shown
    ],
)
def test_a_name_that_only_a_run_would_tell_is_counted_by_its_line(code: str) -> None:
    assert reads(code) == {}
    assert len(computed(code)) == 1


@pytest.mark.parametrize(
    ("name", "default", "stand_in"),
    [
        ("DATABASE_URL", "postgres://localhost/shop", "loopback"),
        ("DATABASE_URL", "sqlite:///db.sqlite3", "local"),
        ("CACHE_URL", "locmem://", "local"),
        ("REDIS_HOST", "127.0.0.1", "loopback"),
        ("REDIS_HOST", "localhost:6379", "loopback"),
        ("SECRET_KEY", "insecure but works", "secret"),
        ("STRIPE_API_KEY", "changeme", "placeholder"),
        ("STRIPE_API_KEY", "", None),
        ("LOG_LEVEL", "info", None),
        ("PORT", "8000", None),
        ("SITE", "https://shop.example", None),
    ],
)
def test_of_a_default_its_class_is_kept_and_nothing_more(
    name: str, default: str, stand_in: str | None
) -> None:
    assert reads(f"import os\nos.getenv({name!r}, {default!r})") == {name: (True, stand_in)}
    assert reads(f"import os\nx = os.getenv({name!r}) or {default!r}") == {name: (True, stand_in)}


@pytest.mark.parametrize(
    "code",
    [b"def f(:", b"x = '\x00'", b"(" * 5000, b"-" * 100_000 + b"1", b"\xff\xfe", b"# coding: nonsense\n"],
)
def test_what_is_no_python_is_malformed_and_not_repeated(code: bytes) -> None:
    with pytest.raises(UnseenError) as caught:
        parse_python(code + b"  # canary\nimport os; os.environ[", "a.py")
    assert caught.value.reason == "malformed"
    assert "a.py" in caught.value.detail
    assert "canary" not in caught.value.detail


def test_code_that_is_deep_and_legal_is_read_without_a_deep_stack() -> None:
    chain = " + ".join(["x"] * 900)
    assert reads(f"import os\ny = {chain}\nos.environ['A']") == {"A": NEEDED}


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        ReadsReader().read(f"import os\nos.environ\n{text}".encode("utf-8", "replace"), "a.py", FINGERPRINTER)
    except UnseenError:
        raise AssertionError("a broken file is an unseen part, not a failure") from None


@given(
    st.lists(
        st.sampled_from(
            [
                "import os", "x = os.environ['A']", "def f(n):", "    return os.environ.get(n)", "f('B')",
                "class S(BaseSettings):", "    a: int = Field(alias='C')", "for n in ('A', 'B'):", "    os.getenv(n)",
                "with env.prefixed('P_'):", "    env('X')", "from environs import Env", "env = Env()", "try:",
                "except KeyError:", "    pass", "from pydantic_settings import BaseSettings", "    if os.getenv('D'):",
                "        raise",
            ]
        ),
        max_size=14,
    )
)  # fmt: skip
def test_lines_of_code_in_any_order_never_raise(lines: list[str]) -> None:
    source = "\n".join(lines)
    try:
        ast.parse(source)
    except SyntaxError:
        return
    python_reads(parse_python(source.encode(), "a.py"))
