"""Each way to end has its code, and the last line on stderr says why."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Parity, as_process, write, write_shop


def test_0_is_parity(parity: Parity, folder: Path) -> None:
    write(folder, __env__a="A=1\n", __env__b="A=2\n")
    answer = parity("diff", ".env.a", ".env.b")
    assert (answer.code, answer.why) == (0, "parity: nothing differs at this level")


@pytest.mark.parametrize(
    ("fail_on", "code"),
    # A key that production lacks is high.
    [("low", 1), ("medium", 1), ("high", 1), ("critical", 0)],
)
def test_1_is_drift_from_the_asked_severity_up(parity: Parity, folder: Path, fail_on: str, code: int) -> None:
    write(folder, __env__staging="A=1\nB=2\n", __env__prod="A=2\n")
    answer = parity("diff", ".env.staging", ".env.prod", "--fail-on", fail_on)
    assert answer.code == code
    if code:
        assert answer.why == f"drift: 1 at {fail_on} or above, worst high: B missing in .env.prod"


def test_information_never_fails(parity: Parity, folder: Path) -> None:
    write(folder, __env__dev="A=1\nB=2\n", __env__staging="A=2\n")
    answer = parity("diff", ".env.dev", ".env.staging")
    assert (answer.code, "· info" in answer.out) == (0, True)


def test_drift_beside_something_unseen_is_still_drift(parity: Parity, folder: Path) -> None:
    write(folder, __env__staging="A=1\nB=2\n", __env__prod="A=2\nsome line without a name\n")
    document = json.loads(parity("diff", ".env.prod", ".env.staging", "-o", "json").out)
    assert not document["complete"]
    write(folder, __env__prod="API_KEY=1\nno name\n", __env__staging="API_KEY=1\n")
    answer = parity("diff", ".env.staging", ".env.prod")
    assert (answer.code, answer.why.startswith("drift: 1")) == (1, True)


def test_3_is_said_where_there_was_nothing_to_compare(parity: Parity, folder: Path) -> None:
    write(folder, __env__a="", __env__b="")
    answer = parity("diff", ".env.a", ".env.b")
    assert (answer.code, answer.why) == (3, "cannot tell: there was nothing to compare")


def test_3_where_the_sides_have_no_section_in_common(parity: Parity, folder: Path) -> None:
    write(folder, __env__a="A=1\n", requirements__txt="django==5.2.8\n")
    assert parity("diff", ".env.a", "requirements.txt").code == 3


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "parity: give a command"),
        (("token",), "parity: give a command"),
        (("dif", "a", "b"), "parity: no command dif (did you mean diff?)"),
        (("zzz",), "parity: no command zzz (known: init, diff, status"),
        (("diff",), "parity: missing argument 'LEFT'"),
        (("diff", ".env"), "parity: '.env' is one expression: give two, or LEFT..RIGHT"),
        (("diff", ".env", ".env", "--fial-on", "low"), "parity: no such option '--fial-on'"),
        (
            ("diff", ".env", ".env", "-o", "xml"),
            "parity: invalid value for '-o' / '--output': 'xml' is not one of",
        ),
        (
            ("diff", ".env", ".env", "--fail-on", "info"),
            "'info' is not one of 'low', 'medium', 'high', 'critical'",
        ),
        (("status",), "parity: 1 problem in the configuration"),
        (("push", ".env", "--env", "prod"), "parity: missing option '--service'"),
    ],
)
def test_2_is_a_wrong_word_and_names_the_known_ones(
    parity: Parity, folder: Path, words: tuple[str, ...], why: str
) -> None:
    write(folder, __env="A=1\n")
    answer = parity(*words)
    assert (answer.code, answer.out) == (2, "")
    assert answer.why.startswith("parity: ")
    assert why in answer.why


def test_2_is_a_wrong_configuration_with_every_problem_at_its_place(parity: Parity, folder: Path) -> None:
    text = "version: 1\nenvironments:\n  - {name: Prod}\n  - {name: staging, tire: staging}\nservces: []\n"
    write(folder, parity__yml=text)
    for words in (["check"], ["status"], ["gate"], ["diff", "staging", "prod"], ["config", "show"]):
        answer = parity(*words)
        assert (answer.code, answer.out) == (2, "")
        assert answer.err.splitlines() == [
            "parity.yml:3:12: environments[0].name: must begin with a-z and hold only a-z 0-9 -, at most 63",
            "parity.yml:4:21: environments[1].tire: unknown key (did you mean tier?)",
            "parity.yml:5:1: servces: unknown key (did you mean services?)",
            "parity: 3 problems in the configuration",
        ]


def test_2_where_there_is_no_configuration_says_where_it_was_looked_for(parity: Parity, folder: Path) -> None:
    answer = parity("status")
    assert "looked for parity.yml, /etc/parity/parity.yml; name another with --config" in answer.err
    answer = parity("status", "--config", "nope.yml")
    assert (answer.code, "nope.yml:1:1: document: no such file" in answer.err) == (2, True)


CANARY = "cnry-sk-live-7f3a91"


def test_2_is_a_defect_of_ours_told_without_its_text(
    parity: Parity, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text of an error that nobody expected may hold anything, and 1 would mean drift."""

    def broken(*_: object, **__: object) -> None:
        raise KeyError(CANARY)

    write(folder, __env__a="A=1\n")
    monkeypatch.setattr("detector.cli.table.comparison_lines", broken)
    answer = parity("diff", ".env.a", ".env.a")
    assert (answer.code, "Traceback" in answer.err, CANARY in answer.err) == (2, False, False)
    assert answer.why.startswith("parity: a defect of Parity (KeyError at test_exit_codes.py:")


def test_3_where_a_reader_breaks_and_its_text_is_told_to_nobody(
    parity: Parity, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError(CANARY)

    write(folder, __env__a=f"A={CANARY}\n", __env__b="A=1\n")
    monkeypatch.setattr("collectors.readers.dotenv.DotenvReader.read", broken)
    answer = parity("diff", ".env.a", ".env.b")
    assert (answer.code, CANARY in answer.out + answer.err) == (3, False)
    assert "crashed (the reader raised ValueError)" in answer.out


def test_what_libraries_warn_of_reaches_no_terminal(folder: Path) -> None:
    """urllib3 tells of addresses, asyncio of errors with their text, where nobody says what to do with it."""
    said = (
        "import logging, sys; from detector import cli; sys.argv = ['parity', 'version']\n"
        "try: cli.main()\nexcept SystemExit: pass\n"
        f"logging.getLogger('urllib3').warning('{CANARY}')"
    )
    done = subprocess.run(
        [sys.executable, "-c", said], cwd=folder, capture_output=True, text=True, check=True
    )
    assert CANARY not in done.stderr


def test_4_is_a_store_that_refuses(parity: Parity, folder: Path) -> None:
    write_shop(folder)
    (folder / "parity.db").write_bytes(b"this is no database, and it is longer than a header" * 100)
    answer = parity("status")
    assert answer.code == 4
    assert answer.why.startswith("parity: ")
    assert "Traceback" not in answer.err


def test_4_is_a_store_that_another_process_owns(folder: Path) -> None:
    write_shop(folder)
    text = (folder / "parity.yml").read_text().replace("auth: none", "auth: none, listen: '127.0.0.1:0'")
    (folder / "parity.yml").write_text(text)
    owner = subprocess.Popen(
        [Path(sys.executable).with_name("parity"), "serve"], cwd=folder, stderr=subprocess.PIPE, text=True
    )
    try:
        assert owner.stderr is not None
        assert any('"event": "ready"' in line for line in owner.stderr)
        answer = as_process("db", "upgrade", cwd=folder)
        assert (answer.code, str(owner.pid) in answer.why) == (4, True)
        assert as_process("status", cwd=folder).code == 0, "reading goes on beside it"
    finally:
        owner.terminate()
        owner.communicate(timeout=20)


def test_a_reader_that_has_seen_enough_changes_no_code(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without buffers Python takes what a closed pipe swallowed for written.
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    keys = "\n".join(f"A_KEY_{number}=1" for number in range(500))
    write(folder, __env__staging=keys, __env__prod="Z=1\n")
    command = [
        str(Path(sys.executable).with_name("parity")),
        "diff",
        ".env.staging",
        ".env.prod",
        "-o",
        "json",
    ]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.read(1) == b"{"
        child.stdout.close()
        [why] = child.stderr.read().splitlines()
    assert (child.returncode, why.startswith(b"drift: ")) == (1, True)


def test_a_full_disk_is_said(folder: Path) -> None:
    write(folder, __env__a="A=1\n")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [Path(sys.executable).with_name("parity"), "diff", ".env.a", ".env.a", "-o", "json"],
            cwd=folder,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        2,
        "parity: cannot go on (No space left on device)",
    )
