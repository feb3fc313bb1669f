"""Secrets come by file or environment, and only from files that nobody else can read."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from detector.config import secrets
from tests.config.conftest import CANARY, HEAD, Load, Refuse, source, told

POSTGRES = "{type: postgres, dsn_file: secret}"


def write(path: Path, data: bytes, mode: int = 0o600) -> None:
    path.write_bytes(data)
    path.chmod(mode)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o660])
def test_a_file_that_others_may_use_is_refused(refuse: Refuse, project: Path, mode: int) -> None:
    write(project / "secret", CANARY.encode(), mode)
    (problem,) = refuse(source(POSTGRES))
    assert told([problem]) == [("secret-file-mode", 7, 38, "services[0].sources.prod[0].dsn_file")]
    assert "chmod 600" in problem.message


def test_a_mounted_secret_may_be_readable_by_others(
    load_text: Load, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project / "secret", CANARY.encode(), 0o644)
    monkeypatch.setattr(secrets, "_MOUNTED", project)
    assert load_text(source(POSTGRES)).sources


@pytest.mark.skipif(
    not Path("/dev/shm").is_dir(), reason="no tmpfs here; on Linux: mount -t tmpfs tmpfs /dev/shm"
)
def test_a_secret_in_memory_may_be_readable_by_others(load_text: Load) -> None:
    path = Path(f"/dev/shm/parity-test-{os.getpid()}")
    write(path, CANARY.encode(), 0o644)
    try:
        assert load_text(source(f"{{type: postgres, dsn_file: {path}}}")).sources
    finally:
        path.unlink()


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_one_newline_at_the_end_is_not_part_of_the_secret(load_text: Load, project: Path, end: bytes) -> None:
    write(project / "secret", f"{CANARY} ".encode() + end)
    (found,) = load_text(source(POSTGRES)).sources
    assert found.options.model_dump()["dsn"] == SecretStr(f"{CANARY} ")


UNUSABLE = [
    ("secret-file-missing", lambda path: None),
    ("secret-file-empty", lambda path: write(path, b"")),
    ("secret-file-empty", lambda path: write(path, b"\n")),
    ("secret-file-unreadable", lambda path: path.mkdir()),
    # a pipe without a writer: the start does not wait for one
    ("secret-file-unreadable", os.mkfifo),
    ("secret-file-unreadable", lambda path: write(path, b"\xff\xfe")),
    ("secret-file-unreadable", lambda path: write(path, CANARY.encode() * 10_000)),
]


@pytest.mark.parametrize(("code", "make"), UNUSABLE)
def test_a_file_that_is_no_secret_is_named(refuse: Refuse, project: Path, code: str, make: object) -> None:
    assert callable(make)
    make(project / "secret")
    assert told(refuse(source(POSTGRES))) == [(code, 7, 38, "services[0].sources.prod[0].dsn_file")]


def test_a_secret_by_variable_is_fine(load_text: Load) -> None:
    environ = {"DSN": f"postgresql://a:{CANARY}@b/c", "PASSWORD": CANARY}
    for text in ("${DSN}", "postgresql://a:${PASSWORD}@b/c", "host=b password=${PASSWORD}"):
        (found,) = load_text(source(f"{{type: postgres, dsn: '{text}'}}"), environ).sources
        assert CANARY in found.options.model_dump()["dsn"].get_secret_value()


def test_a_literal_password_beside_a_variable_is_refused(refuse: Refuse) -> None:
    (problem,) = refuse(
        source(f"{{type: postgres, dsn: 'postgresql://a:{CANARY}@${{HOST}}/c'}}"), {"HOST": "b"}
    )
    assert problem.code == "config-inline-secret"
    assert CANARY not in str(problem)


@pytest.mark.parametrize("address", ["postgresql://db/shop", "redis://parity@cache:6379/0"])
def test_an_address_without_a_password_is_no_secret(load_text: Load, address: str) -> None:
    assert load_text(source(f"{{type: postgres, dsn: '{address}'}}")).sources


@pytest.mark.parametrize(
    "address",
    [
        f"https://hooks.example/services/{CANARY}",  # of a web address the path may be the secret
        f"postgresql://db/shop?password={CANARY}",
    ],
)
def test_an_address_that_may_hold_a_secret_is_refused(refuse: Refuse, address: str) -> None:
    (problem,) = refuse(source(f"{{type: postgres, dsn: '{address}'}}"))
    assert problem.code == "config-inline-secret"


def test_a_secret_and_its_file_are_not_both_given(refuse: Refuse) -> None:
    (problem,) = refuse(source("{type: postgres, dsn: '${DSN}', dsn_file: secret}"), {"DSN": "x"})
    assert told([problem]) == [("config-semantics", 7, 53, "services[0].sources.prod[0].dsn_file")]


def test_secrets_inside_other_options_and_of_the_server_come_by_file(load_text: Load, project: Path) -> None:
    write(project / "secret", CANARY.encode())
    nested = "{type: postgres, dsn: 'postgresql://b/c', login: {password_file: secret}}"
    (found,) = load_text(source(nested)).sources
    assert found.options.model_dump()["login"]["password"] == SecretStr(CANARY)
    write(project / "url", f"postgresql://a:{CANARY}@b/c\n".encode())
    config = load_text(f"{HEAD}server: {{database_url_file: url}}\n")
    assert config.database_url == f"postgresql://a:{CANARY}@b/c"


def test_a_secret_that_its_field_refuses_is_named_by_its_file(refuse: Refuse, project: Path) -> None:
    write(project / "url", f"mysql://a:{CANARY}@b/c\n".encode())
    (problem,) = refuse(f"{HEAD}server: {{database_url_file: url}}\n")
    assert told([problem]) == [("config-type", 3, 29, "server.database_url_file")]
    assert CANARY not in str(problem)
