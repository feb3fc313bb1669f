"""`parity db`: what care for the database looks like in a terminal."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import COLUMNS, Parity


def test_stats_tell_what_is_kept_in_the_width_of_a_terminal(shop: Path, parity: Parity) -> None:
    answer = parity("db", "stats")
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert max(len(line) for line in lines) <= COLUMNS
    words = {line.split(" ", 1)[0]: line.split(" ", 1)[1].strip() for line in lines if line}
    assert words["facts"].startswith("13 open (")
    assert words["growth"] == "too young to tell: it takes a day"
    assert words["history"] == "whole: nothing was pruned"
    assert words["fact"].split()[0] == "13"


def test_stats_are_the_same_as_json_and_csv(shop: Path, parity: Parity) -> None:
    document = json.loads(parity("db", "stats", "-o", "json").out)
    tables = {one["table"]: one for one in document["tables"]}
    assert document["facts"]["open"] == tables["fact"]["rows"] == 13
    assert document["bytes"]["database"] == (shop / "parity.db").stat().st_size
    assert sum(one["bytes"] for one in document["tables"]) <= document["bytes"]["database"]
    header, *rows = parity("db", "stats", "-o", "csv").out.splitlines()
    assert header == '"TABLE","ROWS","BYTES","BYTES/ROW"'
    assert len(rows) == len(document["tables"])


def test_growth_is_told_of_the_last_days(shop: Path, parity: Parity) -> None:
    day = 86_400_000_000
    with sqlite3.connect("parity.db") as connection:
        # The first snapshots came four days before the others.
        connection.execute(f"UPDATE snapshot SET received_at = received_at - 4 * {day} WHERE seq <= 2")
    connection.close()
    growth = json.loads(parity("db", "stats", "-o", "json").out)["growth"]
    assert growth["days"] == 4.0
    # Five snapshots, of which the first begins the time that is told of.
    assert growth["snapshots_per_day"] == pytest.approx(4 / 4, abs=0.06)
    assert growth["bytes_per_day"] > 0
    assert " a day (of 4 days)" in parity("db", "stats").out


def test_a_backup_is_made_verified_and_restored(shop: Path, parity: Parity) -> None:
    made = parity("db", "backup", "parity.bak")
    assert made.code == 0
    assert made.why.startswith("db: parity.bak is a backup of ")
    again = parity("db", "backup", "parity.bak")
    assert (again.code, again.why) == (
        2,
        "parity: parity.bak is there already: name another file, or give --force",
    )
    assert parity("db", "backup", "--force", "parity.bak").code == 0
    checked = parity("db", "verify", "parity.bak")
    assert (checked.code, checked.why) == (0, "db: parity.bak is sound")
    assert len(checked.out.splitlines()) == 11
    done = parity("db", "restore", "parity.bak", "--resume-outbox", "send")
    assert done.code == 0
    assert "what was there is" in done.why
    assert "restored" in parity("db", "stats").out


def test_what_cannot_be_true_ends_with_one_and_what_cannot_be_read_with_four(
    shop: Path, parity: Parity
) -> None:
    with sqlite3.connect("parity.db") as connection:
        connection.execute("DELETE FROM drift_event")
    connection.close()
    answer = parity("db", "verify")
    assert answer.code == 1
    assert "✖ every drift has the state that its events led to: " in answer.out
    assert "restore a backup" in answer.why
    (shop / "parity.db").write_bytes(b"\0" * 9000)
    answer = parity("db", "verify")
    assert answer.code == 4
    assert "is damaged" in answer.why


@pytest.mark.parametrize(
    ("words", "tool"),
    [
        (("db", "backup", "x.bak"), "pg_dump --format=custom --file=x.bak"),
        (("db", "restore", "x.bak"), "pg_restore"),
    ],
)
def test_postgresql_is_referred_to_its_own_tools(
    shop: Path, parity: Parity, words: tuple[str, ...], tool: str
) -> None:
    config = shop / "parity.yml"
    config.write_text(config.read_text().replace("sqlite:///parity.db", "${DB:-postgresql://db/parity}"))
    answer = parity(*words)
    assert answer.code == 2
    assert tool in answer.why


def test_retention_acts_by_command_and_counts_first(shop: Path, parity: Parity) -> None:
    config = shop / "parity.yml"
    config.write_text(config.read_text().replace("auth: none", "auth: none, retention: {history: 30d}"))
    assert parity("check").err.count("warning") == 0
    with sqlite3.connect("parity.db") as connection:
        connection.execute("UPDATE drift SET state = 'resolved', resolved_at = 1")
        drifts = connection.total_changes
    connection.close()
    would = parity("db", "prune", "--dry-run")
    assert (would.code, would.out.split()) == (0, ["drift", str(drifts)])
    assert " would be dropped" in would.why
    done = parity("db", "prune")
    assert (done.out, done.code) == (would.out, 0)
    again = parity("db", "prune")
    assert (again.out, "was dropped before" in again.why) == ("", True)


def test_an_export_becomes_another_database_with_the_same_answers(shop: Path, parity: Parity) -> None:
    config = (shop / "parity.yml").read_text()
    (shop / "other.yml").write_text(config.replace("parity.db", "elsewhere/other.db"))
    made = parity("db", "export", "all.ndjson")
    lines = (shop / "all.ndjson").read_bytes().splitlines()
    assert (made.code, made.why) == (0, f"db: {len(lines) - 2} rows are exported")
    assert (shop / "all.ndjson").stat().st_mode & 0o777 == 0o600
    again = parity("db", "export", "all.ndjson")
    assert (again.code, "give --force" in again.why) == (2, True)
    done = parity("db", "import", "all.ndjson", "--config", "other.yml")
    assert (done.code, done.why.startswith(f"db: {len(lines) - 2} rows are imported into ")) == (0, True)
    there, here = (
        parity("diff", "staging", "prod", *more, "-o", "json") for more in ((), ("--config", "other.yml"))
    )
    assert json.loads(there.out)["summary"] == json.loads(here.out)["summary"]
    refused = parity("db", "import", "all.ndjson", "--config", "other.yml")
    assert (refused.code, "is not empty" in refused.why) == (2, True)
