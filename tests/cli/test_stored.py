"""Commands that ask, or change, what is stored."""

import asyncio
import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import SHOP, Parity, as_process, write, write_shop
from tests.queries import scripted_month

# --- once, snapshot ---------------------------------------------------------------------------------


def test_once_says_what_became_of_each_source_and_what_is_open(folder: Path) -> None:
    write_shop(folder)
    first = as_process("once", cwd=folder)
    assert sorted(first.out.splitlines()) == [
        "✓ dev api dotenv  changed",
        "✓ prod api dotenv  changed",
        "✓ prod api lockfile  changed",
        "✓ staging api dotenv  changed",
        "✓ staging api lockfile  changed",
    ]
    # django, the shared secret, the missing key.
    assert (first.code, first.err) == (
        1,
        "once: 5 of 5 sources seen, 3 drifts are open above info; parity log lists them\n",
    )
    assert "changed" not in as_process("once", cwd=folder).out


def test_once_with_a_source_that_cannot_be_seen(folder: Path) -> None:
    write_shop(folder)
    text = (folder / ".env.staging").read_text().replace("two", "three").replace("WEBHOOK", "LOG")
    write(folder, __env__staging=text, requirements__prod__txt="django==4.2.26\nflask==3.1.1\n")
    (folder / ".env.dev").unlink()
    answer = as_process("once", cwd=folder)
    assert "? dev api dotenv  unreachable: .env.dev does not exist" in answer.out
    write(folder, __env__prod="LOG_LEVEL=info\nSTRIPE_SECRET=two\nLOG_URL=https://hooks.example/b\n")
    answer = as_process("once", cwd=folder)
    assert (answer.code, answer.why) == (3, "once: 4 of 5 sources seen, the others cannot be told")


def test_once_without_drift_is_0(folder: Path) -> None:
    write_shop(folder)
    write(folder, __env__staging="LOG_LEVEL=info\nSTRIPE_SECRET=three\n")
    write(folder, requirements__prod__txt="django==4.2.26\nflask==3.1.1\n")
    answer = as_process("once", cwd=folder)
    assert (answer.code, answer.why) == (0, "once: 5 of 5 sources seen, no open drift")


def test_a_snapshot_is_made_where_something_changed(parity: Parity, shop: Path) -> None:
    before = parity("diff", "staging", "staging", "-o", "json").out
    write(shop, __env__staging="LOG_LEVEL=info\n")
    answer = parity("snapshot", "staging", "--service", "api")
    assert "✓ staging api dotenv  changed" in answer.out
    number = json.loads(before)["left"]["snapshot"]
    assert f"staging#{number + 1}" in answer.out
    assert (answer.code, answer.why) == (0, "snapshot: 2 sources seen")


def test_a_snapshot_that_is_not_stored_changes_nothing(parity: Parity, shop: Path) -> None:
    before = (shop / "parity.db").read_bytes()
    write(shop, __env__staging="LOG_LEVEL=info\n")
    answer = parity("snapshot", "staging", "--no-store")
    assert (answer.code, answer.out) == (0, "")
    assert "✓ staging api dotenv" in answer.err
    assert (shop / "parity.db").read_bytes() == before


def test_a_snapshot_as_json_can_be_compared_again(parity: Parity, shop: Path) -> None:
    answer = parity("snapshot", "prod", "--format", "json")
    assert answer.code == 0
    assert {each["schema"] for each in json.loads(answer.out)} == {"parity.observation/v1"}
    (shop / "prod.json").write_text(answer.out)
    assert parity("diff", "snapshot:prod.json", "snapshot:prod.json").code == 0
    locked = parity("diff", "requirements.staging.txt", "snapshot:prod.json")
    assert "django 4.2.26 → 5.2.8" in locked.out


def test_what_was_not_seen_is_told_beside_the_json(parity: Parity, shop: Path) -> None:
    (shop / ".env.prod").unlink()
    answer = parity("snapshot", "prod", "--format", "json")
    assert answer.code == 3
    assert {one["source"] for one in json.loads(answer.out)} == {"dotenv", "lockfile"}
    assert ".env.prod does not exist" in answer.err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("snapshot", "prdo"), "parity: no environment prdo (did you mean prod?)"),
        (("snapshot", "--service", "apo"), "parity: no service apo (did you mean api?)"),
        (("diff", "staging", "prdo"), "parity: no environment prdo (did you mean prod?)"),
        (("diff", "staging", "prod#99"), "parity: prod has no snapshot 99: the newest is prod#"),
        (("diff", "staging", "prod", "--service", "apo"), "parity: no service apo (did you mean api?)"),
        (("diff", "staging", "prod", "--as", "staging,prod"), "parity: --as is for files"),
        (("diff", "staging", ".env.prod"), "parity: a file is compared with a file"),
        (("log", "--service", "apo"), "parity: no service apo (did you mean api?)"),
        (("log", "--item", "x"), "parity: the history of an item needs its service"),
        (("log", "--environment", "prod"), "parity: --environment narrows the history of one item"),
        (
            ("log", "--service", "api", "--item", "x", "--environment", "prdo"),
            "parity: no environment prdo (did you mean prod?)",
        ),
        (("token", "revoke", "nobody"), "parity: no token nobody: parity token list shows them"),
        (("token", "create", "ci", "--scope", "wirte"), "parity: no scope wirte; take read, drift:write"),
        (("token", "create", "ci", "--scope", "read", "--for", "ever"), "parity: no duration"),
    ],
)
def test_unknown_names_list_the_known_ones(
    parity: Parity, shop: Path, words: tuple[str, ...], why: str
) -> None:
    answer = parity(*words)
    assert (answer.code, answer.out) == (2, "")
    assert answer.why.startswith(why)


# --- diff, status, log, gate --------------------------------------------------------------------------


def test_diff_of_environments_names_snapshots_services_and_ages(parity: Parity, shop: Path) -> None:
    answer = parity("diff", "staging", "prod")
    assert answer.code == 1
    assert answer.out.startswith("staging#")
    assert "api: STRIPE_SECRET is the same secret in staging and prod" in answer.out
    assert "since 20" in answer.out
    assert "↳ in staging: uv pip install" in answer.out or "↳ in staging: " in answer.out
    assert answer.why.startswith("drift: 3 at low or above, worst high: api: ")


def test_swapping_the_sides_gives_the_same_answer(parity: Parity, shop: Path) -> None:
    there, back = (
        json.loads(parity("diff", *sides, "-o", "json").out)
        for sides in (("staging", "prod"), ("prod", "staging"))
    )
    assert there["summary"] == back["summary"]
    assert [item["severity"] for item in there["items"]] == [item["severity"] for item in back["items"]]


@pytest.mark.parametrize("command", [("diff", "staging", "prod"), ("status",), ("gate",), ("log",)])
def test_each_answer_comes_in_every_format(parity: Parity, shop: Path, command: tuple[str, ...]) -> None:
    code = parity(*command).code
    answers = {form: parity(*command, "-o", form) for form in ("json", "yaml", "md", "csv")}
    assert {answer.code for answer in answers.values()} == {code}
    document = json.loads(answers["json"].out)

    def without_times(found: object) -> object:
        if isinstance(found, dict):
            return {
                key: without_times(value) for key, value in found.items() if key not in ("as_of", "taken_at")
            }
        return [without_times(each) for each in found] if isinstance(found, list) else found

    assert without_times(yaml.safe_load(answers["yaml"].out)) == without_times(document)
    rows = list(csv.reader(io.StringIO(answers["csv"].out)))
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}
    assert "|---|" in answers["md"].out


def test_status_shows_the_matrix_and_what_is_open(parity: Parity, shop: Path) -> None:
    answer = parity("status")
    words = [line.split() for line in answer.out.splitlines()]
    assert ["service", "dev", "staging", "prod"] in words
    assert "api      staging → prod  ▲ 3 high" in answer.out
    assert "5 of 5 sources seen" in answer.out
    assert (answer.code, answer.why) == (0, "status: 1 services, 2 of 2 comparisons with open drift")


def test_status_before_anything_was_seen_says_the_next_command(parity: Parity, folder: Path) -> None:
    write_shop(folder)
    assert parity("db", "upgrade").code == 0
    answer = parity("status")
    assert answer.code == 0
    assert "unknown" in answer.out or "parity once" in answer.out
    assert "in sync" not in answer.out


def test_log_lists_drifts_newest_first(parity: Parity, shop: Path) -> None:
    lines = parity("log").out.splitlines()
    assert lines[0].split() == ["since", "state", "severity", "where", "what"]
    text = " ".join(" ".join(lines).split())
    assert "open high staging..prod api: STRIPE_SECRET is the same secret" in text
    assert parity("log", "--limit", "1").why == "log: 1 entry"


def test_log_of_one_item_shows_every_value_it_had(parity: Parity, shop: Path) -> None:
    write(shop, requirements__prod__txt="django==5.2.9\nflask==3.1.1\n")
    assert parity("snapshot", "prod").code == 0
    item = ("log", "--service", "api", "--item", "pkg:pypi/django", "--environment", "prod")
    answer = parity(*item)
    assert [line.split()[-1] for line in answer.out.splitlines()] == ["value", "5.2.9", "5.2.8"]
    assert answer.why == "log: 2 entries"
    nothing = parity("log", "--service", "api", "--item", "django")
    assert "pkg:pypi/django" in nothing.out


def test_log_never_shows_a_config_value(parity: Parity, shop: Path) -> None:
    answer = parity("log", "--service", "api", "--item", "STRIPE_SECRET", "-o", "json")
    shapes = [row["value"] for row in json.loads(answer.out)["items"]]
    assert {shape["type"] for shape in shapes} == {"text"}
    assert "two" not in answer.out


def test_gate_looks_at_what_leads_into_production(parity: Parity, shop: Path) -> None:
    answer = parity("gate")
    assert answer.code == 1
    assert answer.why.startswith("gate: drift: 3 at high or above, worst high: api: ")
    assert answer.why.endswith("(staging..prod)")
    assert parity("gate", "--fail-on", "critical").code == 0


def test_gate_looks_at_the_marked_comparisons(parity: Parity, shop: Path) -> None:
    pairs = "[{left: dev, right: staging, gate: true}, {left: staging, right: prod}]"
    write(shop, parity__yml=f"{SHOP}comparisons: {pairs}\n")
    document = json.loads(parity("gate", "-o", "json").out)
    assert document["schema"] == "parity.gate/v1"
    [comparison] = document["comparisons"]
    assert (comparison["left"]["expression"], comparison["right"]["expression"]) == ("dev", "staging")


def test_gate_cannot_tell_what_it_did_not_see(parity: Parity, shop: Path) -> None:
    write(
        shop,
        __env__staging="STRIPE_SECRET=three\n",
        __env__prod="STRIPE_SECRET=two\n",
        requirements__staging__txt="django==5.2.8\nflask==3.1.1\n",
    )
    (shop / "requirements.prod.txt").unlink()
    assert parity("snapshot").code == 3
    answer = parity("gate")
    assert answer.code in (1, 3), "what was drift when it was last seen is still drift"
    write(shop, parity__yml=SHOP.replace("sqlite:///parity.db", "sqlite:///new.db"))
    assert parity("snapshot").code == 3
    answer = parity("gate")
    assert answer.code == 3
    assert answer.why.startswith("gate: cannot tell: prod dependencies unreachable")
    assert parity("gate", "--allow-incomplete").code == 0


def test_gate_counts_what_a_leading_release_will_need(parity: Parity, folder: Path) -> None:
    compose = "services:\n  api:\n    image: shop/api:{}\n    environment: {{A: x{}}}\n"
    write(
        folder,
        parity__yml="""
version: 1
server: {auth: none}
defaults: {every: 1h}
environments: [{name: staging, tier: staging}, {name: prod, tier: production}]
services:
  - name: api
    sources:
      staging: {type: compose, path: staging.yaml}
      prod: {type: compose, path: prod.yaml}
""",
        staging__yaml=compose.format("1.5.0", ", NEW_KEY: y"),
        prod__yaml=compose.format("1.4.0", ""),
    )
    assert parity("snapshot").code == 0
    between = json.loads(parity("diff", "staging", "prod", "-o", "json").out)
    [item] = [item for item in between["items"] if item["item"] == "NEW_KEY"]
    assert (item["verdict"], item["due"]) == ("expected", True)
    answer = parity("gate", "-o", "json")
    assert answer.code == 1
    assert "NEW_KEY missing in prod" in answer.why
    summary = json.loads(answer.out)["comparisons"][0]["summary"]
    assert summary["high"] == between["summary"]["high"] + 1
    assert summary["expected"] == between["summary"]["expected"] - 1


def test_a_gate_without_any_comparison_is_an_error(parity: Parity, folder: Path) -> None:
    write(folder, parity__yml="version: 1\nenvironments: [{name: dev}, {name: staging}]\n")
    assert parity("db", "upgrade").code == 0
    answer = parity("gate")
    assert (answer.code, answer.why.startswith("parity: no comparison; mark one with gate: true")) == (
        2,
        True,
    )


# --- check, config, doctor, version -------------------------------------------------------------------


def test_check_counts_what_the_configuration_holds(parity: Parity, shop: Path) -> None:
    answer = parity("check")
    assert answer.out.endswith("parity.yml: 3 environments, 1 services, 5 sources, 2 comparisons, 0 rules\n")
    assert (answer.code, answer.why) == (0, "check: the configuration is right")


def test_check_online_reaches_every_source_and_stores_nothing(parity: Parity, folder: Path) -> None:
    write_shop(folder)
    (folder / ".env.prod").unlink()
    answer = parity("check", "--online")
    assert "? prod api dotenv  unreachable: .env.prod does not exist" in answer.out
    assert (answer.code, answer.why) == (2, "check: 1 of 5 sources cannot be seen")
    assert not (folder / "parity.db").exists()


def test_config_show_fills_in_defaults_and_masks_secrets(
    parity: Parity, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_shop(folder)
    monkeypatch.setenv("DATABASE", "postgresql://parity:c4nary@db.internal/parity")
    write(folder, parity__yml=SHOP.replace("sqlite:///parity.db", "${DATABASE}"))
    answer = parity("config", "show")
    shown = yaml.safe_load(answer.out)
    assert shown["server"]["retention"] == {"history": "2y", "messages": "90d"}
    assert "c4nary" not in answer.out


def test_config_schema_is_json_schema(parity: Parity, folder: Path) -> None:
    schema = json.loads(parity("config", "schema").out)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert {"version", "environments"} == set(schema["required"])


def test_doctor_names_what_is_wrong(parity: Parity, shop: Path, tmp_path: Path) -> None:
    well = parity("doctor")
    assert (well.code, well.why) == (0, "doctor: all is well")
    assert "✓ Python" in well.out
    ill = parity("doctor", "--config", "nope.yml")
    assert (ill.code, ill.why) == (2, "doctor: 1 thing to mend")
    assert "✖ nope.yml:1:1: document: no such file" in ill.out


def test_version(parity: Parity) -> None:
    answer = parity("version")
    assert (answer.code, answer.out.splitlines()[0].split()[0]) == (0, "parity")


# --- db, token ----------------------------------------------------------------------------------------


def test_db_upgrade_makes_the_schema_and_can_run_again(parity: Parity, folder: Path) -> None:
    write_shop(folder)
    for _ in range(2):
        answer = parity("db", "upgrade")
        assert (answer.code, answer.why) == (0, "db: the schema is up to date")


def test_a_token_is_shown_once_listed_without_its_secret_and_revoked(parity: Parity, shop: Path) -> None:
    made = parity("token", "create", "ci", "--scope", "push:prod/api", "--scope", "read", "--for", "90d")
    assert made.out.startswith("par_")
    assert made.why == "token: ci is good for 90d; it is shown only now"
    _, identifier, secret = made.out.strip().split("_", 2)
    listed = parity("token", "list")
    assert f"{identifier}  ci  push:prod/api read  until 20" in listed.out
    assert secret not in listed.out
    assert secret.encode() not in (shop / "parity.db").read_bytes()
    assert parity("token", "revoke", identifier).why == f"token: {identifier} is revoked"
    assert parity("token", "list").out.rstrip().endswith("revoked")


# --- push ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Service:
    url: str
    folder: Path


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that asks for tokens, on a port of its own."""
    from tests.servers.process import free_port

    home = tmp_path_factory.mktemp("service")
    write_shop(home)
    address = f"127.0.0.1:{free_port()}"
    text = (home / "parity.yml").read_text().replace("auth: none", f"auth: token, listen: '{address}'")
    pushed = "prod:\n        - {type: push, name: ci}\n"
    (home / "parity.yml").write_text(text.replace("prod:\n", pushed))
    made = as_process("token", "create", "ci", "--scope", "push:prod/api", cwd=home)
    (home / "token").write_text(made.out)
    with subprocess.Popen(
        [Path(sys.executable).with_name("parity"), "serve"], cwd=home, stderr=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stderr is not None
            assert any('"event": "ready"' in line for line in child.stderr)
            yield Service(f"http://{address}", home)
        finally:
            child.terminate()
            child.communicate(timeout=20)


def test_push_sends_a_file_and_says_what_became_of_it(
    parity: Parity, service: Service, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, requirements__txt="django==5.2.8\n")
    to = ("--env", "prod", "--service", "api", "--server", service.url, "--source", "ci")
    words = ("push", "requirements.txt", *to, "--token-file", str(service.folder / "token"))
    first = parity(*words)
    assert (first.code, first.why.startswith("push: taken as prod#")) == (0, True)
    assert parity(*words).why == "push: nothing changed"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--env", "staging", "--service", "api"], "parity: the service refused with 403"),
        (["--env", "nowhere", "--service", "api"], "parity: the service refused with 403"),
    ],
)
def test_push_names_why_it_was_refused(
    parity: Parity, service: Service, folder: Path, words: list[str], why: str
) -> None:
    write(folder, requirements__txt="django==5.2.8\n")
    token = str(service.folder / "token")
    answer = parity("push", "requirements.txt", *words, "--server", service.url, "--token-file", token)
    assert (answer.code, answer.why.startswith(why)) == (2, True)


def test_push_without_a_token_is_refused(parity: Parity, service: Service, folder: Path) -> None:
    write(folder, requirements__txt="django==5.2.8\n")
    answer = parity("push", "requirements.txt", "--env", "prod", "--service", "api", "--server", service.url)
    assert (answer.code, answer.why.startswith("parity: the service refused with 401")) == (2, True)


@pytest.mark.parametrize("server", ["http://127.0.0.1:9", "nonsense"])
def test_push_to_nobody_says_so(parity: Parity, folder: Path, server: str) -> None:
    write(folder, requirements__txt="django==5.2.8\n")
    answer = parity("push", "requirements.txt", "--env", "prod", "--service", "api", "--server", server)
    assert answer.code == 2
    assert answer.why.startswith("parity: the service does not answer (")


def test_push_of_a_file_that_cannot_be_opened(parity: Parity, folder: Path) -> None:
    to = ("--env", "prod", "--service", "api", "--server", "http://127.0.0.1:9")
    assert parity("push", "uv.lock", *to).why.startswith("parity: uv.lock cannot be opened")
    write(folder, requirements__txt="django==5.2.8\n")
    missing = parity("push", "requirements.txt", *to, "--token-file", "nope")
    assert missing.why == "parity: nope cannot be read: --token-file takes the file that holds the token"


def test_push_of_a_file_that_is_not_understood_sends_nothing(parity: Parity, folder: Path) -> None:
    write(folder, uv__lock="[[package]\n")
    to = ("--env", "prod", "--service", "api", "--server", "http://127.0.0.1:9")
    answer = parity("push", "uv.lock", *to)
    assert (answer.code, answer.why.startswith("push: nothing was sent: uv.lock")) == (3, True)


def test_push_of_a_component_that_the_file_does_not_have(parity: Parity, folder: Path) -> None:
    write(folder, requirements__txt="django==5.2.8\n")
    to = ("--env", "prod", "--service", "api", "--server", "http://127.0.0.1:9", "--component", "worker")
    answer = parity("push", "requirements.txt", *to)
    assert (answer.code, answer.why) == (
        2,
        "parity: requirements.txt has no component worker: give --component main",
    )


# --- promotion --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lived_month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("month")
    asyncio.run(scripted_month.write(folder))
    return folder


@pytest.fixture
def month(lived_month: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(lived_month)
    return lived_month


def test_promotion_tells_lead_times_and_what_waits(parity: Parity, month: Path) -> None:
    answer = parity("promotion", "--since", "30d")
    assert answer.code == 0
    assert answer.out.splitlines()[2].split() == [
        *("checkout", "staging", "→", "prod-eu", "4", "3d", "4d", "3", "1", "1.9.0", "2d"),
    ]
    assert answer.why == "promotion: 3 of 4 hops wait, longest checkout 1.9.0 for prod-us: 11d"


def test_promotion_of_one_service_tells_of_each_version(parity: Parity, month: Path) -> None:
    answer = parity("promotion", "--service", "checkout")
    rows = {line.split("  ")[0]: line for line in answer.out.splitlines()}
    assert rows["1.9.0"].split()[3:] == ["first", "•", "+12h", "•", "waiting", "waiting"]
    assert rows["1.0.0"].count("had it") == 4
    assert "≤" in rows["1.0.0"]
    assert all(len(line) <= 80 for line in answer.out.splitlines())


def test_promotion_is_also_data(parity: Parity, month: Path) -> None:
    document = json.loads(parity("promotion", "-o", "json").out)
    assert document["schema"] == "parity.promotion/v1"
    rows = list(csv.DictReader(io.StringIO(parity("promotion", "-o", "csv").out)))
    hops = [hop for way in document["items"] for hop in way["hops"]]
    assert [(row["left"], row["right"]) for row in rows] == [(hop["left"], hop["right"]) for hop in hops]
    for row, hop in zip(rows, hops, strict=True):
        assert [float(row[name]) if row[name] else None for name in ("median_seconds", "p90_seconds")] == [
            hop["median_seconds"],
            hop["p90_seconds"],
        ]
        waiting = hop["waiting"]
        assert row["waiting_at_least"] == ("" if waiting is None else str(not waiting["exact"]).lower())
        assert row["waiting_version"] == (waiting or {"version": ""})["version"]
    assert {row["waiting_at_least"] for row in rows} == {"", "false"}
    assert parity("promotion", "-o", "md").out.startswith("| service | hop |")


def test_a_clock_that_began_before_the_watch_is_a_lower_bound_in_csv(parity: Parity, folder: Path) -> None:
    write_shop(folder)
    write(folder, requirements__staging__txt="django==5.2.9\n")
    as_process("once", cwd=folder)
    [row] = csv.DictReader(io.StringIO(parity("promotion", "--item", "django", "-o", "csv").out))
    assert (row["item"], row["left"], row["waiting_version"]) == ("pkg:pypi/django", "staging", "5.2.9")
    assert (row["waiting_at_least"], float(row["waiting_seconds"]) > 0) == ("true", True)
    assert (row["median_seconds"], row["p90_seconds"]) == ("", "")


def test_promotion_with_nothing_to_tell_says_so(parity: Parity, month: Path, folder: Path) -> None:
    answer = parity("promotion", "--item", "imagetag", "--config", str(month / "parity.yml"))
    assert (answer.code, answer.why) == (
        2,
        "parity: no item imagetag was ever seen (did you mean image#tag?)",
    )
    refused = parity("promotion", "--since", "soon", "--config", str(month / "parity.yml"))
    assert (refused.code, "5s 15m 2h" in refused.why) == (2, True)
    unknown = parity("promotion", "--service", "chekout", "--config", str(month / "parity.yml"))
    assert (unknown.code, "did you mean checkout" in unknown.why) == (2, True)


# --- report -----------------------------------------------------------------------------------------


def test_a_report_has_a_row_for_each_factor_and_ends_as_diff_does(parity: Parity, shop: Path) -> None:
    answer = parity("report", "--factors")
    lines = answer.out.splitlines()
    assert lines[0] == "staging → prod by the twelve factors"
    numerals = [line.split()[0] for line in lines[3:] if line[:1] in "IVX" and line.strip()]
    assert numerals == ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]
    assert "      ↳ measured by manifests, postgres" in lines
    assert "  Personnel  unknown: no deployment was announced" in lines
    assert any("OpenSSL" in line for line in lines)
    assert all(len(line) <= 80 for line in lines)
    assert answer.code == parity("diff", "staging", "prod").code == 1
    assert answer.why.startswith("report: drift: 3 at low or above, worst high: ")
    findings = parity("report", "staging", "prod").out
    assert "STRIPE_SECRET is the same secret" in findings.replace("\n", " ")


@pytest.mark.parametrize("form", ["md", "html", "json", "yaml", "csv", "junit", "sarif"])
def test_a_report_speaks_many_forms_and_shows_no_value(parity: Parity, shop: Path, form: str) -> None:
    answer = parity("report", "staging", "prod", "-o", form)
    assert answer.code == 1
    assert answer.out
    for value in ("two", "hooks.example"):
        assert f">{value}<" not in answer.out
        assert f'"{value}"' not in answer.out


def test_an_inventory_is_of_one_environment(parity: Parity, shop: Path) -> None:
    answer = parity("report", "prod", "-o", "cyclonedx")
    assert (answer.code, answer.why) == (0, "report: 1 service of prod")
    document = json.loads(answer.out)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    (api,) = document["components"]
    assert {one["purl"] for one in api["components"]} == {"pkg:pypi/django@5.2.8", "pkg:pypi/flask@3.1.1"}
    assert "STRIPE" not in answer.out
    first, second = (json.loads(parity("report", "prod", "-o", "cyclonedx").out) for _ in range(2))
    assert first["serialNumber"] == second["serialNumber"]


def test_an_inventory_may_be_of_a_snapshot(parity: Parity, shop: Path) -> None:
    (shop / "requirements.prod.txt").write_text("django==5.2.9\nflask==3.1.1\n")
    parity("snapshot", "prod")
    now, before = (json.loads(parity("report", state, "-o", "cyclonedx").out) for state in ("prod", "prod~1"))
    versions = [
        {one["version"] for one in bill["components"][0]["components"] if one["name"] == "django"}
        for bill in (now, before)
    ]
    assert versions == [{"5.2.9"}, {"5.2.8"}]
    unknown = parity("report", "prod#99", "-o", "cyclonedx")
    assert (unknown.code, "the newest is prod#" in unknown.why) == (2, True)


def test_a_look_at_one_environment_prints_its_bill_and_stores_nothing(parity: Parity, shop: Path) -> None:
    (shop / "requirements.prod.txt").write_text("django==5.2.9\nflask==3.1.1\n")
    answer = parity("snapshot", "prod", "--format", "cyclonedx")
    assert answer.code == 0
    (shop / "now.cdx.json").write_text(answer.out)
    (shop / "stored.cdx.json").write_text(parity("report", "prod", "-o", "cyclonedx").out)
    compared = parity("diff", "stored.cdx.json", "now.cdx.json")
    assert (compared.code, "django 5.2.8 → 5.2.9" in compared.out) == (1, True)
    assert parity("diff", "now.cdx.json", "now.cdx.json").code == 0
    refused = parity("snapshot", "--format", "cyclonedx")
    assert (refused.code, "of one environment" in refused.why) == (2, True)


def test_a_report_that_makes_no_sense_is_refused(parity: Parity, shop: Path) -> None:
    refused = parity("report", "staging")
    assert (refused.code, refused.why) == (
        2,
        "parity: a report compares two environments: parity report staging prod",
    )
    assert parity("report", "-o", "cyclonedx").code == 2
    assert parity("report", "staging", "prod", "-o", "cyclonedx").code == 2
    unknown = parity("report", "staging", "prodd")
    assert (unknown.code, "did you mean prod" in unknown.why) == (2, True)
    files = parity("report", ".env.staging", ".env.prod")
    assert (files.code, "parity diff" in files.why) == (2, True)


def test_a_missing_key_has_its_place_in_sarif_where_the_code_reads_it(parity: Parity, folder: Path) -> None:
    write_shop(folder)
    config = (folder / "parity.yml").read_text()
    config = config.replace(
        "- {type: dotenv, path: .env.prod}",
        "- {type: dotenv, path: .env.prod}\n        - {type: reads, path: src}",
    )
    (folder / "parity.yml").write_text(config)
    (folder / "src").mkdir()
    (folder / "src" / "hooks.py").write_text('import os\n\nHOOK = os.environ["WEBHOOK_URL"]\n')
    parity("once")
    answer = parity("report", "staging", "prod", "-o", "sarif")
    (result,) = json.loads(answer.out)["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"].endswith("hooks.py")
    assert place["region"] == {"startLine": 3}
    assert (result["level"], "WEBHOOK_URL missing in prod" in result["message"]["text"]) == ("error", True)


# --- search ---------------------------------------------------------------------------------------------


def test_search_says_who_runs_a_version_and_of_whom_nobody_can_tell(folder: Path) -> None:
    write_shop(folder)
    as_process("once", cwd=folder)
    found = as_process("search", "django", "<99", cwd=folder)
    assert found.out.splitlines() == [
        "service  environment  value   from",
        "api      staging      4.2.26  lockfile (declared)",
        "api      prod         5.2.8   lockfile (declared)",
        "",
        "? no source of it looks at such dependencies",
        "  api dev",
    ]
    assert (found.code, found.why) == (3, "search: 1 service runs django <99; of 1 nobody can tell")
    exact = as_process("search", "pkg:pypi/django@4.2.26", "--allow-incomplete", "-o", "csv", cwd=folder)
    assert (exact.code, len(exact.out.splitlines())) == (0, 2)
    none = as_process("search", "django", "<1", "--environment", "prod", cwd=folder)
    assert (none.code, none.out, none.why) == (0, "", "search: no service that was seen runs django <1")
    then = as_process("search", "django", "--as-of", "1.days.ago", cwd=folder)
    assert "none of its sources has seen it" in then.out
    wrong = as_process("search", "django", "<1,,", cwd=folder)
    assert (wrong.code, "not a range of versions" in wrong.why) == (2, True)
    assert "a time such as" in as_process("search", "django", "--as-of", "yesterday", cwd=folder).why


# --- states of the past -----------------------------------------------------------------------------------


def test_any_two_states_of_history_can_be_compared(folder: Path) -> None:
    write_shop(folder)
    as_process("once", cwd=folder)
    before = datetime.now(UTC).isoformat(timespec="milliseconds")
    (folder / ".env.prod").write_text("APP_URL=https://prod.example\nNEW_KEY=1\n")
    as_process("snapshot", "prod", cwd=folder)
    newest = int(
        json.loads(as_process("diff", "prod", "prod", "-o", "json", cwd=folder).out)["left"]["snapshot"]
    )
    for words in (
        (f"prod#{newest - 1}", "prod"),
        (f"prod#{newest - 1}..prod#{newest}",),
        ("prod~1..prod",),
        (f"prod@{{{before}}}", "prod"),
        (f"prod@{{{before}}}..prod#{newest}",),
    ):
        answer = as_process("diff", *words, "-o", "json", cwd=folder)
        found = json.loads(answer.out)["items"]
        assert {"NEW_KEY"} <= {item["item"] for item in found if item["status"] == "right_only"}, words
    alone = as_process("diff", "prod", cwd=folder)
    assert (alone.code, "give two, or LEFT..RIGHT" in alone.why) == (2, True)
