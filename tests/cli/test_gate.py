"""`parity gate --promote` as a pipeline has it."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import COLUMNS, Parity, as_process, write, write_shop


def test_w19_the_first_run_is_an_answer(parity: Parity, folder: Path) -> None:
    """A pipeline collects for the first time and asks at once: nothing is confirmed, and drift is 1."""
    write_shop(folder)
    assert as_process("snapshot", cwd=folder).code == 0
    answer = parity("gate")
    assert (answer.code, "drift:" in answer.why) == (1, True)


def test_a_promotion_is_one_sentence_and_the_comparison_as_it_would_be(parity: Parity, shop: Path) -> None:
    answer = parity("gate", "--promote", "staging")
    assert answer.code == 1
    # The packages are those of the release then; the missing key and the shared secret are not.
    assert answer.out.splitlines()[:2] == [
        "api → prod: 1 key missing, 1 other drift; closes 1",
        "  ↳ in prod: set WEBHOOK_URL   # staging has it, prod does not",
    ]
    assert "django" not in answer.out
    assert max(map(len, answer.out.splitlines())) <= COLUMNS


def test_a_promotion_that_meets_nothing_is_0(parity: Parity, folder: Path) -> None:
    write_shop(folder)
    write(folder, __env__staging="LOG_LEVEL=info\nSTRIPE_SECRET=three\n")
    as_process("once", cwd=folder)
    # As it stands, the packages differ; promoted, they do not.
    assert parity("gate").code == 1
    answer = parity("gate", "--promote", "staging", "--to", "prod")
    assert (answer.code, answer.why) == (
        0,
        "gate: parity: nothing differs at this level (staging..prod)",
    )


def test_a_promotion_as_json_and_markdown(parity: Parity, shop: Path) -> None:
    document = json.loads(parity("gate", "--promote", "staging", "-o", "json").out)
    assert document["promote"] == {"asked": "staging", "from": "staging", "to": ["prod"]}
    assert document["exit_code"] == 1
    assert [one["item"] for one in document["services"][0]["missing"]] == ["WEBHOOK_URL"]
    assert parity("gate", "--promote", "staging", "-o", "md").out.startswith("- api → prod: 1 key missing")
    assert parity("gate", "--promote", "staging", "-o", "csv").out.startswith('"service"')


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--to", "prod"), "parity: --to says where --promote leads: give --promote as well"),
        (("--promote", "stagin"), "parity: no environment stagin (did you mean staging?)"),
        (("--promote", "prod"), "parity: nothing is promoted from prod"),
        (("--promote", "prod", "--to", "staging"), "parity: prod is not promoted to staging"),
        (("--promote", "staging", "--to", "staging"), "parity: staging is not promoted to staging"),
        (("--promote", "sha256:00"), "parity: no environment sha256:00"),
    ],
)
def test_a_promotion_that_means_nothing_is_2(
    parity: Parity, shop: Path, words: tuple[str, ...], why: str
) -> None:
    answer = parity("gate", *words)
    assert (answer.code, answer.out) == (2, "")
    assert answer.why.startswith(why)
