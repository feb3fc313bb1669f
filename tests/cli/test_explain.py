"""`parity explain` as a user has it, on files and on what is stored."""

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import COLUMNS, Parity, write

FILES = {
    "__env__staging": "LOG_LEVEL=info\nSTRIPE_SECRET=two\nWEBHOOK_URL=https://hooks.example/a\n",
    "__env__prod": "LOG_LEVEL=debug\nSTRIPE_SECRET=two\n",
}


def test_a_key_of_two_files_needs_no_service_and_no_config(parity: Parity, folder: Path) -> None:
    write(folder, **FILES)
    answer = parity("explain", ".env.staging", ".env.prod", "webhook_url")
    assert answer.out.splitlines() == [
        "app · WEBHOOK_URL · .env.staging → .env.prod",
        "",
        "  ▲ high drift: WEBHOOK_URL missing in .env.prod",
        "    Because default/config/missing_in_production makes what .env.prod lacks",
        "    high, and no rule allows it for a while.",
        "    ↳ in .env.prod: set WEBHOOK_URL   # .env.staging has it, .env.prod does not",
        "",
        "Rules that matched, in order (→ the last word on it)",
        "  default/rest  (match everything)",
        "      expect: equal",
        "      severity: info",
        "  default/config  (match section config)",
        "    → expect: presence",
        "      severity: medium",
        "  default/config/missing_on_the_right  (match section config, status left_only)",
        "      severity: medium",
        "  default/config/missing_in_production  (match section config, status left_only,",
        "      right_tier production)",
        "    → severity: high",
        "",
        "Rests on",
        "  .env.staging  https, public, literal  ← taken",
        *[line for line in answer.out.splitlines() if line.startswith("    declared, complete, seen")][:1],
        "  .env.prod  absent  ← taken",
        *[line for line in answer.out.splitlines() if line.startswith("    declared, complete, seen")][:1],
    ]
    assert answer.code == 0
    assert answer.why.startswith("explain: drift, high: default/config/missing_in_production")
    assert max(map(len, answer.out.splitlines())) <= COLUMNS


def test_no_value_is_ever_part_of_an_explanation(parity: Parity, folder: Path) -> None:
    secret = "hunter2-of-both"
    write(folder, __env__staging=f"STRIPE_SECRET={secret}\n", __env__prod=f"STRIPE_SECRET={secret}\n")
    for form in ("table", "json", "yaml", "md"):
        answer = parity("explain", ".env.staging", ".env.prod", "STRIPE_SECRET", "-o", form)
        assert answer.code == 0
        assert "shared_secret" in answer.out
        assert secret not in answer.out + answer.err


def test_json_and_yaml_are_one_document(parity: Parity, folder: Path) -> None:
    write(folder, **FILES)
    words = ("explain", ".env.staging", ".env.prod", "STRIPE_SECRET", "-o")
    document = json.loads(parity(*words, "json").out)
    assert document["schema"] == "parity.explain/v1"
    assert (document["answer"], document["kind"]) == ("drift", "shared_secret")
    assert yaml.safe_load(parity(*words, "yaml").out).keys() == document.keys()


def test_tiers_of_files_can_be_said(parity: Parity, folder: Path) -> None:
    write(folder, a__env="A=1\nB=2\n", b__env="A=1\n")
    words = ("explain", "dotenv:a.env", "dotenv:b.env", "B")
    assert "default/config/missing_in_production" not in parity(*words).out
    assert "default/config/missing_in_production" in parity(*words, "--as", "staging,prod").out


def test_what_is_stored_brings_its_history(parity: Parity, shop: Path) -> None:
    answer = parity("explain", "staging", "prod", "api", "django")
    assert answer.code == 0
    assert "▲ high drift: django 4.2.26 → 5.2.8" in answer.out
    history = answer.out.partition("\nHistory\n")[2].splitlines()
    assert history[0].endswith(", open")
    assert [line.split()[2] for line in history[1:]] == ["opened", "confirmed"]
    turned = json.loads(parity("explain", "prod", "staging", "api", "django", "-o", "json").out)
    assert (turned["left"]["value"], turned["right"]["value"]) == ("5.2.8", "4.2.26")
    assert turned["drift"]["events"][0]["left"]["value"] == "5.2.8"


def test_the_past_is_explained_as_well(parity: Parity, shop: Path) -> None:
    states = json.loads(parity("explain", "staging", "prod", "api", "django", "-o", "json").out)["states"]
    left, right = (f"{one['environment']}#{one['snapshot']}" for one in states.values())
    answer = parity("explain", left, right, "api", "LOG_LEVEL")
    assert answer.out.splitlines()[0] == f"api · LOG_LEVEL · {left} → {right}"
    assert answer.code == 0


def test_a_rule_of_the_file_is_named_with_its_line(parity: Parity, shop: Path) -> None:
    text = (shop / "parity.yml").read_text()
    (shop / "parity.yml").write_text(text + 'rules:\n  - {match: {item: "pkg:pypi/*"}, ignore: true}\n')
    line = len(text.splitlines()) + 2
    answer = parity("explain", "staging", "prod", "api", "django")
    assert answer.why == f"explain: hidden: parity.yml:{line} hides it"
    assert f"  parity.yml:{line}  (match item pkg:pypi/*)\n    → ignore: true" in answer.out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (
            ("staging", "prod", "django"),
            "parity: name the service before the item: parity explain staging prod checkout django",
        ),
        (("staging", "prod", "apo", "django"), "parity: no service apo (did you mean api?)"),
        (("staging", "prdo", "api", "django"), "parity: no environment prdo (did you mean prod?)"),
        (("staging", "prod", "api", "djnago"), "parity: api has no item djnago (did you mean django?)"),
        (("staging", ".env.prod", "api", "A"), "parity: a file is compared with a file"),
        (
            ("staging", "prod", "api", "A", "B"),
            "parity: give a service and an item: parity explain staging prod checkout django",
        ),
        (("staging", "prod", "api", "django", "--as", "staging,prod"), "parity: --as is for files"),
        (("-", "-", "A"), "parity: only one side can come from standard input"),
        ((".env.staging", ".env.prod", "web", "A"), "parity: no service web in both files"),
        (("staging", "prod", "api", "django", "--section", "config"), "parity: django of api is not of"),
    ],
)
def test_a_question_that_means_nothing_is_2(
    parity: Parity, shop: Path, words: tuple[str, ...], why: str
) -> None:
    answer = parity("explain", *words)
    assert (answer.code, answer.out) == (2, "")
    assert answer.why.startswith(why)


def test_an_acceptance_is_told_while_it_holds_and_when_it_is_over(parity: Parity, shop: Path) -> None:
    asked = ("explain", "staging", "prod", "api", "django")
    assert json.loads(parity(*asked, "-o", "json").out)["acceptance"] is None
    said = ("--reason", "waits for the LTS", "--expires", "2027-12-05", "--author", "anna")
    assert parity("accept", "staging..prod", "api", "pkg:pypi/django", *said).code == 0
    told = parity(*asked).out.partition("\nAccepted\n")[2].splitlines()
    assert told[:2] == ["  anna: waits for the LTS", "    through 2027-12-05, or until it is worse"]
    held = json.loads(parity(*asked, "-o", "json").out)["acceptance"]
    assert (held["author"], held["until"], held["ended_at"], held["why"]) == ("anna", "worse", None, None)
    assert parity("accept", "--end", held["id"], "--author", "bob").code == 0
    over = json.loads(parity(*asked, "-o", "json").out)["acceptance"]
    assert (over["id"], over["why"]) == (held["id"], "bob took it back")
    told = parity(*asked).out.partition("\nAccepted\n")[2].splitlines()
    assert told[2].startswith("    it ended ")
    assert told[2].endswith(": bob took it back")
