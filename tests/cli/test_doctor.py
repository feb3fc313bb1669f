"""`parity doctor`: what is well and what is not, each with what to do, in the width of a terminal."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from detector.store.schema import HEAD
from tests.cli.conftest import COLUMNS, Answer, Parity

HOUR = 3_600_000_000


def now() -> int:
    return time.time_ns() // 1000


def change(statement: str) -> None:
    with sqlite3.connect("parity.db") as connection:
        connection.execute(statement)
    connection.close()


def findings(answer: Answer) -> list[str]:
    """Every finding in one line, its mark in front."""
    # A path may be longer than any line; nothing else is.
    wide = [line for line in answer.out.splitlines() if len(line) > COLUMNS]
    assert [line for line in wide if max(len(word) for word in line.split()) < COLUMNS // 2] == []
    return answer.out.replace("\n  ", " ").splitlines()


def test_all_is_well_in_a_shop_that_was_just_looked_at(shop: Path, parity: Parity) -> None:
    answer = parity("doctor")
    assert (answer.code, answer.why) == (0, "doctor: all is well")
    found = findings(answer)
    assert "✓ no service runs on this database: parity serve starts one" in found
    assert f"✓ {shop}/parity.db has the schema {HEAD}, the one of this version" in found
    assert "✓ 5 of 5 sources ran, none is overdue" in found
    assert "✓ all that was seen is judged" in found


OWED = "INSERT INTO outbox (id, comparison, owner, created_at, event, drift_ids, state, next_try, tries) "


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        (
            lambda: f"UPDATE source SET last_run = {now() + 3 * HOUR}, last_success = {now() + 3 * HOUR}",
            "the clock is 2h behind what the database saw last: set it",
        ),
        (
            lambda: f"UPDATE source SET last_success = {now() - 9 * HOUR} WHERE environment = 'prod'",
            "2 of 5 sources are overdue: parity serve looks at them",
        ),
        (
            lambda: "UPDATE source SET last_result = 'denied' WHERE environment = 'dev'",
            "1 of 5 failed at their last run: parity check --online says why",
        ),
        (
            lambda: "DELETE FROM judged_through",
            "1 services have news that is not judged: parity once judges it",
        ),
        (
            lambda: f"{OWED} VALUES ('A', 'a..b', 'o', {now() - 2 * HOUR}, 'opened', '[]', 'due', 0, 0)",
            "1 alert is owed, the oldest for 2h: parity_notifications_total and the log say why",
        ),
        (
            lambda: f"{OWED} VALUES ('A', 'a..b', 'o', 0, 'opened', '[]', 'parked', 0, 9)",
            "1 alert is parked: a receiver refused them for good, mend it",
        ),
    ],
    ids=["clock", "overdue", "failing", "behind", "owed", "parked"],
)
def test_what_lags_is_named_with_what_to_do(
    shop: Path, parity: Parity, statement: Callable[[], str], finding: str
) -> None:
    change(statement())
    answer = parity("doctor")
    assert (answer.code, answer.why) == (2, "doctor: 1 thing to mend")
    assert f"✖ {finding}" in findings(answer)


def test_a_database_of_another_schema_or_none_is_told_apart(shop: Path, parity: Parity) -> None:
    change("UPDATE alembic_version SET version_num = '0999'")
    newer = parity("doctor")
    assert newer.code == 2
    assert any("was written by a newer Parity (schema 0999" in line for line in findings(newer))
    (shop / "parity.db").unlink()
    none = parity("doctor")
    assert none.code == 0
    assert f"✓ there is no database {shop}/parity.db yet: parity serve makes it" in findings(none)
    assert not (shop / "parity.db").exists()


def test_a_foreign_file_at_the_place_of_the_socket_is_named(shop: Path, parity: Parity) -> None:
    Path("parity.db.sock").write_text("letters")
    answer = parity("doctor")
    assert answer.code == 2
    assert f"✖ {shop}/parity.db.sock is no socket of Parity: move it away" in findings(answer)
