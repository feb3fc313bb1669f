"""`parity diff` of files of settings."""

from pathlib import Path

from tests.cli.conftest import Parity

STAGING = "spring:\n  datasource: {url: 'jdbc:postgresql://db.internal/shop'}\n  cache: redis\n"
PROD = "spring:\n  datasource: {url: 'jdbc:postgresql://db.internal/shop'}\n"


def test_settings_are_compared_key_by_key(parity: Parity, folder: Path) -> None:
    (folder / "application-staging.yml").write_text(STAGING)
    (folder / "application-prod.yml").write_text(PROD)
    answer = parity("diff", "application-staging.yml", "application-prod.yml")
    said = " ".join(answer.out.split())
    assert "spring.cache missing in application-prod.yml" in said
    # Staging writes to the database of production.
    assert "spring.datasource.url" in said
    assert "critical" in said
    assert "db.internal" not in answer.out
    assert answer.code == 1


def test_a_file_whose_name_says_nothing_is_given_its_type(parity: Parity, folder: Path) -> None:
    (folder / "a.toml").write_text('[db]\nhost = "a1"\n')
    (folder / "b.toml").write_text("[db]\n")
    answer = parity("diff", "settings:a.toml", "settings:b.toml")
    assert "db.host missing in settings:b.toml" in " ".join(answer.out.split())
    assert "settings" in parity("diff", "a.toml", "b.toml").why


def test_settings_that_are_not_understood_are_unknown(parity: Parity, folder: Path) -> None:
    (folder / "a.properties").write_text("a=1\n")
    (folder / "b.properties").write_text("a=\\u12\n")
    answer = parity("diff", "a.properties", "b.properties")
    assert (answer.code, "missing in" in answer.out) == (3, False)
    assert "b.properties:1: \\u that names no character" in " ".join(answer.out.split())
