"""Commands beside a running service: what writes goes through its socket, and there is no second writer."""

import json
import os
import pwd
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Answer, Parity
from tests.e2e.service import Service
from tests.servers.process import free_port

ME = f"{pwd.getpwuid(os.geteuid()).pw_name}@{socket.gethostname()}"


@pytest.fixture(scope="module")
def served(collected: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service on the collected shop, which asks the network for a token."""
    home = tmp_path_factory.mktemp("served") / "shop"
    shutil.copytree(collected, home)
    config, port = home / "parity.yml", free_port()
    text = config.read_text().replace("auth: none", f'auth: token, listen: "127.0.0.1:{port}"')
    config.write_text(text)
    with Service(config, port) as service:
        yield service


@pytest.fixture
def beside(served: Service, parity: Parity, monkeypatch: pytest.MonkeyPatch) -> Parity:
    """Runs a command in the folder of the service."""
    monkeypatch.chdir(served.config.parent)
    monkeypatch.delenv("PARITY_TOKEN", raising=False)
    return parity


def good(answer: Answer) -> Answer:
    assert answer.code == 0, answer.err
    return answer


def test_the_socket_is_for_its_user_alone_and_beside_the_database(served: Service, beside: Parity) -> None:
    found = (served.config.parent / "parity.db.sock").lstat()
    assert found.st_mode & 0o777 == 0o600
    assert found.st_uid == os.geteuid()


def test_accepting_and_ending_go_through_the_service(beside: Parity) -> None:
    said = ("--reason", "soaks", "--for", "14d")
    named = ("staging..prod", "api", "django")
    made = good(beside("accept", *named, *said, "-o", "json"))
    (acceptance,) = json.loads(made.out)["items"]
    assert acceptance["author"] == ME
    assert ME in good(beside("accept", "--list")).out
    assert "1 difference open again" in good(beside("accept", "--end", acceptance["id"])).why
    refused = beside("accept", *named, *said, "--author", "somebody")
    assert (refused.code, "it knows who you are" in refused.why) == (2, True)


def test_tokens_are_made_and_ended_while_it_runs(served: Service, beside: Parity) -> None:
    token = good(beside("token", "create", "reader", "--scope", "read", "--for", "1d")).out.strip()
    served.token = token
    assert served.get("/api/v1/matrix").code == 200
    assert beside("token", "revoke", token.split("_")[1]).code == 0
    assert served.get("/api/v1/matrix").code == 401
    unknown = beside("token", "revoke", "nobody/../x")
    assert (unknown.code, unknown.why) == (
        2,
        "parity: no token nobody/../x: parity token list shows them",
    )


def test_a_deployment_and_a_push_need_no_address(beside: Parity) -> None:
    deployed = beside("deploy", "--env", "prod", "--service", "api", "--version", "9.1", "--finished")
    assert good(deployed).why.startswith("deploy: api 9.1 is there")
    Path("requirements.pushed.txt").write_text("django==5.2.9\n")
    sent = beside("push", "requirements.pushed.txt", "--env", "prod", "--service", "api", "--source", "ci")
    assert good(sent).why.startswith("push: taken as prod#")


def test_the_doctor_sees_the_service(served: Service, beside: Parity) -> None:
    found = beside("doctor").out.replace("\n  ", " ")
    assert f"✓ the service runs as process {served.pid}, and its socket answers" in found


def test_what_is_over_is_dropped_by_the_service(beside: Parity) -> None:
    assert "was dropped before" in good(beside("db", "prune")).why


def test_what_cannot_be_done_beside_it_is_refused_with_its_pid(served: Service, beside: Parity) -> None:
    good(beside("db", "backup", "beside.bak", "--force"))
    refused = beside("db", "restore", "beside.bak")
    assert refused.code == 4
    assert f"is in use by process {served.pid}: stop it first" in refused.why


def test_a_whole_round_beside_it_is_left_to_it(served: Service, beside: Parity) -> None:
    refused = beside("once")
    assert refused.code == 4
    assert f"is in use by process {served.pid}: stop it first, or let it" in refused.why


def test_a_snapshot_is_taken_by_the_service(served: Service, beside: Parity) -> None:
    values = served.config.parent / ".env.prod"
    values.write_text(f"{values.read_text()}\nASKED_FOR=now\n")
    looked = good(beside("snapshot", "prod"))
    lines = [line for line in looked.out.splitlines() if "#" not in line]
    assert [line for line in lines if line.endswith("changed")] == ["✓ prod api dotenv  changed"]
    assert all(line.startswith("✓ prod ") for line in lines)
    assert looked.why == f"snapshot: {len(lines)} sources seen"
    assert "text, literal" in good(beside("log", "--service", "api", "--item", "ASKED_FOR")).out
    assert any(line.startswith("prod#") for line in looked.out.splitlines())
    one = good(beside("snapshot", "--service", "api")).out.splitlines()
    assert {line.split()[2] for line in one if "#" not in line} == {"api"}
    assert beside("snapshot", "nowhere").code == 2
    assert beside("snapshot", "--no-store").code == 0


def test_a_bill_of_materials_is_pushed_as_any_file(beside: Parity) -> None:
    listed = [{"type": "library", "name": "django", "purl": "pkg:pypi/django@5.2.10"}]
    bill = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": listed}
    Path("bom.json").write_text(json.dumps(bill))
    words = ("push", "bom.json", "--env", "prod", "--service", "api", "--source", "ci")
    assert good(beside(*words)).why.startswith("push: taken as prod#")
    assert good(beside(*words)).why == "push: nothing changed"
    Path("bom.json").write_text('{"bomFormat": "CycloneDX", "specVersion": "9.9"}')
    refused = beside(*words)
    assert (refused.code, "sbom-version" in refused.why) == (3, True)


def test_a_push_to_nobody_says_what_to_start(shop: Path, parity: Parity) -> None:
    refused = parity("push", ".env.prod", "--env", "prod", "--service", "api")
    assert refused.code == 2
    assert "no service runs on" in refused.why
    assert "start parity serve, or give --server URL" in refused.why


def test_after_a_kill_commands_write_themselves_and_the_next_start_takes_the_socket(
    served: Service, beside: Parity
) -> None:
    served.kill()
    assert Path("parity.db.sock").is_socket()
    assert "first" in good(beside("token", "list")).out
    good(beside("token", "create", "offline", "--scope", "read"))
    served.start()
    assert "offline" in json.dumps(good(beside("token", "list")).out)
    assert served.end() == 0
    assert not Path("parity.db.sock").exists()
    served.start()


def test_a_foreign_file_at_its_place_stops_the_start_and_is_left(shop: Path, parity: Parity) -> None:
    Path("parity.db.sock").write_text("letters")
    refused = parity("serve")
    assert refused.code == 4
    assert "is no socket of Parity: move it away" in refused.why
    assert Path("parity.db.sock").read_text() == "letters"
