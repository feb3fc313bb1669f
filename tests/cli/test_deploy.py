"""`parity deploy`, and what the gate and the screens say while a roll-out is under way."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Parity, as_process, write

TO_PROD = ("deploy", "--env", "prod", "--service", "api", "--version", "1.4.3")


def test_a_deployment_is_kept_and_its_version_names_the_state(shop: Path, parity: Parity) -> None:
    done = parity(*TO_PROD, "--commit", "0123abc", "--actor", "ada")
    assert (done.code, done.out) == (0, "")
    assert done.why == "deploy: api 1.4.3 is on its way; compare later: parity diff prod@1.4.3 prod"
    assert parity(*TO_PROD, "--finished").why.startswith("deploy: api 1.4.3 is there")
    with sqlite3.connect(shop / "parity.db") as database:
        rows = database.execute("select version, [commit], actor, finished_at > 0 from deployment").fetchall()
    assert rows == [("1.4.3", "0123abc", "ada", 1)]
    same = parity("diff", "prod@1.4.3", "prod")
    assert (same.code, same.why) == (0, "parity: nothing differs at this level")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--version", "a/b"), "--version: letters, digits and ._+-, at most 128"),
        (("--commit", "main"), "--commit: 7 to 64 hexadecimal digits"),
        (("--env", "prdo"), "no environment prdo (did you mean prod?)"),
        (("--server", "http://127.0.0.1:1"), "the service does not answer (ClientConnectorError)"),
    ],
)
def test_what_is_wrong_is_said_with_the_remedy(
    shop: Path, parity: Parity, words: tuple[str, ...], why: str
) -> None:
    done = parity(*TO_PROD, *words)
    assert done.code == 2
    assert why in done.why


def test_a_service_that_nobody_knows_is_kept_with_a_warning(shop: Path, parity: Parity) -> None:
    """The first deployment of a service may well be announced before anything was seen of it."""
    done = parity(*TO_PROD, "--service", "apo")
    assert done.code == 0
    assert done.err.startswith(
        "warning: no service apo (did you mean api?); kept all the same, and no alert "
    )
    assert done.why.startswith("deploy: apo 1.4.3 is on its way")
    assert "warning" not in parity(*TO_PROD).err


def test_a_version_that_nothing_deployed_names_the_remedy(shop: Path, parity: Parity) -> None:
    done = parity("diff", "prod@9.9.9", "prod")
    assert done.code == 2
    assert "parity deploy --env prod --service SERVICE --version 9.9.9" in done.err


def test_the_gate_cannot_tell_yet_what_a_rollout_may_bring(shop: Path, parity: Parity) -> None:
    write(shop, requirements__prod__txt="django==4.2.26\nflask==3.1.1\n", __env__prod="LOG_LEVEL=info\n")
    for _ in range(2):
        as_process("once", cwd=shop)
    before = parity("gate")
    assert (before.code, "drift: " in before.why) == (1, True)
    # The old drift is drift whatever is deployed.
    parity(*TO_PROD)
    assert parity("gate").code == 1
    write(
        shop,
        __env__staging="LOG_LEVEL=info\n",
        requirements__prod__txt="django==5.2.8\nflask==3.1.1\n",
    )
    as_process("once", cwd=shop)
    gate = parity("gate")
    assert gate.code == 3
    assert gate.why.startswith("gate: cannot tell yet: prod is rolling out 1.4.3 since ")
    assert parity("gate", "--allow-incomplete").code == 3
    shown = parity("diff", "staging", "prod")
    assert shown.code == 1  # answers never wait
    assert "nobody is told yet: prod is rolling out 1.4.3 since " in " ".join(shown.out.split())
    assert max(map(len, shown.out.splitlines())) <= 80
    items = json.loads(parity("diff", "staging", "prod", "-o", "json").out)["items"]
    assert {item["pending"] for item in items if item["severity"] == "high"} == {"rollout"}
    status = parity("status")
    assert "Alerts wait" in status.out
    assert "api, staging → prod: prod is rolling out 1.4.3 since " in status.out
    assert max(map(len, status.out.splitlines())) <= 80
    # Finished, it is drift like any other.
    parity(*TO_PROD, "--finished")
    assert parity("gate").code == 1
